import fc from 'fast-check'
import { test } from 'tap'
import { OUTAGE_BACKOFF, REFUSAL_BACKOFF, refreshDueAtMs, retryDelayMs, waitWithinLifeMs } from '../../src/flows/token-schedule.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
const NOW_MS = Date.UTC(2026, 10, 1)
const life = { obtainedAtMs: NOW_MS, expiresAtMs: NOW_MS + 60 * DAY_MS }
const plan = { refreshableAfterMs: DAY_MS, nowMs: NOW_MS, random: Math.random }

function busiestMinute (dueAtMs: readonly number[]): number {
  const minutes = new Map<number, number>()
  for (const each of dueAtMs) minutes.set(Math.floor(each / 60_000), (minutes.get(Math.floor(each / 60_000)) ?? 0) + 1)
  return Math.max(...minutes.values())
}

test('100,000 tokens of one moment fall due over weeks, a few a minute', async (t) => {
  const due = Array.from({ length: 100_000 }, () => refreshDueAtMs(life, plan) ?? 0)
  t.ok(busiestMinute(due) <= 30, `${busiestMinute(due)} in one minute`)
})

test('100,000 tokens that should have been refreshed long ago are spread over a day', async (t) => {
  const late = { obtainedAtMs: NOW_MS - 50 * DAY_MS, expiresAtMs: NOW_MS + 10 * DAY_MS }
  const due = Array.from({ length: 100_000 }, () => refreshDueAtMs(late, plan) ?? 0)
  t.ok(busiestMinute(due) <= 150, `${busiestMinute(due)} in one minute`)
  t.ok(due.every((each) => each >= NOW_MS && each <= NOW_MS + DAY_MS))
})

test('a due time is never before the provider takes the token, never past, and always before it expires', async (t) => {
  t.doesNotThrow(() => fc.assert(fc.property(
    fc.integer({ min: 0, max: 400 * DAY_MS }), fc.integer({ min: 1, max: 400 * DAY_MS }), fc.integer({ min: 0, max: 3 * DAY_MS }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (ageMs, lifeMs, refreshableAfterMs, random) => {
      const token = { obtainedAtMs: NOW_MS - ageMs, expiresAtMs: NOW_MS - ageMs + lifeMs }
      const dueAtMs = refreshDueAtMs(token, { refreshableAfterMs, nowMs: NOW_MS, random: () => random })
      const isPossible = Math.max(token.obtainedAtMs + refreshableAfterMs, NOW_MS) < token.expiresAtMs
      if (dueAtMs === null) return !isPossible
      return isPossible && dueAtMs >= NOW_MS && dueAtMs >= token.obtainedAtMs + refreshableAfterMs && dueAtMs <= token.expiresAtMs
    })))
})

test('a token whose life nobody told is refreshed once the provider takes it', async (t) => {
  const dueAtMs = refreshDueAtMs({ obtainedAtMs: NOW_MS, expiresAtMs: null }, plan) ?? 0
  t.ok(dueAtMs >= NOW_MS + DAY_MS && dueAtMs <= NOW_MS + DAY_MS + HOUR_MS)
})

test('waits grow from a minute to an hour, or from an hour to a day, half of each by chance', async (t) => {
  const cases = [[OUTAGE_BACKOFF, 0, 60_000], [OUTAGE_BACKOFF, 3, 480_000], [OUTAGE_BACKOFF, 6, HOUR_MS], [OUTAGE_BACKOFF, 5000, HOUR_MS],
    [REFUSAL_BACKOFF, 0, HOUR_MS], [REFUSAL_BACKOFF, 100, DAY_MS]] as const
  for (const [backoff, failures, fullMs] of cases) {
    t.equal(retryDelayMs(backoff, failures, () => 0), fullMs / 2)
    t.equal(retryDelayMs(backoff, failures, () => 1), fullMs)
  }
})

test('a wait leaves half of what is left of a life, until minutes are left', async (t) => {
  t.equal(waitWithinLifeMs(DAY_MS, NOW_MS + 10 * HOUR_MS, NOW_MS), 5 * HOUR_MS)
  t.equal(waitWithinLifeMs(HOUR_MS, NOW_MS + 10 * HOUR_MS, NOW_MS), HOUR_MS)
  t.equal(waitWithinLifeMs(DAY_MS, NOW_MS + 60_000, NOW_MS), DAY_MS)
  t.equal(waitWithinLifeMs(DAY_MS, null, NOW_MS), DAY_MS)
})
