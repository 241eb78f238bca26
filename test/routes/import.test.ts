import { test, type Test } from 'tap'
import type { Fault } from '../../src/emulator/faults.ts'
import { addKey } from '../../src/flows/shops.ts'
import { openToken } from '../../src/flows/tokens.ts'
import { runUpkeep } from '../../src/flows/renew.ts'
import { build as buildService, type Built, type BuildOptions, type TestShop } from '../support/build.ts'
import { logIn } from '../support/journey.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LONG_LIFE_MS = 5_183_944_000

type Imported = { status: number, headers: Record<string, unknown>, body: Record<string, unknown>, text: string }

async function build (t: Test, options: BuildOptions = {}) {
  const built = await buildService(t, options)
  const keys = new Map<string, string>()
  async function keyOf (shop: TestShop): Promise<string> {
    const known = keys.get(shop.id)
    if (known !== undefined) return known
    const { key } = await addKey(built.parts.database, { shopId: shop.id, scopes: ['tokens:write', 'leads:read'], nowMs: built.clock.nowMs })
    keys.set(shop.id, key)
    return key
  }
  async function put (accessToken: unknown, options: { provider?: string, shop?: TestShop, body?: object | string } = {}): Promise<Imported> {
    const response = await built.app.inject({
      method: 'PUT',
      url: `/v1/tokens/${options.provider ?? 'instagram'}`,
      headers: { authorization: `Bearer ${await keyOf(options.shop ?? built.shop)}`, 'content-type': 'application/json' },
      payload: options.body ?? { access_token: accessToken }
    })
    return { status: response.statusCode, headers: response.headers, body: response.json(), text: response.payload }
  }
  return { ...built, keyOf, put }
}

async function storedToken (built: Built, customerId: unknown): Promise<string | undefined> {
  const opened = await openToken(built.parts, { shopId: built.shop.id, customerId: String(customerId), provider: 'instagram', providerUserId: null, actor: 'test' })
  return opened?.access_token
}

async function tokenRow (built: Built): Promise<Record<string, unknown>> {
  return { ...await built.parts.database.get('select obtained_at_ms, expires_at_ms, exchange_due_at_ms, revoked_at_ms, work, generation from tokens') }
}

const time = (atMs: number) => new Date(atMs).toISOString()

test('a short-lived token is exchanged, stored under its customer, and answered as that customer', async (t) => {
  const built = await build(t)
  const token = built.emulator.control.mintToken('creator', { kind: 'short' })
  const { status, body, text } = await built.put(token)
  t.equal(status, 200)
  t.match(body, {
    id: /^cus_/,
    identities: [{
      provider: 'instagram',
      provider_user_id: '26814093771204518',
      provider_account_id: '17841405793187218',
      username: 'ana.makes',
      name: 'Ana Ferreira',
      token: { status: 'active', expires_at: time(built.clock.nowMs + LONG_LIFE_MS) },
      last_login_at: null,
      login_count: 0
    }]
  })
  t.notOk(text.includes(token))
  const stored = await storedToken(built, body.id)
  t.match(stored, /^IGA/)
  t.not(stored, token, 'the long-lived one')
})

test('an import is no login: the lead shows the person with no login, and a later one counts as the first', async (t) => {
  const built = await build(t)
  const { body } = await built.put(built.emulator.control.mintToken('creator', { kind: 'short' }))
  const headers = { authorization: `Bearer ${await built.keyOf(built.shop)}` }
  const leads = async () => (await built.app.inject({ url: '/v1/leads?q=ana', headers })).json()
  t.match(await leads(), { data: [{ id: body.id, username: 'ana.makes', name: 'Ana Ferreira', last_login_at: null, login_count: 0, token: { status: 'active' } }] })
  built.clock.advance(1000)
  t.match((await logIn(built)).body, { customer: { id: body.id, created: false, identities: [{ login_count: 1 }] } })
  built.clock.advance(1000)
  await built.put(built.emulator.control.mintToken('creator', { kind: 'short' }))
  t.match(await leads(), { data: [{ id: body.id, last_login_at: time(built.clock.nowMs - 1000), login_count: 1 }] })
})

test('an import is recorded with the key that asked, in the transaction that stores it', async (t) => {
  const built = await build(t)
  const { body } = await built.put(built.emulator.control.mintToken('creator', { kind: 'short' }))
  t.match(await built.parts.database.all("select actor, action, customer_id, subject, at_ms from audit_entries where action like 'token.%'"), [
    { actor: /^key:key_/, action: 'token.imported', customer_id: body.id, subject: /^idn_/, at_ms: built.clock.nowMs }
  ])
})

test('a long-lived token that is old enough is refreshed, whether its text changes or not', async (t) => {
  for (const refreshReturns of ['same', 'new'] as const) {
    const built = await build(t)
    built.emulator.control.set({ refreshReturns })
    const token = built.emulator.control.mintToken('creator', { kind: 'long', ageMs: 30 * DAY_MS })
    const { status, body } = await built.put(token)
    t.equal(status, 200)
    t.match(body, { identities: [{ token: { expires_at: time(built.clock.nowMs + LONG_LIFE_MS) } }] })
    t.equal(await storedToken(built, body.id) === token, refreshReturns === 'same')
  }
})

test('the life of a long-lived token younger than a day is unknown, until upkeep refreshes it', async (t) => {
  const built = await build(t)
  const token = built.emulator.control.mintToken('creator', { kind: 'long', ageMs: HOUR_MS })
  const { body } = await built.put(token)
  t.match(body, { identities: [{ token: { status: 'active', expires_at: null } }] })
  t.equal(await storedToken(built, body.id), token)
  t.match(await tokenRow(built), { expires_at_ms: null, exchange_due_at_ms: null, work: 'plan' })
})

test('a refreshed text that does not work yet does not cost the one that does', async (t) => {
  const built = await build(t)
  const token = built.emulator.control.mintToken('creator', { kind: 'long', ageMs: 30 * DAY_MS })
  built.emulator.control.set({ refreshReturns: 'new' })
  const provider = built.parts.providers.get('instagram')
  if (provider === undefined) throw new Error('no provider')
  const fetchProfile = provider.fetchProfile
  provider.fetchProfile = async (asked, signal) => {
    if (asked.accessToken !== token) built.emulator.control.fault('me', { name: 'graph_error', code: 190 }, 1)
    return fetchProfile(asked, signal)
  }
  const { status, body } = await built.put(token)
  t.equal(status, 200)
  t.equal(await storedToken(built, body.id), token)
})

const LACKS: Fault[] = ['html500', 'reset', 'empty', 'rate_limit', { name: 'graph_error', code: 2, status: 500 }]

test('a short-lived token that the provider cannot exchange now is kept, its exchange due, and upkeep exchanges it', async (t) => {
  for (const fault of LACKS) {
    const built = await build(t)
    built.emulator.control.fault('exchange', fault, 1)
    const token = built.emulator.control.mintToken('creator', { kind: 'short' })
    const { status, body } = await built.put(token)
    t.equal(status, 200, JSON.stringify(fault))
    t.equal(await storedToken(built, body.id), token)
    t.match(await tokenRow(built), { expires_at_ms: built.clock.nowMs + HOUR_MS, exchange_due_at_ms: built.clock.nowMs, work: 'exchange' })
    await runUpkeep(built.parts, { warn: () => {}, error: () => {} })
    t.match(await tokenRow(built), { expires_at_ms: built.clock.nowMs + LONG_LIFE_MS, exchange_due_at_ms: null })
  }
})

test('when the provider answers neither exchange nor refresh, the answer is 503 and nothing is stored', async (t) => {
  for (const fault of LACKS) {
    const built = await build(t)
    built.emulator.control.fault('exchange', fault)
    built.emulator.control.fault('refresh', fault)
    const { status, headers, body } = await built.put(built.emulator.control.mintToken('creator', { kind: 'short' }))
    t.match({ status, body }, { status: 503, body: { code: 'provider_unavailable' } }, JSON.stringify(fault))
    t.match(headers['retry-after'], /^\d+$/)
    t.equal((await built.parts.database.all('select id from customers')).length, 0)
  }
})

test('a provider that is down or throttles while the profile is read is 503 with Retry-After', async (t) => {
  const built = await build(t)
  const token = built.emulator.control.mintToken('creator', { kind: 'short' })
  for (const [fault, seconds] of [['html500', '30'], ['reset', '30'], ['html200', '30'], [{ name: 'rate_limit', minutes: 5 }, '300']] as const) {
    built.emulator.control.fault('me', fault, 1)
    const { status, headers, body } = await built.put(token)
    t.match({ status, body }, { status: 503, body: { code: 'provider_unavailable' } })
    t.equal(headers['retry-after'], seconds)
  }
  t.equal((await built.put(token)).status, 200)
})

test('a token that the provider refuses is 400 with a code that says what to do, and nothing is stored', async (t) => {
  const built = await build(t)
  const { control } = built.emulator
  const expired = control.mintToken('creator', { kind: 'long', ageMs: 61 * DAY_MS })
  const revoked = control.mintToken('business', { kind: 'long' })
  control.revoke('business', 458)
  for (const token of ['IGAAnever', expired, revoked]) {
    const { status, body, text } = await built.put(token)
    t.match({ status, body }, { status: 400, body: { code: 'token_refused', member: 'access_token', detail: /Make a new one/ } })
    t.notOk(text.includes(token))
  }
  control.savePersona({ id: 'shy', permissions: [] })
  t.match(await built.put(control.mintToken('shy', { kind: 'long' })), { status: 400, body: { code: 'permission_missing' } })
  t.equal((await built.parts.database.all('select id from customers')).length, 0)
})

test('T-38: a token of another app is refused in both flavours', async (t) => {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  const { control } = built.emulator
  const pairs = [['instagram', 'basicDisplay'], ['instagram-basic-display', 'instagram']] as const
  for (const [provider, flavour] of pairs) {
    for (const kind of ['short', 'long'] as const) {
      const answer = await built.put(control.mintToken('creator', { kind, flavour }), { provider })
      t.match(answer, { status: 400, body: { code: 'token_of_another_app' } }, `${kind} of ${flavour}`)
    }
  }
  t.match(await built.put(control.mintToken('creator', { kind: 'short', flavour: 'basicDisplay' }), { provider: 'instagram-basic-display' }), { status: 200 })
  t.equal((await built.parts.database.all('select id from customers')).length, 1)
})

test('a wrong client secret is told as a matter of the settings', async (t) => {
  const built = await build(t, { settings: { LEADLATCH_INSTAGRAM_CLIENT_SECRET: 'another' } })
  t.match(await built.put(built.emulator.control.mintToken('creator', { kind: 'short' })), { status: 500, body: { code: 'provider_misconfigured' } })
})

test('a provider that is not configured is 404, one whose tokens prove nothing is 409', async (t) => {
  const built = await build(t)
  for (const provider of ['facebook', 'INSTAGRAM', 'constructor', '__proto__', 'instagram%2F', 'instagram-basic-display']) {
    t.match(await built.put('IGAA', { provider }), { status: 404, body: { code: 'not_found' } }, provider)
  }
  const instagram = built.parts.providers.get('instagram')
  const providers = built.parts.providers
  if (instagram === undefined || !(providers instanceof Map)) throw new Error('no provider')
  providers.set('google', { ...instagram, id: 'google' })
  t.match(await built.put('ya29', { provider: 'google' }), { status: 409, body: { code: 'import_unsupported', detail: /sign in/ } })
  t.equal(built.emulator.control.calls().length, 0, 'nobody was asked')
})

test('T-38: an import never moves an identity that a customer owns', async (t) => {
  const built = await build(t)
  const { control } = built.emulator
  const owner = (await built.put(control.mintToken('creator', { kind: 'short' }))).body.id
  const other = (await built.put(control.mintToken('business', { kind: 'short' }))).body.id
  t.not(owner, other)
  await built.parts.database.run('update identities set customer_id = $1 where username = $2', [String(other), 'ana.makes'])
  t.equal((await built.put(control.mintToken('creator', { kind: 'short' }))).body.id, other)
  t.equal((await built.parts.database.all('select id from identities')).length, 2)
})

test('T-45: the same person in another shop is untouched', async (t) => {
  const built = await build(t)
  const login = await logIn(built)
  const before = await built.parts.database.all('select * from tokens')
  const elsewhere = await built.addShop({ url: 'https://other.example' })
  const { status, body } = await built.put(built.emulator.control.mintToken('creator', { kind: 'short' }), { shop: elsewhere })
  t.equal(status, 200)
  t.notMatch(login.body, { customer: { id: body.id } })
  t.same(await built.parts.database.all('select * from tokens where access_token = $1', [String(before[0]?.['access_token'])]), before)
})

test('a token that is known to live longer stays, and the record says so', async (t) => {
  const built = await build(t)
  const { control } = built.emulator
  await logIn(built)
  const kept = await tokenRow(built)
  // A short-lived one that cannot be exchanged, and one whose life nobody knows yet.
  control.fault('exchange', 'html500', 1)
  t.equal((await built.put(control.mintToken('creator', { kind: 'short' }))).status, 200)
  t.match(await built.put(control.mintToken('creator', { kind: 'long' })), { body: { identities: [{ token: { expires_at: time(Number(kept.expires_at_ms)) } }] } })
  t.same(await tokenRow(built), kept)
  t.match(await built.parts.database.all("select action from audit_entries where action like 'token.%'"), [{ action: 'token.import_kept' }, { action: 'token.import_kept' }])
})

test('a token that is revoked, expired or about to expire gives way to one of unknown life', async (t) => {
  const sets = ['revoked_at_ms = 1', 'expires_at_ms = 1', `expires_at_ms = ${Date.UTC(2026, 10, 5)}`, 'expires_at_ms = null']
  for (const set of sets) {
    const built = await build(t)
    const { body } = await logIn(built)
    await built.parts.database.run(`update tokens set ${set}`)
    const token = built.emulator.control.mintToken('creator', { kind: 'long' })
    t.equal((await built.put(token)).status, 200)
    t.equal(await storedToken(built, Object(body.customer).id), token, set)
    t.match(await tokenRow(built), { revoked_at_ms: null, expires_at_ms: null })
  }
})

test('a token in the hands of a worker is fenced off by an import', async (t) => {
  const built = await build(t)
  await logIn(built)
  await built.parts.database.run('update tokens set expires_at_ms = 1, lease_until_ms = 9000000000000')
  const before = await tokenRow(built)
  await built.put(built.emulator.control.mintToken('creator', { kind: 'short' }))
  t.equal((await tokenRow(built)).generation, Number(before.generation) + 1)
})

test('an import beside a login, and two at once, make one customer with one living token', async (t) => {
  const built = await build(t)
  const { control } = built.emulator
  const [login, ...imports] = await Promise.all([
    logIn(built), built.put(control.mintToken('creator', { kind: 'short' })), built.put(control.mintToken('creator', { kind: 'short' }))
  ])
  for (const { status, body } of imports) t.match({ status, id: body.id }, { status: 200, id: Object(login.body.customer).id })
  t.match(await built.parts.database.all('select login_count from customers'), [{ login_count: 1 }])
  t.match(await built.parts.database.all('select login_count from identities'), [{ login_count: 1 }])
  t.match(await tokenRow(built), { expires_at_ms: built.clock.nowMs + LONG_LIFE_MS, revoked_at_ms: null })
})

test('T-47: a body with anything but one token is refused by name, and 1 MB with 413', async (t) => {
  const built = await build(t)
  const bad: Array<[body: object | string, answer: object]> = [
    [{}, { status: 400, body: { member: 'access_token' } }],
    [{ access_token: 'IGAA', shop_id: 'x' }, { status: 400, body: { member: 'shop_id' } }],
    [{ access_token: 'IGAA', customer_id: 'x' }, { status: 400, body: { member: 'customer_id' } }],
    [{ access_token: 7 }, { status: 400, body: { member: 'access_token' } }],
    [{ access_token: '' }, { status: 400, body: { member: 'access_token' } }],
    [{ access_token: 'IGAA two' }, { status: 400, body: { member: 'access_token' } }],
    [{ access_token: 'IGAA\u0000' }, { status: 400, body: { member: 'access_token' } }],
    [{ access_token: 'x'.repeat(4097) }, { status: 400, body: { member: 'access_token' } }],
    [{ access_token: 'x'.repeat(1_000_000) }, { status: 413, body: { code: 'too_large' } }]
  ]
  for (const [body, answer] of bad) t.match(await built.put(null, { body }), answer, JSON.stringify(body).slice(0, 60))
  t.equal(built.emulator.control.calls().length, 0)
})

test('a shop that is removed while the provider is asked gets 404 and leaves nothing', async (t) => {
  const built = await build(t)
  built.emulator.control.fault('me', { name: 'slow', ms: 300 }, 1)
  const answer = built.put(built.emulator.control.mintToken('creator', { kind: 'short' }))
  while (built.emulator.control.count('me') === 0) await new Promise(setImmediate)
  await built.parts.database.run('delete from shops where id = $1', [built.shop.id])
  t.match(await answer, { status: 404 })
  t.equal((await built.parts.database.all('select id from customers')).length, 0)
})
