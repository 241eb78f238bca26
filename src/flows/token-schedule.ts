const HOUR_MS = 3_600_000
const BACKLOG_SPREAD_MS = 24 * HOUR_MS
const LAST_MINUTES_MS = 10 * 60_000

/** Between 0 (inclusive) and 1. */
export type Random = () => number

/** What the schedule of a token depends on; null when its life is not known. */
export type TokenLife = { obtainedAtMs: number, expiresAtMs: number | null }

/**
 * When a long-lived token is refreshed next: at a random point between 50 and 80 % of its life, so that
 * tokens of one day are spread over weeks; not before the provider takes it, and well before it expires.
 * What should have been done long ago is spread over a day, or a quarter of the time that is left.
 * @param options.refreshableAfterMs how old it must be
 * @returns null when it expires before it may be refreshed
 */
export function refreshDueAtMs ({ obtainedAtMs, expiresAtMs }: TokenLife, options: {
  refreshableAfterMs: number, nowMs: number, random: Random
}): number | null {
  const { refreshableAfterMs, nowMs, random } = options
  const allowedAtMs = obtainedAtMs + refreshableAfterMs
  // Unknown life: a refresh tells it.
  if (expiresAtMs === null) return Math.round(Math.max(allowedAtMs, nowMs) + random() * HOUR_MS)
  if (Math.max(allowedAtMs, nowMs) >= expiresAtMs) return null
  const lifeMs = expiresAtMs - obtainedAtMs
  const earliestMs = Math.max(obtainedAtMs + lifeMs * 0.5, allowedAtMs)
  const latestMs = Math.max(obtainedAtMs + lifeMs * 0.8, (earliestMs + expiresAtMs) / 2)
  const dueAtMs = earliestMs + random() * (latestMs - earliestMs)
  if (dueAtMs > nowMs) return Math.round(dueAtMs)
  return Math.round(nowMs + random() * Math.min(BACKLOG_SPREAD_MS, (expiresAtMs - nowMs) / 4))
}

/** Waits after failures: from `fromMs`, doubled each time, up to `upToMs`. */
export type Backoff = { fromMs: number, upToMs: number }

/** For what waiting mends. */
export const OUTAGE_BACKOFF: Backoff = { fromMs: 60_000, upToMs: HOUR_MS }

/** For what somebody must mend. */
export const REFUSAL_BACKOFF: Backoff = { fromMs: HOUR_MS, upToMs: 24 * HOUR_MS }

/** How long to wait after so many failures before; a random half of it, so that what failed together does not return together. */
export function retryDelayMs ({ fromMs, upToMs }: Backoff, failures: number, random: Random): number {
  return Math.round(Math.min(fromMs * 2 ** Math.min(failures, 20), upToMs) * (0.5 + random() / 2))
}

/**
 * A wait that leaves a token time to be saved: no more than half of what is left of its life.
 * With little left the wait stays as it is.
 */
export function waitWithinLifeMs (waitMs: number, expiresAtMs: number | null, nowMs: number): number {
  const leftMs = expiresAtMs === null ? Infinity : expiresAtMs - nowMs
  return leftMs > LAST_MINUTES_MS ? Math.min(waitMs, Math.round(leftMs / 2)) : waitMs
}
