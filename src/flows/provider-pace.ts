import type { ProviderUsage } from '../providers/provider.ts'
import type { Work } from '../store/renewals.ts'
import { OUTAGE_BACKOFF, type Random, retryDelayMs } from './token-schedule.ts'

/** From here on what can wait is left, so that logins keep the rest (Meta refuses at 100). */
const SHED_ABOVE_PERCENT = 80
const REFUSED_AT_PERCENT = 100
/** So many failures in a row are an outage, not bad luck with one token. */
const OUTAGE_AFTER_FAILURES = 10
const PAUSE_JITTER_MS = 60_000

/** How fast one provider may be called in the background, as this process learns from its answers. */
export type Pace = {
  /** How many calls for this work may begin now: all, one to see whether the provider is back, or none. */
  roomFor: (work: Work, nowMs: number) => 'all' | 'one' | 'none'
  /** Learns from an answer. */
  answered: (usage: ProviderUsage | undefined, nowMs: number) => void
  /** Learns that the provider refuses calls. */
  throttled: (retryAfterMs: number | null, nowMs: number) => void
  /** Learns that no answer came. */
  failed: (nowMs: number) => void
  /** Until when nothing is called. */
  readonly pausedUntilMs: number
  /** Takes over a pause that another process learnt of. */
  pauseUntil: (untilMs: number) => void
}

/**
 * Keeps the pace of one provider. A refusal pauses everything for as long as the provider says and up to
 * a minute more, else for a minute, doubled up to an hour; nearly used-up limits and outages hold back
 * refreshes alone. After each the first call goes alone. Calls while throttled would lengthen the block.
 */
export function createPace (random: Random): Pace {
  const limit = { pausedUntilMs: 0, shedUntilMs: 0, strikes: 0 }
  const outage = { untilMs: 0, strikes: 0, failuresInRow: 0 }

  function pauseUntil (untilMs: number): void {
    if (untilMs <= limit.pausedUntilMs) return
    limit.pausedUntilMs = untilMs
    limit.strikes = Math.max(limit.strikes, 1)
  }

  function throttled (retryAfterMs: number | null, nowMs: number): void {
    // Many calls may have been under way: their refusals count as one.
    if (retryAfterMs === null && nowMs < limit.pausedUntilMs) return
    const waitMs = retryAfterMs === null
      ? retryDelayMs(OUTAGE_BACKOFF, limit.strikes + 1, random)
      : retryAfterMs + random() * Math.min(PAUSE_JITTER_MS, retryAfterMs)
    limit.strikes += 1
    pauseUntil(Math.round(nowMs + waitMs))
  }

  function shed (nowMs: number): void {
    if (nowMs < limit.shedUntilMs) return
    limit.shedUntilMs = nowMs + retryDelayMs(OUTAGE_BACKOFF, limit.strikes + 1, random)
    limit.strikes += 1
  }

  return {
    roomFor (work, nowMs) {
      // An outage does not hold exchanges back: whether it is over is seen by them.
      const waitsUntilMs = Math.max(limit.pausedUntilMs, work === 'exchange' ? 0 : Math.max(limit.shedUntilMs, outage.untilMs))
      if (nowMs < waitsUntilMs) return 'none'
      return limit.strikes > 0 || outage.strikes > 0 ? 'one' : 'all'
    },
    answered (usage, nowMs) {
      Object.assign(outage, { untilMs: 0, strikes: 0, failuresInRow: 0 })
      const { percent, retryAfterMs } = usage ?? { percent: 0, retryAfterMs: null }
      if (percent >= REFUSED_AT_PERCENT || retryAfterMs !== null) throttled(retryAfterMs, nowMs)
      else if (percent > SHED_ABOVE_PERCENT) shed(nowMs)
      else if (nowMs >= Math.max(limit.pausedUntilMs, limit.shedUntilMs)) limit.strikes = 0
    },
    throttled,
    failed (nowMs) {
      outage.failuresInRow += 1
      if (outage.failuresInRow < OUTAGE_AFTER_FAILURES && outage.strikes === 0) return
      outage.failuresInRow = 0
      if (nowMs < outage.untilMs) return
      outage.untilMs = nowMs + retryDelayMs(OUTAGE_BACKOFF, outage.strikes, random)
      outage.strikes += 1
    },
    get pausedUntilMs () { return limit.pausedUntilMs },
    pauseUntil
  }
}
