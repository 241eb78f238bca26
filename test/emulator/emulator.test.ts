import t from 'tap'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { authorizeURL, get, graphURL, redirectURI, start } from './support/emulator.ts'

t.test('ids and secrets are made up at each start', async (t) => {
  const [one, other] = [await start(t), await start(t)]
  for (const name of ['clientId', 'clientSecret', 'metaAppId', 'metaAppSecret'] as const) {
    t.not(one.apps.instagram[name], other.apps.instagram[name])
    t.not(one.apps.instagram[name], one.apps.basicDisplay[name])
  }
  t.match(one.apps.instagram.clientId, /^\d{15,17}$/)
})

t.test('given ids and secrets are used', async (t) => {
  const emulator = await start(t, { apps: { instagram: { clientId: '4711', replyShape: 'wrapped' } } })
  t.equal(emulator.apps.instagram.clientId, '4711')
  t.equal(emulator.apps.instagram.replyShape, 'wrapped')
  t.equal(emulator.apps.basicDisplay.replyShape, 'flat')
  t.strictSame(emulator.apps.instagram.redirectURIs, [redirectURI])
})

t.test('the settings name both flavours', async (t) => {
  const { settings, apps, url } = await start(t)
  t.strictSame(settings, {
    LEADLATCH_INSTAGRAM_CLIENT_ID: apps.instagram.clientId,
    LEADLATCH_INSTAGRAM_CLIENT_SECRET: apps.instagram.clientSecret,
    LEADLATCH_INSTAGRAM_APP_SECRET: apps.instagram.metaAppSecret,
    LEADLATCH_INSTAGRAM_AUTHORIZE_URL: `${url}/www/oauth/authorize`,
    LEADLATCH_INSTAGRAM_TOKEN_URL: `${url}/api/oauth/access_token`,
    LEADLATCH_INSTAGRAM_GRAPH_URL: `${url}/graph`,
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_ID: apps.basicDisplay.clientId,
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_SECRET: apps.basicDisplay.clientSecret,
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_APP_SECRET: apps.basicDisplay.metaAppSecret,
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_AUTHORIZE_URL: `${url}/api/oauth/authorize`,
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_TOKEN_URL: `${url}/api/oauth/access_token`,
    LEADLATCH_INSTAGRAM_BASIC_DISPLAY_GRAPH_URL: `${url}/graph`,
  })
})

t.test('a redirect URI with a query or a fragment is not registered', async (t) => {
  for (const wrong of ['https://shop.test/cb?x=1', 'https://shop.test/cb#x', '/cb']) {
    await t.rejects(startEmulator({ redirectURIs: [wrong] }), TypeError)
  }
})

t.test('a redirect URI can be registered while the emulator runs', async (t) => {
  const emulator = await start(t)
  const later = 'http://127.0.0.1:8/later'
  t.equal((await get(authorizeURL(emulator, { redirect_uri: later }))).status, 400)
  emulator.apps.instagram.redirectURIs.push(later)
  t.equal((await get(authorizeURL(emulator, { redirect_uri: later }))).status, 200)
})

t.test('two emulators share nothing', async (t) => {
  const [one, other] = [await start(t), await start(t)]
  const token = one.control.mintToken('creator', { kind: 'long' })
  t.equal((await get(graphURL(one, 'me', { access_token: token }))).status, 200)
  t.equal((await get(graphURL(other, 'me', { access_token: token }))).status, 400)
  t.equal(other.control.count('me'), 1)
})

t.test('unknown addresses answer in the way of their host', async (t) => {
  const { url } = await start(t)
  t.match(await (await get(`${url}/graph/v21.0/17841405793187218`)).json(), { error: { code: 100 } })
  t.match(await (await get(`${url}/api/v1/users/self`)).text(), /Sorry, this page isn&#39;t available\./)
  t.equal((await get(`${url}/nothing`)).status, 404)
})

t.test('closing releases requests that hang, trickle or wait', { timeout: 5000 }, async (t) => {
  const emulator = await startEmulator({ redirectURIs: [redirectURI] })
  emulator.control.fault('authorize', 'hang')
  emulator.control.fault('token', { name: 'slow', ms: 600_000 })
  emulator.control.fault('me', 'drip')
  const read = async (url: string, method = 'GET'): Promise<string> => await (await fetch(url, { method })).text()
  const open = [
    read(authorizeURL(emulator)),
    read(`${emulator.url}/api/oauth/access_token`, 'POST'),
    read(graphURL(emulator, 'me', {})),
  ].map((request) => t.rejects(request))
  while (emulator.control.calls().length < 3) await new Promise((resolve) => setImmediate(resolve))
  await emulator.close()
  await Promise.all(open)
})
