import { test, type Test } from 'tap'
import { findPause, listUnplanned, savePause, savePlans } from '../../src/store/plans.ts'
import {
  confirmToken, giveBack, goBack, type NextWork, replaceToken, reschedule, revokeTaken, takeDue, takeToken, type TakenToken
} from '../../src/store/renewals.ts'
import { countExpiring, countTokens } from '../../src/store/token-forecast.ts'
import { buildParts, DAY_MS, seedLogin, seedMany, seedShop, START_MS } from '../support/rest.ts'

const LEASE_MS = 35_000
const NEXT: NextWork = { work: 'refresh', dueAtMs: START_MS + 30 * DAY_MS, failures: 0, unsureAtMs: null }

async function open (t: Test, tokens = 1) {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await seedMany(parts, shopId, tokens)
  parts.clock.nowMs = START_MS
  await parts.database.run("update tokens set work = 'refresh', due_at_ms = $1 where work = 'plan'", [START_MS])
  const take = (nowMs = START_MS, limit = 10) => takeDue(parts.database, { work: 'refresh', provider: 'instagram', nowMs, leaseUntilMs: nowMs + LEASE_MS, limit })
  const read = () => parts.database.get('select * from tokens')
  return { ...parts, shopId, take, read }
}

function first (taken: readonly TakenToken[]): TakenToken {
  const [token] = taken
  if (token === undefined) throw new Error('nothing was taken')
  return token
}

const newToken = (sealed: string) => ({ sealed, nowMs: START_MS, expiresAtMs: START_MS + 60 * DAY_MS })

test('a taken token is nobody else’s until its lease ends, and is due again then, as one that may have been called', async (t) => {
  const { take } = await open(t)
  const mine = first(await take())
  t.match(mine, { unsureAtMs: null, generation: 1, failures: 0 })
  t.same(await take(START_MS + LEASE_MS - 1), [])
  t.match(first(await take(START_MS + LEASE_MS)), { generation: 2, unsureAtMs: START_MS + LEASE_MS })
})

test('what fell due first is taken first, and no more than asked for', async (t) => {
  const { take, database } = await open(t, 5)
  await database.run('update tokens set due_at_ms = $1 - obtained_at_ms / 1000 where 1 = 1', [START_MS])
  const due = await database.all('select identity_id from tokens order by due_at_ms')
  t.same(new Set((await take(START_MS, 2)).map(({ identityId }) => identityId)), new Set(due.slice(0, 2).map((row) => row['identity_id'])))
  t.equal((await take()).length, 3)
})

test('due tokens are found by the index', async (t) => {
  const { database } = await open(t)
  const plan = await database.all('explain query plan select identity_id from tokens where work = $1 and provider = $2 and due_at_ms <= $3 order by due_at_ms limit $4', ['refresh', 'instagram', 1, 1])
  t.match(String(plan[0]?.['detail']), 'USING INDEX tokens_by_work')
  t.equal(plan.length, 1, 'and need no sorting')
})

test('T-64: a worker that lost its lease writes nothing', async (t) => {
  const { take, read, database } = await open(t)
  const late = first(await take())
  const holder = first(await take(START_MS + LEASE_MS))
  const before = await read()
  t.notOk(await replaceToken(database, late, newToken('late'), { next: NEXT, keepsPrevious: false }))
  t.notOk(await replaceToken(database, late, newToken('late'), { next: NEXT, keepsPrevious: true }))
  t.notOk(await revokeTaken(database, late, { nowMs: START_MS, reason: 'invalid' }))
  t.notOk(await reschedule(database, late, NEXT))
  t.notOk(await confirmToken(database, late, NEXT))
  await giveBack(database, [late], 'refresh', START_MS)
  t.strictSame(await read(), before)
  t.ok(await replaceToken(database, holder, newToken('newer'), { next: NEXT, keepsPrevious: false }))
  t.match(await read(), { access_token: 'newer', work: 'refresh', lease_until_ms: null, unsure_at_ms: null })
})

test('T-64: what a login stored meanwhile stays, and so does what somebody revoked', async (t) => {
  const { take, read, database, clock, shopId, ...parts } = await open(t)
  const late = first(await take())
  clock.nowMs = START_MS + 1000
  await seedLogin({ ...parts, database }, shopId, { providerUserId: late.providerUserId })
  const before = await read()
  t.notOk(await replaceToken(database, late, newToken('late'), { next: NEXT, keepsPrevious: false }))
  t.strictSame(await read(), before)
  await database.run("update tokens set work = 'refresh', provider = 'instagram', due_at_ms = 0 where work = 'plan'")
  const taken = first(await take(START_MS + 2000))
  await database.run('update tokens set revoked_at_ms = 5 where lease_until_ms is not null')
  t.notOk(await replaceToken(database, taken, newToken('late'), { next: NEXT, keepsPrevious: false }), 'even by a writer that raised no generation')
})

test('T-64: of a timer and a manual call only one has the token', async (t) => {
  const { take, database } = await open(t)
  const times = { nowMs: START_MS, leaseUntilMs: START_MS + LEASE_MS }
  const { identityId } = first(await take())
  t.equal(await takeToken(database, identityId, times), undefined)
  t.match(await takeToken(database, identityId, { nowMs: START_MS + LEASE_MS, leaseUntilMs: START_MS + 2 * LEASE_MS }), { generation: 2 })
  t.equal(await takeToken(database, 'idn_none', times), undefined)
})

test('T-64: a worker that brings a token back finds no row where the person was erased, and makes none', async (t) => {
  const { take, read, database } = await open(t)
  const late = first(await take())
  await database.run('delete from customers where id = $1', [late.customerId])
  t.notOk(await replaceToken(database, late, newToken('late'), { next: NEXT, keepsPrevious: false }))
  t.equal(await read(), undefined)
})

test('the token before a refresh is kept beside the new one, and comes back with its times', async (t) => {
  const { take, read, database } = await open(t)
  const taken = first(await take())
  const before = await read()
  t.ok(await replaceToken(database, taken, newToken('new'), { next: { ...NEXT, work: 'prove' }, keepsPrevious: true }))
  t.match(await read(), { access_token: 'new', previous_token: taken.sealed, work: 'prove' })
  t.ok(await goBack(database, { ...taken, obtainedAtMs: START_MS }, NEXT))
  t.match(await read(), {
    access_token: taken.sealed, obtained_at_ms: before?.['obtained_at_ms'], expires_at_ms: before?.['expires_at_ms'], previous_token: null, previous_expires_at_ms: null
  })
  t.notOk(await goBack(database, taken, NEXT), 'there is nothing further back')
})

test('a revocation is seen by who asks for changed customers', async (t) => {
  const { take, read, database } = await open(t)
  const taken = first(await take())
  const before = await database.get('select updated_at_ms from customers')
  t.ok(await revokeTaken(database, taken, { nowMs: START_MS, reason: 'app_removed' }))
  t.match(await read(), { revoked_at_ms: START_MS, revoked_reason: 'app_removed', work: null, due_at_ms: null, lease_until_ms: null })
  t.ok(Number((await database.get('select updated_at_ms from customers'))?.['updated_at_ms']) > Number(before?.['updated_at_ms']))
})

test('what is given back is due at once', async (t) => {
  const { take, database } = await open(t, 3)
  await giveBack(database, await take(), 'refresh', START_MS)
  t.same((await take()).map(({ unsureAtMs }) => unsureAtMs), [null, null, null])
})

test('a plan is saved once, and not for a token that was replaced meanwhile', async (t) => {
  const { database, read } = await open(t)
  await database.run("update tokens set work = 'plan', due_at_ms = 0 where work = 'refresh'")
  const [token] = await listUnplanned(database, { nowMs: START_MS, limit: 10 })
  if (token === undefined) throw new Error('nothing to plan')
  await savePlans(database, [[{ ...token, generation: 9 }, { work: 'exchange', dueAtMs: 1 }]])
  t.match(await read(), { work: 'plan' })
  await savePlans(database, [[token, { work: 'refresh', dueAtMs: 5 }]])
  await savePlans(database, [[token, { work: 'exchange', dueAtMs: 6 }]])
  t.match(await read(), { work: 'refresh', due_at_ms: 5, provider: 'instagram' })
})

test('a pause is kept for all processes, and a shorter one does not shorten it', async (t) => {
  const { database } = await open(t)
  t.equal(await findPause(database, 'instagram', '1'), 0)
  await savePause(database, 'instagram', '1', 500)
  await savePause(database, 'instagram', '1', 400)
  t.equal(await findPause(database, 'instagram', '1'), 500)
  t.equal(await findPause(database, 'instagram', '2'), 0)
})

test('a forecast counts each token once by status, and what expires by span', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const days = [null, -1, 0, 0.5, 1, 6, 7, 8, 30, 31]
  for (const [i, each] of days.entries()) {
    await seedLogin(parts, shopId, { providerUserId: String(i), tokenExpiresAtMs: each === null ? null : START_MS + each * DAY_MS })
  }
  await seedLogin(parts, shopId, { providerUserId: '99', tokenExpiresAtMs: START_MS + DAY_MS })
  await parts.database.run("update tokens set revoked_at_ms = 1 where identity_id = (select id from identities where provider_user_id = '99')")
  t.strictSame(await countTokens(parts.database, START_MS), { active: 4, expiring: 4, expired: 2, revoked: 1 })
  const within = (span: number) => countExpiring(parts.database, { fromMs: START_MS, untilMs: START_MS + span * DAY_MS })
  t.same([await within(1), await within(7), await within(30)], [2, 4, 6])
})
