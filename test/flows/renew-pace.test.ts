import { test } from 'tap'
import { createPace } from '../../src/flows/provider-pace.ts'

const MINUTE_MS = 60_000
const NOW_MS = 1_000_000_000_000

function open () {
  return createPace(() => 0.5)
}

test('a refusal with a time pauses everything for that time and up to a minute more', async (t) => {
  const pace = open()
  pace.throttled(19 * MINUTE_MS, NOW_MS)
  t.equal(pace.pausedUntilMs, NOW_MS + 19.5 * MINUTE_MS)
  for (const work of ['exchange', 'prove', 'refresh'] as const) {
    t.equal(pace.roomFor(work, NOW_MS + 19 * MINUTE_MS), 'none')
    t.equal(pace.roomFor(work, NOW_MS + 19.5 * MINUTE_MS), 'one')
  }
  pace.answered(undefined, NOW_MS + 20 * MINUTE_MS)
  t.equal(pace.roomFor('refresh', NOW_MS + 20 * MINUTE_MS), 'all')
})

test('refusals without a time pause for longer each, up to an hour', async (t) => {
  const pace = open()
  let nowMs = NOW_MS
  const waits: number[] = []
  for (let i = 0; i < 9; i++) {
    pace.throttled(null, nowMs)
    waits.push((pace.pausedUntilMs - nowMs) / MINUTE_MS)
    nowMs = pace.pausedUntilMs
  }
  t.same(waits, [1.5, 3, 6, 12, 24, 45, 45, 45, 45])
})

test('many refusals of calls that were under way count as one', async (t) => {
  const pace = open()
  for (let i = 0; i < 16; i++) pace.throttled(null, NOW_MS + i)
  t.equal(pace.pausedUntilMs, NOW_MS + 1.5 * MINUTE_MS)
})

test('above 80 percent refreshes wait, exchanges go on one at a time; at 80 nothing changes', async (t) => {
  const pace = open()
  pace.answered({ percent: 80, retryAfterMs: null }, NOW_MS)
  t.equal(pace.roomFor('refresh', NOW_MS), 'all')
  pace.answered({ percent: 81, retryAfterMs: null }, NOW_MS)
  t.equal(pace.roomFor('refresh', NOW_MS), 'none')
  t.equal(pace.roomFor('prove', NOW_MS), 'none')
  t.equal(pace.roomFor('exchange', NOW_MS), 'one')
  t.equal(pace.roomFor('refresh', NOW_MS + 2 * MINUTE_MS), 'one')
  pace.answered({ percent: 40, retryAfterMs: null }, NOW_MS + 2 * MINUTE_MS)
  t.equal(pace.roomFor('refresh', NOW_MS + 2 * MINUTE_MS), 'all')
})

test('at 100 percent everything stops, whatever the answer was', async (t) => {
  const pace = open()
  pace.answered({ percent: 100, retryAfterMs: null }, NOW_MS)
  t.equal(pace.roomFor('exchange', NOW_MS), 'none')
})

test('ten failures in a row hold refreshes back; one answer ends the outage', async (t) => {
  const pace = open()
  for (let i = 0; i < 9; i++) pace.failed(NOW_MS)
  t.equal(pace.roomFor('refresh', NOW_MS), 'all')
  pace.failed(NOW_MS)
  t.equal(pace.roomFor('refresh', NOW_MS), 'none')
  t.equal(pace.roomFor('exchange', NOW_MS), 'one')
  t.equal(pace.roomFor('refresh', NOW_MS + MINUTE_MS), 'one')
  pace.failed(NOW_MS + MINUTE_MS)
  t.equal(pace.roomFor('refresh', NOW_MS + MINUTE_MS), 'none', 'the one that looked failed as well')
  pace.answered(undefined, NOW_MS + MINUTE_MS)
  t.equal(pace.roomFor('refresh', NOW_MS + MINUTE_MS), 'all')
})

test('a pause that another process learnt of counts, and a shorter one does not shorten it', async (t) => {
  const pace = open()
  pace.pauseUntil(NOW_MS + MINUTE_MS)
  pace.pauseUntil(NOW_MS + 1)
  t.equal(pace.roomFor('exchange', NOW_MS + MINUTE_MS - 1), 'none')
})
