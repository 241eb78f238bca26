import { buildId } from '../ids.ts'
import type { Parts } from '../parts.ts'
import { saveAuditEntry } from '../store/audit.ts'
import { StoreError } from '../store/database.ts'
import { findPause } from '../store/plans.ts'
import { takeToken } from '../store/renewals.ts'
import { eraseToken, findLastUsedToken, findTokenOf, type SealedToken } from '../store/tokens.ts'
import { cleanText } from '../text.ts'
import { createPace } from './provider-pace.ts'
import { CALL_MARGIN_MS, type Renewing, type RenewalOutcome, renewToken } from './renew-token.ts'
import { findTokenStates, type TokenStateView } from './tokens.ts'

const LEASE_MS = 35_000
const BUSY_RETRY_MS = 5000
const LATER_RETRY_MS = 60_000

/** Which token, and who asks. */
export type WantedToken = {
  shopId: string
  customerId: string
  provider: string
  /** Null: of the identity of that provider used last. */
  providerUserId: string | null
  /** For the record: `key:` and the id of the API key, or `cli`. */
  actor: string
}

/**
 * What a refresh on request came to: {@link RenewalOutcome}, or `busy` when another process is at it.
 * `token` is the state afterwards; `retryAfterMs` is set where waiting helps.
 */
export type RefreshAnswer = { outcome: RenewalOutcome | 'busy', token: TokenStateView, retryAfterMs: number | null }

/**
 * Refreshes one token now, or exchanges it when it is short-lived; the record of who asked is durable
 * before the provider is. It takes the same lease as upkeep does, so the provider is asked once.
 * @returns undefined when the shop has no such customer, or the customer no such token
 */
export async function refreshToken (parts: Renewing['parts'], log: Renewing['log'], wanted: WantedToken): Promise<RefreshAnswer | undefined> {
  const token = await findToken(parts, wanted)
  if (token === undefined) return undefined
  const { outcome, retryAfterMs } = await refreshNow(parts, log, wanted, token)
  const states = await findTokenStates(parts, wanted.shopId, wanted.customerId)
  const state = states?.find((each) => each.provider === wanted.provider && each.provider_user_id === token.providerUserId)
  return state === undefined || state.status === 'none' ? undefined : { outcome, token: state, retryAfterMs }
}

async function refreshNow (parts: Renewing['parts'], log: Renewing['log'], wanted: WantedToken, token: SealedToken): Promise<Omit<RefreshAnswer, 'token'>> {
  const { database, now } = parts
  const provider = parts.providers.get(wanted.provider)
  if (provider?.appId !== token.providerAppId) return { outcome: 'unsupported', retryAfterMs: null }
  const pausedMs = await findPause(database, provider.id, provider.appId) - now()
  if (pausedMs > 0) return { outcome: 'throttled', retryAfterMs: pausedMs }
  const taken = await takeToken(database, token.identityId, { nowMs: now(), leaseUntilMs: now() + LEASE_MS })
  if (taken === undefined) return { outcome: 'busy', retryAfterMs: BUSY_RETRY_MS }
  await database.batch([recordOf(parts, wanted, 'token.refresh', token.identityId)])
  const pace = createPace(Math.random)
  const outcome = await renewToken({ parts, log, random: Math.random, paceOf: () => pace, callMarginMs: CALL_MARGIN_MS }, taken)
  const waitMs = Math.max(pace.pausedUntilMs - now(), LATER_RETRY_MS)
  return { outcome, retryAfterMs: outcome === 'throttled' || outcome === 'later' || outcome === 'refused' || outcome === 'kept' ? waitMs : null }
}

/**
 * Forgets one token for good; the identity stays. What a worker that has it in hand brings back finds no
 * row, and makes none.
 * @returns false when there is no such token
 */
export async function forgetToken (parts: Pick<Parts, 'database' | 'now'>, wanted: WantedToken): Promise<boolean> {
  const token = await findToken(parts, wanted)
  if (token === undefined) return false
  try {
    await parts.database.batch([
      ...eraseToken({ identityId: token.identityId, customerId: wanted.customerId, nowMs: parts.now() }),
      recordOf(parts, wanted, 'token.forget', token.identityId)
    ])
    return true
  } catch (error) {
    if (error instanceof StoreError && error.code === 'unexpected_row_count') return false
    throw error
  }
}

function findToken ({ database }: Pick<Parts, 'database'>, wanted: WantedToken): Promise<SealedToken | undefined> {
  const { shopId, customerId, providerUserId } = wanted
  const provider = cleanText(wanted.provider)
  return providerUserId === null
    ? findLastUsedToken(database, shopId, customerId, provider)
    : findTokenOf(database, { shopId, customerId, provider, providerUserId: cleanText(providerUserId) })
}

function recordOf ({ now }: Pick<Parts, 'now'>, { shopId, customerId, actor }: WantedToken, action: string, identityId: string) {
  const atMs = now()
  return saveAuditEntry({ id: buildId('aud', atMs), shopId, customerId, actor, action, subject: identityId, atMs })
}
