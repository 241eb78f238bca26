import { test, type Test } from 'tap'
import { type Emulator, startEmulator } from '../../../src/emulator/emulator.ts'
import { examineIn, faults, found } from './patient.ts'

const PUBLIC_URL = 'http://localhost:1'

async function withEmulator (t: Test, redirectURIs = ['instagram', 'instagram-basic-display'].map((id) => `${PUBLIC_URL}/oauth/callback/${id}`)) {
  const emulator = await startEmulator({ redirectURIs })
  t.teardown(() => emulator.close())
  const own = Object.fromEntries(Object.entries(emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY')))
  const folder = t.testdir({})
  return { emulator, ask: (settings: Record<string, string> = {}) => examineIn(t, folder, { settings: { LEADLATCH_PUBLIC_URL: PUBLIC_URL, ...own, ...settings } }) }
}

const calls = (emulator: Emulator) => emulator.control.calls().map(({ endpoint }) => endpoint)

test('a provider in order: the redirect URI to register, the login page, app id and secret', async (t) => {
  const { emulator, ask } = await withEmulator(t)
  const report = await ask()
  t.strictSame(faults(report, 'provider'), ['warning provider_emulated'])
  t.match(found(report, 'redirect_uri'), [{ what: new RegExp(`: ${PUBLIC_URL}/oauth/callback/instagram$`) }])
  for (const code of ['authorize', 'credentials', 'clock_skew']) t.match(found(report, code), [{ level: 'ok' }], code)
  t.strictSame(calls(emulator), ['authorize', 'token'])
  t.notMatch(JSON.stringify(report), emulator.apps.instagram.clientSecret)
  t.notMatch(JSON.stringify(report), emulator.apps.instagram.metaAppSecret)
})

test('both flavours are examined', async (t) => {
  const { emulator, ask } = await withEmulator(t)
  const report = await ask(emulator.settings)
  t.match(found(report, 'redirect_uri').map(({ what }) => what.split('/').at(-1)), ['instagram', 'instagram-basic-display'])
  t.match(found(report, 'credentials'), [{ level: 'ok' }, { level: 'ok' }])
})

test('the Meta app id in place of the Instagram app id is named', async (t) => {
  const { ask } = await withEmulator(t)
  const report = await ask({ LEADLATCH_INSTAGRAM_CLIENT_ID: '123456789' })
  t.match(found(report, 'app_unknown'), [{ level: 'error', cure: /Instagram app ID.*not the Meta app ID/ }])
  t.match(found(report, 'credentials'), [{ level: 'error', what: /does not know this app/ }])
})

test('a wrong secret is named although the provider complains of the redirect URI', async (t) => {
  const { ask } = await withEmulator(t)
  const report = await ask({ LEADLATCH_INSTAGRAM_CLIENT_SECRET: 'hunter2' })
  t.match(found(report, 'credentials'), [{ level: 'error', what: /client secret is wrong.*redirect_uri/, cure: /the secret first/ }])
  t.strictSame(found(report, 'redirect_uri_unregistered'), [])
  t.notMatch(JSON.stringify(report), 'hunter2')
})

test('a redirect URI that is registered with a slash at its end is named', async (t) => {
  const { ask } = await withEmulator(t, [`${PUBLIC_URL}/oauth/callback/instagram/`])
  t.match(found(await ask(), 'redirect_uri_unregistered'), [{ level: 'error', cure: /trailing slash/ }])
})

test('a scope that the provider does not offer is named', async (t) => {
  const { ask } = await withEmulator(t)
  t.match(found(await ask({ LEADLATCH_INSTAGRAM_SCOPE: 'instagram_business_basic,instagram_business_typo' }), 'scope_invalid'), [{ level: 'error' }])
})

test('the login page at a retired address is named', async (t) => {
  const { emulator, ask } = await withEmulator(t)
  t.match(found(await ask({ LEADLATCH_INSTAGRAM_AUTHORIZE_URL: `${emulator.url}/api/oauth/authorize` }), 'authorize_gone'), [{ level: 'error' }])
})

test('a provider that fails, limits, hangs or answers nonsense is told from wrong credentials', { timeout: 60_000 }, async (t) => {
  const { emulator, ask } = await withEmulator(t)
  const cases = [
    ['authorize', 'html500', 'authorize_failing', 'warning'],
    ['authorize', 'reset', 'authorize_unreachable', 'error'],
    ['authorize', 'huge', 'authorize', 'ok'],
    ['token', 'html500', 'token_endpoint_unreachable', 'error'],
    ['token', 'reset', 'token_endpoint_unreachable', 'error'],
    ['token', 'html200', 'token_endpoint_unclear', 'warning'],
    ['token', 'rate_limit', 'provider_throttled', 'warning']
  ] as const
  for (const [endpoint, fault, code, level] of cases) {
    emulator.control.fault(endpoint, fault)
    t.match(found(await ask(), code), [{ level }], `${endpoint} ${fault}`)
    emulator.control.fault(endpoint, null)
  }
})

test('a provider that is not there is an error, and the rest is examined all the same', async (t) => {
  const { emulator, ask } = await withEmulator(t)
  await emulator.close()
  const report = await ask()
  t.match(found(report, 'authorize_unreachable'), [{ level: 'error', what: /ECONNREFUSED/ }])
  t.match(found(report, 'token_endpoint_unreachable'), [{ level: 'error' }])
})

test('one secret under two names, a missing app secret and no provider at all are warnings', async (t) => {
  const { emulator, ask } = await withEmulator(t)
  t.match(found(await ask({ LEADLATCH_INSTAGRAM_APP_SECRET: emulator.apps.instagram.clientSecret }), 'app_secret_same'), [{ level: 'warning' }])
  t.match(found(await ask({ LEADLATCH_INSTAGRAM_APP_SECRET: '' }), 'app_secret_missing'), [{ level: 'warning' }])
  t.match(found(await examineIn(t, t.testdir({})), 'provider_missing'), [{ level: 'warning' }])
})

test('without a right public URL nothing is asked of the provider', async (t) => {
  const { emulator, ask } = await withEmulator(t)
  t.match(found(await ask({ LEADLATCH_PUBLIC_URL: 'ftp://x' }), 'redirect_uri_unknown'), [{ level: 'warning' }])
  t.strictSame(calls(emulator), [])
})
