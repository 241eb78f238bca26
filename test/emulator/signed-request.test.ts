import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { signPayload } from '../../src/emulator/signed-request.ts'
import { post, start } from './support/emulator.ts'

function split (signedRequest: string): { signature: string, payload: string, json: string } {
  const [signature = '', payload = ''] = signedRequest.split('.')
  return { signature, payload, json: Buffer.from(payload, 'base64url').toString() }
}

function isSignedBy (signedRequest: string, secret: string): boolean {
  const { signature, payload } = split(signedRequest)
  return Buffer.from(signature, 'base64url').equals(createHmac('sha256', secret).update(payload).digest())
}

t.test('the known vectors are reproduced', async (t) => {
  t.equal(signPayload('{"user_id":"0","algorithm":"HMAC-SHA256","issued_at":1624244156}', 'key'),
    'Mf_s6nTb38UYqioBmPqu0Ewm9souPZB9I2fIGwV729U.eyJ1c2VyX2lkIjoiMCIsImFsZ29yaXRobSI6IkhNQUMtU0hBMjU2IiwiaXNzdWVkX2F0IjoxNjI0MjQ0MTU2fQ')
  t.equal(signPayload('{"user_id":"17841457205391437","algorithm":"HMAC-SHA256","issued_at":1700000000}', 'ig-app-secret-for-tests'),
    'mSw3fcJlzRSp0RjdPNHZvY_sO-_TFju33Gz5MAAZgIs.eyJ1c2VyX2lkIjoiMTc4NDE0NTcyMDUzOTE0MzciLCJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTcwMDAwMDAwMH0')
})

t.test('a callback is signed by the Meta app, and on demand by the Instagram app or by nobody', async (t) => {
  const { control, apps } = await start(t)
  t.ok(isSignedBy(control.signedRequest('hugeid'), apps.instagram.metaAppSecret))
  t.ok(isSignedBy(control.signedRequest('hugeid', { secret: 'instagram' }), apps.instagram.clientSecret))
  const forged = control.signedRequest('hugeid', { secret: 'forged' })
  t.notOk(isSignedBy(forged, apps.instagram.metaAppSecret) || isSignedBy(forged, apps.instagram.clientSecret))
  t.ok(isSignedBy(control.signedRequest('hugeid', { flavour: 'basicDisplay' }), apps.basicDisplay.metaAppSecret))
})

t.test('a callback names either id, as a string or as an exact number, with and without expires', async (t) => {
  const { control } = await start(t)
  const issuedAt = 1_700_000_000
  t.equal(split(control.signedRequest('hugeid', { issuedAt })).json, '{"user_id":"17841457205391437","algorithm":"HMAC-SHA256","issued_at":1700000000}')
  t.equal(split(control.signedRequest('hugeid', { issuedAt, id: 'number', whichId: 'id', expires: true })).json,
    '{"user_id":27640875392278831,"algorithm":"HMAC-SHA256","issued_at":1700000000,"expires":1700003600}')
})

t.test('the time of issue is that of the emulator', async (t) => {
  const { control } = await start(t, { now: () => 1_600_000_000_999 })
  t.match(split(control.signedRequest('creator')).json, '"issued_at":1600000000}')
})

t.test('padded parts are signed as they are sent', async (t) => {
  const { control, apps } = await start(t)
  const padded = control.signedRequest('hugeid', { padded: true, issuedAt: 1_700_000_000 })
  t.match(padded, /^[\w-]{43}=\.[\w-]+={0,2}$/)
  t.ok(isSignedBy(padded, apps.instagram.metaAppSecret))
  t.equal(split(padded).payload.length % 4, 0)
})

t.test('a callback survives the trip as a form post', async (t) => {
  const { control, apps } = await start(t)
  const received = await new Promise<string>((resolve, reject) => {
    const server = createServer((request, response) => {
      request.setEncoding('utf8').once('data', resolve)
      response.end()
    })
    t.teardown(() => new Promise<void>((resolve) => { server.close(() => resolve()); server.closeAllConnections() }))
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      post(`http://127.0.0.1:${port}/`, { signed_request: control.signedRequest('hugeid', { padded: true }) }).catch(reject)
    })
  })
  t.ok(isSignedBy(new URLSearchParams(received).get('signed_request') ?? '', apps.instagram.metaAppSecret))
})
