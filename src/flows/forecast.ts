import type { Parts } from '../parts.ts'
import { countExpiring, countTokens, type TokenCounts } from '../store/token-forecast.ts'

/** The spans that a forecast looks ahead, in days. */
export const FORECAST_DAYS = [1, 7, 30] as const

const DAY_MS = 24 * 3_600_000

/** How the tokens stand, and how many of the good ones expire within so many days unless they are refreshed. */
export type Forecast = { byStatus: TokenCounts, expiringWithin: Array<{ days: number, count: number }> }

/** Looks ahead over the tokens of all shops. */
export async function findForecast ({ database, now }: Pick<Parts, 'database' | 'now'>, days: readonly number[] = FORECAST_DAYS): Promise<Forecast> {
  const nowMs = now()
  const byStatus = await countTokens(database, nowMs)
  const expiringWithin: Forecast['expiringWithin'] = []
  for (const each of days) {
    expiringWithin.push({ days: each, count: await countExpiring(database, { fromMs: nowMs, untilMs: nowMs + each * DAY_MS }) })
  }
  return { byStatus, expiringWithin }
}

/** Sets the gauges of a forecast to what it says now. */
export async function measureForecast (parts: Pick<Parts, 'database' | 'metrics' | 'now'>): Promise<void> {
  const { byStatus, expiringWithin } = await findForecast(parts)
  for (const [status, count] of Object.entries(byStatus)) parts.metrics.tokens.set({ status }, count)
  for (const { days, count } of expiringWithin) parts.metrics.tokensExpiring.set({ within_days: String(days) }, count)
}
