import fc from 'fast-check'
import { test } from 'tap'
import { formatTime, parseTime } from '../../src/flows/times.ts'

const CASES: ReadonlyArray<[text: string, wanted: string | undefined]> = [
  ['2026-01-31T08:00:00Z', '2026-01-31T08:00:00.000Z'],
  ['2026-01-31t08:00:00z', '2026-01-31T08:00:00.000Z'],
  ['2026-01-31T08:00:00.5Z', '2026-01-31T08:00:00.500Z'],
  ['2026-01-31T08:00:00.123999Z', '2026-01-31T08:00:00.123Z'],
  ['2026-01-31T08:00:00+02:00', '2026-01-31T06:00:00.000Z'],
  ['2026-01-31T23:30:00-05:30', '2026-02-01T05:00:00.000Z'],
  ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ['1969-12-31T23:59:59Z', '1969-12-31T23:59:59.000Z'],
  ['2026-02-29T00:00:00Z', undefined],
  ['2026-02-31T00:00:00Z', undefined],
  ['2026-13-01T00:00:00Z', undefined],
  ['2026-00-10T00:00:00Z', undefined],
  ['2026-01-31T24:00:00Z', undefined],
  ['2026-01-31T08:60:00Z', undefined],
  ['2026-01-31T08:00:60Z', undefined],
  ['2026-01-31T08:00:00', undefined],
  ['2026-01-31 08:00:00Z', undefined],
  ['2026-01-31T08:00:00 02:00', undefined],
  ['2026-01-31T08:00:00+24:00', undefined],
  ['2026-01-31T08:00Z', undefined],
  ['2026-01-31', undefined],
  ['1769846400', undefined],
  ['+002026-01-31T08:00:00Z', undefined],
  ['2026-01-31T08:00:00Z\n', undefined],
  ['yesterday', undefined],
  ['', undefined]
]

for (const [text, wanted] of CASES) {
  test(`the time ${JSON.stringify(text)} is read as ${wanted ?? 'none'}`, async (t) => {
    const timeMs = parseTime(text)
    t.equal(timeMs === undefined ? undefined : formatTime(timeMs), wanted)
  })
}

test('a time is written as Date writes it, whatever the day', async (t) => {
  fc.assert(fc.property(fc.integer({ min: -8.64e15, max: 8.64e15 }), (timeMs) => formatTime(timeMs) === new Date(timeMs).toISOString()))
  fc.assert(fc.property(fc.integer({ min: 0, max: 4e12 }), (timeMs) => formatTime(timeMs) === new Date(timeMs).toISOString()))
  t.pass()
})
