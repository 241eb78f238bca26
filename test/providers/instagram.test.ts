import { test, type Test } from 'tap'
import { Agent } from 'undici'
import type { InstagramSettings } from '../../src/config.ts'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createInstagram, type InstagramFlavour } from '../../src/providers/instagram.ts'

const REDIRECT_URI = 'https://login.example/oauth/callback/instagram'
const forever = new AbortController().signal

async function open (t: Test, flavour: InstagramFlavour, settings: Partial<InstagramSettings> = {}) {
  const emulator = await startEmulator({ redirectURIs: [REDIRECT_URI] })
  const dispatcher = new Agent()
  t.teardown(() => Promise.all([emulator.close(), dispatcher.destroy()]))
  const name = flavour === 'instagram' ? 'INSTAGRAM' : 'INSTAGRAM_BASIC_DISPLAY'
  const setting = (suffix: string) => emulator.settings[`LEADLATCH_${name}_${suffix}`] ?? ''
  const provider = createInstagram(flavour, {
    clientId: setting('CLIENT_ID'),
    clientSecret: setting('CLIENT_SECRET'),
    appSecret: null,
    scopes: flavour === 'instagram' ? ['instagram_business_basic'] : ['user_profile', 'user_media'],
    authorizeURL: setting('AUTHORIZE_URL'),
    tokenURL: setting('TOKEN_URL'),
    graphURL: setting('GRAPH_URL'),
    ...settings
  }, { dispatcher, metrics: createMetrics(), now: Date.now })
  const emulatorFlavour = flavour === 'instagram' ? 'instagram' as const : 'basicDisplay' as const
  const mintCode = (persona: string) => emulator.control.mintCode(persona, { redirectURI: REDIRECT_URI, flavour: emulatorFlavour })
  return { emulator, provider, mintCode }
}

test('the authorization address carries what each protocol knows', async (t) => {
  const current = (await open(t, 'instagram')).provider
  const plain = new URL(current.buildAuthorizationURL({ redirectURI: REDIRECT_URI, state: 's', isReauthenticationRequired: false }))
  t.match(Object.fromEntries(plain.searchParams), {
    client_id: current.appId, redirect_uri: REDIRECT_URI, response_type: 'code', scope: 'instagram_business_basic', state: 's', enable_fb_login: 'false'
  })
  t.notOk(plain.searchParams.has('force_reauth') || plain.searchParams.has('code_challenge'))
  const retired = (await open(t, 'instagram-basic-display')).provider
  const address = new URL(retired.buildAuthorizationURL({ redirectURI: REDIRECT_URI, state: 's', isReauthenticationRequired: false }))
  t.same(Array.from(address.searchParams.keys()), ['client_id', 'redirect_uri', 'response_type', 'scope', 'state'])
  t.equal(address.searchParams.get('scope'), 'user_profile,user_media')
})

for (const flavour of ['instagram', 'instagram-basic-display'] as const) {
  test(`${flavour}: code, profile and long-lived token, with both reply shapes and either id in the reply`, async (t) => {
    const { emulator, provider, mintCode } = await open(t, flavour)
    for (const replyShape of ['flat', 'wrapped'] as const) {
      for (const tokenUserId of ['user_id', 'id'] as const) {
        emulator.control.set({ replyShape, tokenUserId })
        const token = await provider.exchangeCode(mintCode('hugeid'), REDIRECT_URI, forever)
        t.match(token, { isShortLived: true, scopes: flavour === 'instagram' ? ['instagram_business_basic'] : ['user_profile', 'user_media'] })
        const profile = await provider.fetchProfile(token, forever)
        const persona = emulator.control.persona('hugeid')
        t.match(profile, flavour === 'instagram'
          ? { userId: persona.appScopedId, accountId: persona.userId, username: persona.username }
          : { userId: persona.userId, accountId: null, username: persona.username })
        const long = await provider.exchangeLongLived?.(token, forever)
        t.match(long, { isShortLived: false, scopes: token.scopes })
        t.not(long?.accessToken, token.accessToken)
        t.ok(Math.abs((long?.expiresAtMs ?? 0) - Date.now() - 5_183_944_000) < 5000)
      }
    }
  })

  test(`${flavour}: a code works once`, async (t) => {
    const { provider, mintCode } = await open(t, flavour)
    const code = mintCode('creator')
    await provider.exchangeCode(code, REDIRECT_URI, forever)
    await t.rejects(provider.exchangeCode(code, REDIRECT_URI, forever), { code: 'spent' })
  })
}

test('a code that is an hour old is spent', async (t) => {
  const { emulator, provider, mintCode } = await open(t, 'instagram')
  const code = mintCode('creator')
  emulator.control.advance(61 * 60_000)
  await t.rejects(provider.exchangeCode(code, REDIRECT_URI, forever), { code: 'spent' })
})

test('a wrong secret, another redirect URI and the Meta app id are the operator’s to mend', async (t) => {
  const wrongSecret = await open(t, 'instagram', { clientSecret: 'wrong' })
  await t.rejects(wrongSecret.provider.exchangeCode(wrongSecret.mintCode('creator'), REDIRECT_URI, forever), { code: 'misconfigured', message: /client secret is wrong/ })
  const right = await open(t, 'instagram')
  await t.rejects(right.provider.exchangeCode(right.mintCode('creator'), `${REDIRECT_URI}/`, forever), { code: 'misconfigured', message: /trailing slash/ })
  const metaId = await open(t, 'instagram', { clientId: '1' })
  await t.rejects(metaId.provider.exchangeCode(metaId.mintCode('creator'), REDIRECT_URI, forever), { code: 'misconfigured' })
})

test('errors wrapped in meta, as old replies had them, are told apart as well', async (t) => {
  const { emulator, provider } = await open(t, 'instagram')
  emulator.control.set({ tokenErrors: 'meta' })
  await t.rejects(provider.exchangeCode('unknown', REDIRECT_URI, forever), { code: 'spent' })
})

test('members that are missing are null, and a picture is kept only over https', async (t) => {
  const { emulator, provider, mintCode } = await open(t, 'instagram')
  const profileOf = async (persona: string) => provider.fetchProfile(await provider.exchangeCode(mintCode(persona), REDIRECT_URI, forever), forever)
  t.match(await profileOf('noname'), { name: null, pictureURL: null })
  emulator.control.savePersona({ id: 'creator', pictureURL: 'http://169.254.169.254/picture' })
  t.match(await profileOf('creator'), { pictureURL: null })
  t.match(await profileOf('hostile'), { name: emulator.control.persona('hostile').name }, 'hostile names are data')
})

test('T-44: names are capped, and NUL becomes U+FFFD', async (t) => {
  const { emulator, provider, mintCode } = await open(t, 'instagram')
  emulator.control.savePersona({ id: 'creator', name: `a\0${'\u{1F600}'.repeat(20_000)}` })
  const profile = await provider.fetchProfile(await provider.exchangeCode(mintCode('creator'), REDIRECT_URI, forever), forever)
  t.equal(Array.from(profile.name ?? '').length, 10_000)
  t.match(profile.name, /^a\uFFFD/)
})

test('error 190 and its subcodes mean reconnect, limits mean wait', async (t) => {
  const { emulator, provider } = await open(t, 'instagram')
  const token = { accessToken: emulator.control.mintToken('creator', { kind: 'short' }), scopes: [], expiresAtMs: null, isShortLived: true }
  for (const [code, subcode, expected] of [
    [190, 458, 'revoked'], [190, 459, 'revoked'], [190, 460, 'revoked'], [190, 463, 'revoked'], [190, 467, 'revoked'], [102, 0, 'revoked'], [1, 0, 'unreachable'], [2, 0, 'unreachable'],
    [3, 0, 'misconfigured'], [368, 0, 'misconfigured'], [4, 0, 'throttled'], [17, 0, 'throttled'], [32, 0, 'throttled'], [341, 0, 'throttled'], [613, 0, 'throttled'],
    [80002, 0, 'throttled'], [10, 0, 'denied'], [200, 0, 'denied'], [299, 0, 'denied'], [100, 0, 'misconfigured'], [9999, 0, 'refused']
  ] as const) {
    emulator.control.fault('me', { name: 'graph_error', status: code === 4 ? 403 : 400, code, ...(subcode > 0 && { subcode }) }, 1)
    await t.rejects(provider.fetchProfile(token, forever), { code: expected }, `${code}/${subcode}`)
  }
  emulator.control.fault('me', { name: 'graph_error', status: 400, code: 100, message: 'Unsupported request - method type: get' }, 1)
  await t.rejects(provider.fetchProfile(token, forever), { code: 'revoked' }, 'the catch-all')
  emulator.control.fault('me', { name: 'graph_error', status: 400, code: 200, message: 'API access blocked.' }, 1)
  await t.rejects(provider.fetchProfile(token, forever), { code: 'misconfigured', reason: null }, 'the app is blocked, not the person')
})

test('a call ends at once when the whole redemption is out of time', async (t) => {
  const { emulator, provider, mintCode } = await open(t, 'instagram')
  emulator.control.fault('token', 'hang', 1)
  const controller = new AbortController()
  const call = provider.exchangeCode(mintCode('creator'), REDIRECT_URI, controller.signal)
  controller.abort()
  await t.rejects(call, { code: 'timed_out' })
  await t.rejects(provider.exchangeCode('x', REDIRECT_URI, controller.signal), { code: 'timed_out' })
})

test('a refresh lengthens a token that is a day old, whether its text changes or not, and sends no secret', async (t) => {
  for (const refreshReturns of ['same', 'new'] as const) {
    const { emulator, provider } = await open(t, 'instagram', { clientSecret: 'never-sent' })
    emulator.control.set({ refreshReturns })
    const old = { accessToken: emulator.control.mintToken('creator', { kind: 'long', ageMs: provider.refreshableAfterMs }), scopes: ['a'], expiresAtMs: null, isShortLived: false }
    const before = Date.now()
    const token = await provider.refresh?.(old, forever)
    t.match(token, { scopes: ['a'], isShortLived: false })
    t.equal(token?.accessToken === old.accessToken, refreshReturns === 'same')
    t.ok(Number(token?.expiresAtMs) >= before + 5_183_944_000)
    t.equal(token?.usage, undefined, 'absence of headers means nothing')
  }
})

test('a refresh too early is no revocation; one of a dead token is, with the reason', async (t) => {
  const { emulator, provider } = await open(t, 'instagram')
  const tokenOf = (accessToken: string) => ({ accessToken, scopes: [], expiresAtMs: null, isShortLived: false })
  await t.rejects(provider.refresh?.(tokenOf(emulator.control.mintToken('creator', { kind: 'long' })), forever) ?? Promise.reject(new Error('no refresh')), { code: 'misconfigured', reason: null })
  const dead = tokenOf(emulator.control.mintToken('creator', { kind: 'long', ageMs: provider.refreshableAfterMs }))
  for (const [subcode, reason] of [[458, 'app_removed'], [459, 'checkpoint'], [460, 'password_changed'], [463, 'expired'], [464, 'unconfirmed'], [467, 'logged_out']] as const) {
    emulator.control.revoke('creator', subcode)
    await t.rejects(provider.refresh?.(dead, forever) ?? Promise.reject(new Error('no refresh')), { code: 'revoked', reason })
  }
})

test('what an answer says of our limits is read, from whichever header is worst', async (t) => {
  const { emulator, provider } = await open(t, 'instagram')
  const old = { accessToken: emulator.control.mintToken('creator', { kind: 'long', ageMs: provider.refreshableAfterMs }), scopes: [], expiresAtMs: null, isShortLived: false }
  emulator.control.set({ usageFrom: 0, usagePercent: 85 })
  t.match(await provider.refresh?.(old, forever), { usage: { percent: 85, retryAfterMs: null } })
  emulator.control.set({ usagePercent: 100 })
  await t.rejects(provider.refresh?.(old, forever) ?? Promise.reject(new Error('no refresh')), { code: 'throttled', retryAfterMs: 19 * 60_000 })
})
