import { buildId } from '../ids.ts'
import type { Parts } from '../parts.ts'
import { saveAuditEntry } from '../store/audit.ts'
import { findShopOfCustomer } from '../store/token-list.ts'
import { findLastUsedToken, findTokenOf, type SealedToken } from '../store/tokens.ts'
import { unsealToken } from './sealed-tokens.ts'

/** A token opened for the operator; it goes to standard output and nowhere else. */
export type OperatorToken = { shopId: string, accessToken: string, token: Omit<SealedToken, 'sealed'> }

/**
 * Opens a customer's token for the person at the command line, and records it as read by `cli` before
 * it is handed out.
 * @param wanted.providerUserId null: the identity of that provider used last
 * @returns undefined when there is no such customer or token
 * @throws {VaultError} when the stored token does not open under its owner
 */
export async function openTokenForOperator (parts: Pick<Parts, 'database' | 'vault' | 'now'>, wanted: {
  customerId: string, provider: string, providerUserId: string | null
}): Promise<OperatorToken | undefined> {
  const { database, vault, now } = parts
  const { customerId, provider, providerUserId } = wanted
  const shopId = await findShopOfCustomer(database, customerId)
  if (shopId === undefined) return undefined
  const found = providerUserId === null
    ? await findLastUsedToken(database, shopId, customerId, provider)
    : await findTokenOf(database, { shopId, customerId, provider, providerUserId })
  if (found === undefined) return undefined
  const { sealed, ...token } = found
  const accessToken = unsealToken(vault, {
    shopId, provider, providerAppId: token.providerAppId, providerUserId: token.providerUserId
  }, sealed)
  await database.batch([saveAuditEntry({
    id: buildId('aud', now()), shopId, customerId, actor: 'cli', action: 'token.read', subject: token.identityId, atMs: now()
  })])
  return { shopId, accessToken, token }
}
