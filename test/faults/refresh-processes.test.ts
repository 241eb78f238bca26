import { once } from 'node:events'
import { test } from 'tap'
import { buildFleet, DAY_MS, until } from '../support/renewals.ts'

const TOKENS = 2000
const HOUR_MS = 3_600_000
// Short, so that the work of the dead is taken over while the test watches.
const SHORT = { leaseMs: 1500, callMarginMs: 500 }

for (const [workers, refreshReturns] of [[2, 'same'], [4, 'new']] as const) {
  test(`T-64: ${workers} processes refresh ${TOKENS} due tokens once each, where a refresh returns the ${refreshReturns} token`, { timeout: 60_000 }, async (t) => {
    const fleet = await buildFleet(t, { tokens: TOKENS, refreshReturns })
    const before = await fleet.openAll()
    const running = await Promise.all(Array.from({ length: workers }, () => fleet.start()))
    await until(async () => await fleet.countFresh() === TOKENS && await fleet.countDue(HOUR_MS) === 0)
    t.equal(fleet.emulator.control.count('refresh'), TOKENS, 'not one call too many')
    t.equal(fleet.countGranted(), TOKENS)
    const after = await fleet.openAll()
    t.equal(after.size, TOKENS)
    t.equal(new Set(after.values()).size, TOKENS)
    t.equal(Array.from(after).filter(([userId, token]) => before.get(userId) === token).length, refreshReturns === 'same' ? TOKENS : 0)
    for (const { child, errors } of running) {
      child.kill('SIGTERM')
      t.same(await once(child, 'close'), [0, null])
      t.equal(errors(), '')
    }
  })
}

test('T-64: kill -9 loses no token and refreshes none twice; what was under way is settled a day later', { timeout: 60_000 }, async (t) => {
  const fleet = await buildFleet(t, { tokens: TOKENS, refreshReturns: 'same' })
  fleet.emulator.control.fault('refresh', { name: 'slow', ms: 15 })
  const start = () => fleet.start({ limits: SHORT })
  const running = await Promise.all([start(), start(), start(), start()])
  for (const granted of [300, 700, 1100, 1500]) {
    await until(() => fleet.countGranted() >= granted)
    running.shift()?.child.kill('SIGKILL')
    running.push(await start())
  }
  await until(async () => await fleet.countDue(HOUR_MS) === 0)
  t.equal(fleet.countGranted(), TOKENS, 'each was granted once')
  const fresh = await fleet.countFresh()
  t.comment(`${TOKENS - fresh} replies never reached the database`)
  for (const { child } of running) child.kill('SIGKILL')

  fleet.emulator.control.advance(2 * DAY_MS)
  await fleet.start({ aheadMs: 2 * DAY_MS })
  await until(async () => await fleet.countFresh() === TOKENS)
  t.equal(fleet.countGranted(), TOKENS + (TOKENS - fresh), 'a day later those are refreshed, and no other')
})

test('T-64: a worker frozen past its lease overwrites nothing, and nothing is refreshed twice', { timeout: 60_000 }, async (t) => {
  const fleet = await buildFleet(t, { tokens: TOKENS, refreshReturns: 'same' })
  fleet.emulator.control.fault('refresh', { name: 'slow', ms: 15 })
  const [frozen, other] = [await fleet.start({ limits: SHORT }), await fleet.start({ limits: SHORT })]
  await until(() => fleet.countGranted() >= 400)
  frozen.child.kill('SIGSTOP')
  await until(async () => await fleet.countDue(HOUR_MS) === 0)
  const read = () => fleet.database.all('select identity_id, access_token, obtained_at_ms, generation, due_at_ms from tokens order by identity_id')
  const before = await read()
  frozen.child.kill('SIGCONT')
  frozen.child.kill('SIGTERM')
  await once(frozen.child, 'close')
  t.strictSame(await read(), before, 'what it brought back too late was not written')
  t.equal(fleet.countGranted(), TOKENS)
  other.child.kill('SIGTERM')
  t.same(await once(other.child, 'close'), [0, null])
})

test('SIGTERM in the middle of a round ends it within a moment, and every lease is given back', { timeout: 60_000 }, async (t) => {
  const fleet = await buildFleet(t, { tokens: 300, refreshReturns: 'same' })
  fleet.emulator.control.fault('refresh', { name: 'slow', ms: 50 })
  const { child } = await fleet.start()
  await until(() => fleet.countGranted() >= 50)
  child.kill('SIGTERM')
  t.same(await once(child, 'close'), [0, null])
  const [{ total } = {}] = await fleet.database.all('select count(*) as total from tokens where lease_until_ms is not null')
  t.equal(total, 0)
  t.equal(await fleet.countFresh(), fleet.countGranted(), 'no answer was thrown away')
  t.ok(fleet.countGranted() < 300)
})
