import { buildId } from '../ids.ts'
import type { Parts } from '../parts.ts'
import { saveAuditEntry } from '../store/audit.ts'
import { findCustomer, listIdentities } from '../store/customers.ts'
import { findLastUsedToken, findTokenOf, tokenStatus, type TokenStatus } from '../store/tokens.ts'
import { cleanText } from '../text.ts'
import { unsealToken } from './sealed-tokens.ts'
import { formatTime, formatTimeOrNull } from './times.ts'

/** The state of one identity's token, never the token. */
export type TokenStateView = {
  provider: string
  provider_user_id: string
  scopes: string[]
  status: TokenStatus
  /** Why it is revoked; null for any other status. */
  reason: string | null
  obtained_at: string | null
  expires_at: string | null
}

/** An opened token; it goes into one answer and nowhere else. */
export type OpenedTokenView = Omit<TokenStateView, 'reason'> & { access_token: string }

/** The state of the tokens of a customer's identities, the one used last first; undefined without the customer. */
export async function findTokenStates (parts: Pick<Parts, 'database' | 'now'>, shopId: string, customerId: string): Promise<TokenStateView[] | undefined> {
  if (await findCustomer(parts.database, shopId, customerId) === undefined) return undefined
  const nowMs = parts.now()
  return (await listIdentities(parts.database, customerId)).map(({ provider, providerUserId, scopes, token }) => ({
    provider,
    provider_user_id: providerUserId,
    scopes,
    status: tokenStatus(token, nowMs),
    reason: token?.revokedReason ?? null,
    obtained_at: formatTimeOrNull(token?.obtainedAtMs ?? null),
    expires_at: formatTimeOrNull(token?.expiresAtMs ?? null)
  }))
}

/**
 * Opens a token and records who asked. The record is durable before the token is handed out.
 * @param wanted.providerUserId null: the identity of that provider used last
 * @returns undefined when the shop has no such customer, or the customer no such token
 * @throws {VaultError} when the stored token does not open under its owner
 */
export async function openToken (parts: Pick<Parts, 'database' | 'vault' | 'now'>, wanted: {
  shopId: string
  customerId: string
  provider: string
  providerUserId: string | null
  /** Who asks, for the record: `key:` and the id of the API key, or `cli`. */
  actor: string
}): Promise<OpenedTokenView | undefined> {
  const { database, vault, now } = parts
  const { shopId, customerId } = wanted
  const provider = cleanText(wanted.provider)
  const token = wanted.providerUserId === null
    ? await findLastUsedToken(database, shopId, customerId, provider)
    : await findTokenOf(database, { shopId, customerId, provider, providerUserId: cleanText(wanted.providerUserId) })
  if (token === undefined) return undefined
  const { identityId, providerAppId, providerUserId, scopes, sealed } = token
  const accessToken = unsealToken(vault, { shopId, provider, providerAppId, providerUserId }, sealed)
  const nowMs = now()
  await database.batch([saveAuditEntry({
    id: buildId('aud', nowMs), shopId, customerId, actor: wanted.actor, action: 'token.read', subject: identityId, atMs: nowMs
  })])
  return {
    provider,
    provider_user_id: providerUserId,
    access_token: accessToken,
    scopes,
    status: tokenStatus(token, nowMs),
    obtained_at: formatTime(token.obtainedAtMs),
    expires_at: formatTimeOrNull(token.expiresAtMs)
  }
}
