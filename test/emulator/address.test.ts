import t from 'tap'
import { backChannelHost, checkAddress, formatOrigin } from '../../src/emulator/address.ts'
import { startEmulator } from '../../src/emulator/emulator.ts'

const refused: [host: string, publicHost: string, allowPublic: boolean, why: string][] = [
  ['127.0.0.1', 'www.instagram.com', false, 'a production name'],
  ['127.0.0.1', 'graph.instagram.com', true, 'a production name, even when public is allowed'],
  ['127.0.0.1', 'instagram.com', true, 'a production domain'],
  ['127.0.0.1', 'WWW.Facebook.com.', true, 'a production name in other letters and with a final dot'],
  ['api.instagram.com', 'localhost', true, 'a production name to listen on'],
  ['0.0.0.0', '0.0.0.0', false, 'every interface'],
  ['::', 'localhost', false, 'every interface of IPv6'],
  ['192.168.1.20', 'localhost', false, 'an address that others reach'],
]

for (const [host, publicHost, allowPublic, why] of refused) {
  t.test(`${host} as ${publicHost} is refused: ${why}`, async (t) => {
    t.throws(() => checkAddress({ host, publicHost, allowPublic }), TypeError)
    await t.rejects(startEmulator({ host, publicHost, allowPublic }), TypeError)
  })
}

const accepted: [host: string, publicHost: string, allowPublic: boolean][] = [
  ['127.0.0.1', 'instagram.localhost', false],
  ['127.0.0.1', 'notinstagram.community', false],
  ['::1', '::1', false],
  ['0.0.0.0', 'emulator', true],
]

for (const [host, publicHost, allowPublic] of accepted) {
  t.test(`${host} as ${publicHost} is accepted`, async (t) => {
    t.doesNotThrow(() => checkAddress({ host, publicHost, allowPublic }))
  })
}

t.test('browsers get the public name, servers an address that resolves', async (t) => {
  const emulator = await startEmulator({ publicHost: 'instagram.localhost' })
  t.teardown(() => emulator.close())
  t.match(emulator.url, /^http:\/\/instagram\.localhost:\d+$/)
  t.match(emulator.settings.LEADLATCH_INSTAGRAM_AUTHORIZE_URL, `${emulator.url}/www/oauth/authorize`)
  t.match(emulator.settings.LEADLATCH_INSTAGRAM_TOKEN_URL, /^http:\/\/127\.0\.0\.1:\d+\/api\/oauth\/access_token$/)
  t.match(emulator.settings.LEADLATCH_INSTAGRAM_GRAPH_URL, /^http:\/\/127\.0\.0\.1:\d+\/graph$/)
  t.equal(backChannelHost({ host: '0.0.0.0', publicHost: 'emulator', allowPublic: true }), 'emulator')
})

t.test('an IPv6 address stands in brackets', async (t) => {
  t.equal(formatOrigin('::1', 80), 'http://[::1]:80')
})
