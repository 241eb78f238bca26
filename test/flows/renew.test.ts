import { test } from 'tap'
import type { Fault } from '../../src/emulator/faults.ts'
import { createUpkeep, runUpkeep } from '../../src/flows/renew.ts'
import { sealToken, unsealToken } from '../../src/flows/sealed-tokens.ts'
import type { Provider } from '../../src/providers/provider.ts'
import type { Row } from '../../src/store/database.ts'
import { saveLogin } from '../../src/store/logins.ts'
import { build, type Built } from '../support/build.ts'
import { logIn } from '../support/journey.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const LIFE_MS = 5_183_944_000
const silent = { warn: () => {}, error: () => {} }

async function tokenRow (built: Built): Promise<Row & { dueAtMs: number }> {
  const row = await built.parts.database.get(`select identity_id, access_token, previous_token, obtained_at_ms, expires_at_ms, revoked_at_ms,
    revoked_reason, work, due_at_ms, failures, unsure_at_ms, lease_until_ms from tokens`)
  return { ...row, dueAtMs: Number(row?.['due_at_ms']) }
}

/** Signs a person in and moves on to when the token falls due. */
async function reachDue (built: Built): Promise<void> {
  t200(await logIn(built))
  await runUpkeep(built.parts, silent)
  built.clock.nowMs = (await tokenRow(built)).dueAtMs
  built.emulator.control.resetCalls()
}

function t200 ({ status }: { status: number }): void {
  if (status !== 200) throw new Error(`the login answered ${status}`)
}

async function runFor (built: Built, ms: number, stepMs = 20_000): Promise<void> {
  const upkeep = createUpkeep(built.parts, silent)
  for (const endMs = built.clock.nowMs + ms; built.clock.nowMs < endMs; built.clock.advance(stepMs)) await upkeep.run()
}

/** Stores many tokens that fall due now, as logins of other people would have. */
async function seedDue (built: Built, count: number): Promise<void> {
  const { database, vault } = built.parts
  const nowMs = built.clock.nowMs
  await Promise.all(Array.from({ length: count }, (_, i) => {
    const person = { id: `p${i}`, username: `p${i}`, appScopedId: String(9_000_000 + i), userId: String(17_841_000_000 + i) }
    built.emulator.control.savePersona(person)
    const owner = { shopId: built.shop.id, provider: 'instagram', providerAppId: built.emulator.apps.instagram.clientId, providerUserId: person.appScopedId }
    return saveLogin(database, {
      ...owner,
      newCustomerId: `cus_${i}`,
      newIdentityId: `idn_${i}`,
      nowMs: nowMs - 40 * DAY_MS,
      providerAccountId: null,
      username: null,
      usernameKey: null,
      name: null,
      nameKey: null,
      pictureURL: null,
      accountType: null,
      scopes: [],
      sealedToken: sealToken(vault, owner, built.emulator.control.mintToken(person.id, { kind: 'long', ageMs: 40 * DAY_MS })),
      tokenExpiresAtMs: nowMs + 20 * DAY_MS,
      exchangeDueAtMs: null,
      sourcePage: null,
      sourceCampaign: null
    })
  }))
  await database.run("update tokens set work = 'refresh', provider = 'instagram', due_at_ms = $1 where identity_id like 'idn_%' and work = 'plan'", [nowMs])
}

test('a long-lived token is refreshed between half and four fifths of its life, and lives on', async (t) => {
  const built = await build(t)
  const startMs = built.clock.nowMs
  await reachDue(built)
  t.ok(built.clock.nowMs >= startMs + LIFE_MS * 0.5 && built.clock.nowMs <= startMs + LIFE_MS * 0.8)
  built.clock.advance(-1)
  await runUpkeep(built.parts, silent)
  t.equal(built.emulator.control.count('refresh'), 0, 'not a millisecond sooner')
  built.clock.advance(1)
  await runUpkeep(built.parts, silent)
  t.equal(built.emulator.control.count('refresh'), 1)
  const row = await tokenRow(built)
  t.match(row, { obtained_at_ms: built.clock.nowMs, expires_at_ms: built.clock.nowMs + LIFE_MS, work: 'refresh', previous_token: null, lease_until_ms: null })
  t.ok(row.dueAtMs >= built.clock.nowMs + LIFE_MS * 0.5)
})

test('a token that nobody refreshes in a year of rounds would die; with rounds it lives', async (t) => {
  const built = await build(t)
  await logIn(built)
  await runFor(built, 365 * DAY_MS, DAY_MS)
  const row = await tokenRow(built)
  t.equal(row['revoked_at_ms'], null)
  t.ok(Number(row['expires_at_ms']) > built.clock.nowMs)
  t.ok(built.emulator.control.count('refresh') >= 7 && built.emulator.control.count('refresh') <= 13)
})

test('where a refresh returns another text, that is tried before the old one is dropped', async (t) => {
  const built = await build(t)
  built.emulator.control.set({ refreshReturns: 'new' })
  await reachDue(built)
  const old = await tokenRow(built)
  built.emulator.control.fault('me', 'html500', 1)
  await runUpkeep(built.parts, silent)
  const between = await tokenRow(built)
  t.match(between, { work: 'prove', obtained_at_ms: built.clock.nowMs })
  t.equal(between['previous_token'], old['access_token'])
  built.clock.advance(120_000)
  await runUpkeep(built.parts, silent)
  t.match(await tokenRow(built), { work: 'refresh', previous_token: null, access_token: between['access_token'] })
  t.equal(built.emulator.control.count('refresh'), 1)
})

test('a new text that does not work gives way to the old one, which is not taken for revoked', async (t) => {
  const built = await build(t)
  built.emulator.control.set({ refreshReturns: 'new' })
  await reachDue(built)
  const old = await tokenRow(built)
  built.emulator.control.fault('me', { name: 'graph_error', code: 190, status: 400 }, 1)
  await runUpkeep(built.parts, silent)
  t.match(await tokenRow(built), {
    access_token: old['access_token'],
    obtained_at_ms: old['obtained_at_ms'],
    expires_at_ms: old['expires_at_ms'],
    previous_token: null,
    revoked_at_ms: null,
    work: 'refresh'
  })
})

test('T-38: a new text that belongs to another person is not kept', async (t) => {
  const built = await build(t)
  await reachDue(built)
  const old = await tokenRow(built)
  const real = readProvider(built)
  const foreign = built.emulator.control.mintToken('personal', { kind: 'long', ageMs: 2 * DAY_MS })
  built.emulator.control.savePersona({ id: 'personal', accountType: 'BUSINESS' })
  await runUpkeep({ ...built.parts, providers: new Map([['instagram', { ...real, refresh: async (token) => ({ ...token, accessToken: foreign }) }]]) }, silent)
  t.match(await tokenRow(built), { access_token: old['access_token'], revoked_at_ms: null })
})

function readProvider (built: Built): Provider {
  const provider = built.parts.providers.get('instagram')
  if (provider === undefined) throw new Error('no provider')
  return provider
}

test('190 with each subcode, and a missing permission, mean revoked with the reason; a login heals it', async (t) => {
  const cases: ReadonlyArray<[Fault, string]> = [
    [{ name: 'graph_error', code: 190, subcode: 458 }, 'app_removed'],
    [{ name: 'graph_error', code: 190, subcode: 459 }, 'checkpoint'],
    [{ name: 'graph_error', code: 190, subcode: 460 }, 'password_changed'],
    [{ name: 'graph_error', code: 190, subcode: 463 }, 'expired'],
    [{ name: 'graph_error', code: 190, subcode: 464 }, 'unconfirmed'],
    [{ name: 'graph_error', code: 190, subcode: 467 }, 'logged_out'],
    [{ name: 'graph_error', code: 190, subcode: 999 }, 'invalid'],
    [{ name: 'graph_error', code: 190 }, 'invalid'],
    [{ name: 'graph_error', code: 102 }, 'invalid'],
    [{ name: 'graph_error', code: 100, message: 'Unsupported request - method type: get' }, 'invalid'],
    ['permission', 'permission_missing'],
    [{ name: 'graph_error', code: 230, status: 403 }, 'permission_missing']
  ]
  for (const [fault, reason] of cases) {
    const built = await build(t)
    await reachDue(built)
    built.emulator.control.fault('refresh', fault, 1)
    await runUpkeep(built.parts, silent)
    t.match(await tokenRow(built), { revoked_at_ms: built.clock.nowMs, revoked_reason: reason, work: null, lease_until_ms: null }, reason)
    await runFor(built, DAY_MS, HOUR_MS)
    t.equal(built.emulator.control.count('refresh'), 1, 'not asked again')
    t200(await logIn(built))
    t.match(await tokenRow(built), { revoked_at_ms: null, revoked_reason: null, work: 'plan' })
  }
})

test('outages, nonsense and unknown refusals are no revocation: the token is refreshed once they are over', async (t) => {
  const faults: Fault[] = [
    'html500', 'html200', 'empty', 'truncated', 'reset', 'lost', 'redirect',
    { name: 'graph_error', code: 1, status: 500 }, { name: 'graph_error', code: 2, status: 503 },
    { name: 'graph_error', code: 9999, status: 400 }, { name: 'graph_error', code: 100, status: 400, message: 'Invalid parameter' },
    { name: 'graph_error', code: 3 }, { name: 'graph_error', code: 368 }, { name: 'rate_limit', status: 403, minutes: 5 }
  ]
  for (const fault of faults) {
    const built = await build(t)
    await reachDue(built)
    const startMs = built.clock.nowMs
    built.emulator.control.fault('refresh', fault, 2)
    await runFor(built, 27 * HOUR_MS, 600_000)
    const row = await tokenRow(built)
    t.match(row, { revoked_at_ms: null, failures: 0, unsure_at_ms: null }, JSON.stringify(fault))
    t.ok(Number(row['obtained_at_ms']) >= startMs, JSON.stringify(fault))
  }
})

test('an expired token is left alone', async (t) => {
  const built = await build(t)
  await reachDue(built)
  built.clock.nowMs = Number((await tokenRow(built))['expires_at_ms'])
  await runUpkeep(built.parts, silent)
  t.equal(built.emulator.control.count('refresh'), 0)
  t.match(await tokenRow(built), { work: null, revoked_at_ms: null })
})

test('a reply lost shortly before the expiry that we know of does not cost the token', async (t) => {
  const built = await build(t)
  await reachDue(built)
  built.clock.nowMs = Number((await tokenRow(built))['expires_at_ms']) - HOUR_MS
  built.emulator.control.fault('refresh', 'lost', 1)
  await runFor(built, 27 * HOUR_MS, 600_000)
  const row = await tokenRow(built)
  t.equal(row['revoked_at_ms'], null)
  t.ok(Number(row['expires_at_ms']) > built.clock.nowMs + 50 * DAY_MS)
})

test('one token that fails does not stop the others of its round', async (t) => {
  const built = await build(t)
  await seedDue(built, 30)
  await built.parts.database.run("update tokens set access_token = '1.test.AAAA' where identity_id = 'idn_7'")
  built.emulator.control.revoke('p8', 460)
  await runUpkeep(built.parts, silent)
  const rows = await built.parts.database.all('select identity_id, revoked_reason, failures, obtained_at_ms from tokens')
  t.equal(rows.filter((row) => row['obtained_at_ms'] === built.clock.nowMs).length, 28)
  t.match(rows.find((row) => row['identity_id'] === 'idn_7'), { revoked_reason: null, failures: 1 })
  t.match(rows.find((row) => row['identity_id'] === 'idn_8'), { revoked_reason: 'password_changed' })
})

test('at a provider that fails half of its calls all tokens are fresh in the end, and none is taken for revoked', async (t) => {
  const built = await build(t)
  await seedDue(built, 200)
  const real = readProvider(built)
  const faults: Fault[] = ['html500', 'reset', 'lost', 'truncated', 'html200', { name: 'graph_error', code: 2, status: 500 }]
  let calls = 0
  const refresh: Provider['refresh'] = (token, signal) => {
    calls += 1
    if (calls % 2 === 0) built.emulator.control.fault('refresh', faults[(calls / 2) % faults.length] ?? 'reset', 1)
    return real.refresh?.(token, signal) ?? Promise.reject(new Error('no refresh'))
  }
  const upkeep = createUpkeep({ ...built.parts, providers: new Map([['instagram', { ...real, refresh }]]) }, silent)
  const startMs = built.clock.nowMs
  for (let i = 0; i < 60; i++) {
    await upkeep.run()
    built.clock.advance(HOUR_MS)
  }
  t.match(await built.parts.database.get(`select count(*) as total, count(revoked_at_ms) as revoked,
    sum(case when obtained_at_ms >= $1 then 1 else 0 end) as fresh from tokens`, [startMs]), { total: 200, revoked: 0, fresh: 200 })
})

test('above 80 percent of the limit refreshes wait, and an exchange that a login waits for does not', async (t) => {
  const built = await build(t)
  await seedDue(built, 100)
  built.emulator.control.set({ usageFrom: 1, usagePercent: 85 })
  await runUpkeep(built.parts, silent)
  t.ok(built.emulator.control.count('refresh') <= 16, 'only what was under way')
  const upkeep = createUpkeep(built.parts, silent)
  await upkeep.run()
  const shed = built.emulator.control.count('refresh')
  built.emulator.control.fault('exchange', 'html500', 1)
  await logIn(built)
  await upkeep.run()
  t.equal(built.emulator.control.count('refresh'), shed)
  t.match(await built.parts.database.get('select count(exchange_due_at_ms) as waiting from tokens'), { waiting: 0 })
  built.emulator.control.set({ usageFrom: null, usagePercent: 28 })
  built.clock.advance(HOUR_MS)
  for (let i = 0; i < 5; i++) await upkeep.run()
  t.equal(built.emulator.control.count('refresh'), 100)
})

test('a limit stops all calls for as long as the provider says, in every process, and longer calls do not lengthen the block', async (t) => {
  const built = await build(t)
  await seedDue(built, 100)
  built.emulator.control.set({ usagePercent: 100, usageFrom: null })
  await runUpkeep(built.parts, silent)
  const refused = built.emulator.control.count('refresh')
  t.ok(refused <= 16)
  for (let i = 0; i < 18; i++) {
    built.clock.advance(60_000)
    await runUpkeep(built.parts, silent)
  }
  t.equal(built.emulator.control.count('refresh'), refused, 'a process that just started keeps the pause too')
  built.emulator.control.set({ usagePercent: 28 })
  built.clock.advance(5 * 60_000)
  await runFor(built, 600_000)
  t.equal(built.emulator.control.count('refresh'), refused + 100)
  t.match(await built.parts.database.get('select count(revoked_at_ms) as revoked from tokens'), { revoked: 0 })
})

test('in an outage refreshes back off as one, and begin with a single call', async (t) => {
  const built = await build(t)
  await seedDue(built, 300)
  built.emulator.control.fault('refresh', 'html500')
  await runFor(built, 10 * 60_000)
  t.ok(built.emulator.control.count('refresh') < 60, `${built.emulator.control.count('refresh')} calls into an outage of ten minutes`)
})

test('T-40: a token of another app than the configured one is sent nowhere', async (t) => {
  const built = await build(t)
  await reachDue(built)
  const real = readProvider(built)
  await runUpkeep({ ...built.parts, providers: new Map([['instagram', { ...real, appId: '999' }]]) }, silent)
  t.equal(built.emulator.control.count('refresh'), 0)
  t.match(await tokenRow(built), { work: 'refresh', revoked_at_ms: null })
})

test('what is taken while stopping is given back, and what is under way is finished', async (t) => {
  const built = await build(t)
  await seedDue(built, 100)
  built.emulator.control.fault('refresh', { name: 'slow', ms: 30 })
  const upkeep = createUpkeep(built.parts, silent)
  const round = upkeep.run()
  while (built.emulator.control.count('refresh') < 5) await new Promise((resolve) => setImmediate(resolve))
  await Promise.all([upkeep.stop(), round])
  const calls = built.emulator.control.count('refresh')
  t.ok(calls < 100)
  t.match(await built.parts.database.get(`select count(lease_until_ms) as leased, sum(case when obtained_at_ms = $1 then 1 else 0 end) as fresh,
    sum(case when work = 'refresh' and due_at_ms <= $1 then 1 else 0 end) as due from tokens`, [built.clock.nowMs]), { leased: 0, fresh: calls, due: 100 - calls })
})

test('T-64: a person erased during a refresh stays erased', async (t) => {
  const built = await build(t)
  await reachDue(built)
  built.emulator.control.fault('refresh', { name: 'slow', ms: 50 }, 1)
  const round = runUpkeep(built.parts, silent)
  while (built.emulator.control.count('refresh') === 0) await new Promise((resolve) => setImmediate(resolve))
  await built.parts.database.run('delete from customers where shop_id = $1', [built.shop.id])
  await round
  t.equal((await built.parts.database.all('select 1 from tokens')).length, 0)
})

test('T-64: a login during a refresh keeps its token', async (t) => {
  const built = await build(t)
  await reachDue(built)
  built.emulator.control.set({ refreshReturns: 'new' })
  built.emulator.control.fault('refresh', { name: 'slow', ms: 300 }, 1)
  const round = runUpkeep(built.parts, silent)
  while (built.emulator.control.count('refresh') === 0) await new Promise((resolve) => setImmediate(resolve))
  t200(await logIn(built))
  const newer = await tokenRow(built)
  await round
  t.match(await tokenRow(built), { access_token: newer['access_token'], previous_token: null, work: 'plan' })
})

test('a token is sealed for its owner after a refresh, and opens', async (t) => {
  const built = await build(t)
  built.emulator.control.set({ refreshReturns: 'new' })
  await reachDue(built)
  await runUpkeep(built.parts, silent)
  const row = await built.parts.database.get('select i.provider_user_id, i.provider_app_id, t.access_token from tokens t join identities i on i.id = t.identity_id')
  const owner = { shopId: built.shop.id, provider: 'instagram', providerAppId: String(row?.['provider_app_id']), providerUserId: String(row?.['provider_user_id']) }
  t.match(unsealToken(built.parts.vault, owner, String(row?.['access_token'])), /^IGAA/)
})
