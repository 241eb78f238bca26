import type { Notes } from './finding.ts'

const NOTICEABLE_MS = 10_000
const HARMFUL_MS = 60_000

/** Compares our clock with another one. */
export function examineClock (notes: Notes, aheadMs: number | null, whose: string): void {
  if (aheadMs === null) return
  const seconds = Math.round(Math.abs(aheadMs) / 1000)
  const what = `This machine's clock is ${seconds} seconds ${aheadMs > 0 ? 'behind' : 'ahead of'} ${whose}.`
  const cure = 'Set the clock, and keep it right with NTP (timedatectl set-ntp true): shops refuse id_tokens of another time, and tokens expire early or late.'
  if (Math.abs(aheadMs) >= HARMFUL_MS) notes.fail('clock_skew', what, cure)
  else if (Math.abs(aheadMs) >= NOTICEABLE_MS) notes.warn('clock_skew', what, cure)
  else notes.ok('clock_skew', `This machine's clock agrees with ${whose}.`)
}
