import type { Parts } from '../parts.ts'
import { listUnplanned, type Plan, savePlans, type UnplannedToken } from '../store/plans.ts'
import { type Random, refreshDueAtMs } from './token-schedule.ts'

const TOKENS_AT_ONCE = 500

/** Works out what is to be done when with each token that was stored since the last round. */
export async function planTokens (parts: Pick<Parts, 'database' | 'providers' | 'now'>, random: Random): Promise<void> {
  for (;;) {
    const tokens = await listUnplanned(parts.database, { nowMs: parts.now(), limit: TOKENS_AT_ONCE })
    if (tokens.length > 0) await savePlans(parts.database, tokens.map((token) => [token, plan(parts, token, random)] as const))
    if (tokens.length < TOKENS_AT_ONCE) return
  }
}

function plan ({ providers, now }: Pick<Parts, 'providers' | 'now'>, token: UnplannedToken, random: Random): Plan {
  const provider = providers.get(token.provider)
  if (token.revokedAtMs !== null) return { work: null, dueAtMs: null }
  if (token.exchangeDueAtMs !== null) return { work: 'exchange', dueAtMs: token.exchangeDueAtMs }
  // What is not configured now may be so tomorrow: it is planned all the same, and found then.
  if (provider?.refresh === null) return { work: null, dueAtMs: null }
  const dueAtMs = refreshDueAtMs(token, { refreshableAfterMs: provider?.refreshableAfterMs ?? 0, nowMs: now(), random })
  return { work: dueAtMs === null ? null : 'refresh', dueAtMs }
}
