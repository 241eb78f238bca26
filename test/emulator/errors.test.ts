import t from 'tap'
import { authorizeURL, get, graphURL, mintCode, readJSON, redeem, start } from './support/emulator.ts'

function members (value: unknown): string[] {
  return typeof value === 'object' && value !== null ? Object.keys(value).sort() : []
}

t.test('errors of the callback, of the token endpoint and of Graph have an envelope each', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('authorize', 'deny')
  const location = (await get(authorizeURL(emulator, { state: 's' }))).headers.get('location') ?? ''
  t.strictSame([...new URL(location).searchParams.keys()], ['error', 'error_reason', 'error_description', 'state'])
  for (const fault of ['used_code', 'invalid_code', 'wrong_secret', 'platform_app', 'rate_limit'] as const) {
    emulator.control.fault('token', fault)
    t.strictSame(members(await readJSON(await redeem(emulator, mintCode(emulator)))), ['code', 'error_message', 'error_type'], fault)
  }
  for (const endpoint of ['exchange', 'refresh', 'me'] as const) {
    const path = { exchange: 'access_token', refresh: 'refresh_access_token', me: 'me' }[endpoint]
    for (const fault of ['rate_limit', 'permission'] as const) {
      emulator.control.fault(endpoint, fault)
      t.strictSame(members(await readJSON(await get(graphURL(emulator, path, {})))), ['error'], `${endpoint} ${fault}`)
    }
  }
})

t.test('a fault of one envelope cannot be switched on at the endpoint of another', async (t) => {
  const { control } = await start(t)
  t.throws(() => control.fault('me', 'used_code'), TypeError)
  t.throws(() => control.fault('token', { name: 'graph_error', code: 190 }), TypeError)
  t.throws(() => control.fault('token', 'permission'), TypeError)
  t.throws(() => control.fault('token', 'deny'), TypeError)
})

t.test('a Graph error of choice is answered', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('me', { name: 'graph_error', status: 503, code: 2, message: 'Service temporarily unavailable' }, 1)
  const down = await get(graphURL(emulator, 'me', {}))
  t.equal(down.status, 503)
  t.match(await readJSON(down), { error: { code: 2, type: 'OAuthException', message: 'Service temporarily unavailable' } })
  emulator.control.fault('me', { name: 'graph_error', code: 190, subcode: 460 }, 1)
  t.match(await readJSON(await get(graphURL(emulator, 'me', {}))), { error: { code: 190, error_subcode: 460 } })
})

t.test('messages of the token endpoint can be had on demand', async (t) => {
  const emulator = await start(t)
  const texts = [
    ['used_code', 'Matching code was not found or was already used'],
    ['invalid_code', 'Invalid authorization code'],
    ['wrong_secret', /^Error validating verification code\. Please make sure your redirect_uri is identical/],
    ['platform_app', 'Invalid platform app'],
  ] as const
  for (const [fault, text] of texts) {
    emulator.control.fault('token', fault, 1)
    t.match(await readJSON(await redeem(emulator, mintCode(emulator))), { error_type: 'OAuthException', code: 400, error_message: text })
  }
})
