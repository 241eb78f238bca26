import type { Parts } from '../parts.ts'
import { ProviderError } from '../providers/provider.ts'
import { eraseExpiredClaims } from '../store/claims.ts'
import { type DueExchange, giveUpExchange, postponeExchange, replaceToken, takeDueExchanges } from '../store/renewals.ts'
import { eraseRetiredSigningKeys } from '../store/signing-keys.ts'
import { sealToken, unsealToken } from './sealed-tokens.ts'
import { AFTERLIFE_MS } from './signing-keys.ts'

/** Twice this is less than the minute within which a short token is exchanged once the provider answers. */
const ROUND_MS = 20_000
const LEASE_MS = 60_000
const RETRY_MS = 30_000
const EXCHANGES_A_ROUND = 20

/** What upkeep tells of itself. */
export type UpkeepLog = { warn: (fields: object, text: string) => void, error: (fields: object, text: string) => void }

/**
 * Runs upkeep every 20 seconds until stopped: exchanges short-lived tokens that a login had to keep,
 * and erases claims and signing keys whose time is over. A round that fails is logged and tried again.
 */
export function startUpkeep (parts: Parts, log: UpkeepLog): { stop: () => Promise<void> } {
  let round = Promise.resolve()
  const timer = setInterval(() => {
    round = round.then(() => runUpkeep(parts, log)).catch((error: unknown) => {
      log.error({ code: error instanceof Error && 'code' in error ? error.code : 'unknown' }, 'a round of upkeep failed')
    })
  }, ROUND_MS)
  return {
    stop: async () => {
      clearInterval(timer)
      await round
    }
  }
}

/** One round of upkeep. */
export async function runUpkeep (parts: Parts, log: UpkeepLog): Promise<void> {
  const { database, now } = parts
  await database.batch([eraseExpiredClaims(now())])
  await eraseRetiredSigningKeys(database, now() - AFTERLIFE_MS)
  const due = await takeDueExchanges(database, { nowMs: now(), leaseUntilMs: now() + LEASE_MS, limit: EXCHANGES_A_ROUND })
  await Promise.all(due.map((exchange) => exchangeOne(parts, exchange, log)))
}

async function exchangeOne (parts: Parts, due: DueExchange, log: UpkeepLog): Promise<void> {
  const { database, now, vault } = parts
  const provider = parts.providers.get(due.provider)
  const isPossible = provider?.appId === due.providerAppId && (due.expiresAtMs ?? Infinity) > now()
  if (provider === undefined || provider.exchangeLongLived === null || !isPossible) return giveUpExchange(database, due, null)
  try {
    const short = { accessToken: unsealToken(vault, due, due.sealedToken), scopes: due.scopes, expiresAtMs: due.expiresAtMs, isShortLived: true }
    const token = await provider.exchangeLongLived(short, new AbortController().signal)
    await replaceToken(database, due, { sealed: sealToken(vault, due, token.accessToken), nowMs: now(), expiresAtMs: token.expiresAtMs })
  } catch (error) {
    const code = error instanceof ProviderError ? error.code : 'failed'
    log.warn({ provider: due.provider, identity: due.identityId, code }, 'a short-lived token could not be exchanged')
    if (code === 'revoked') return giveUpExchange(database, due, now())
    const waitMs = error instanceof ProviderError ? error.retryAfterMs ?? RETRY_MS : RETRY_MS
    await postponeExchange(database, due, now() + waitMs)
  }
}
