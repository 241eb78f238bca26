import { type Database, integerOrNull, type Row, text, textOrNull } from './database.ts'
import type { TokenState } from './customers.ts'

/** An identity of any shop with the state of its token, without the token; null when it has none. */
export type ListedToken = {
  identityId: string
  shopId: string
  customerId: string
  provider: string
  providerUserId: string
  username: string | null
  token: TokenState | null
}

const FIND_SHOP_OF_CUSTOMER = 'select shop_id from customers where id = $1'
const LIST_TOKENS = `select i.id, i.shop_id, i.customer_id, i.provider, i.provider_user_id, i.username,
    t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms, t.revoked_reason
  from identities i left join tokens t on t.identity_id = i.id
  where i.id > $1 and (cast($2 as text) is null or i.shop_id = $2) and (cast($3 as text) is null or i.customer_id = $3)
  and (cast($5 as bigint) is null or (t.revoked_at_ms is null and t.expires_at_ms > $5 and t.expires_at_ms <= $6))
  order by i.id limit $4`

/** The shop that a customer belongs to. For the operator only: a shop asks by its own id. */
export async function findShopOfCustomer (database: Database, customerId: string): Promise<string | undefined> {
  const row = await database.get(FIND_SHOP_OF_CUSTOMER, [customerId])
  return row === undefined ? undefined : text(row, 'shop_id')
}

/**
 * Identities behind `afterId`, by id.
 * @param filter null does not filter
 */
export async function listTokens (database: Database, filter: {
  shopId: string | null
  customerId: string | null
  /** Tokens still good that expire after `fromMs` and until `untilMs`. */
  expiring?: { fromMs: number, untilMs: number } | null
}, page: { afterId: string, limit: number }): Promise<ListedToken[]> {
  return (await database.all(LIST_TOKENS, [
    page.afterId, filter.shopId, filter.customerId, page.limit, filter.expiring?.fromMs ?? null, filter.expiring?.untilMs ?? null
  ])).map(listedTokenOf)
}

function listedTokenOf (row: Row): ListedToken {
  const obtainedAtMs = integerOrNull(row, 'obtained_at_ms')
  return {
    identityId: text(row, 'id'),
    shopId: text(row, 'shop_id'),
    customerId: text(row, 'customer_id'),
    provider: text(row, 'provider'),
    providerUserId: text(row, 'provider_user_id'),
    username: textOrNull(row, 'username'),
    token: obtainedAtMs === null
      ? null
      : {
          obtainedAtMs,
          expiresAtMs: integerOrNull(row, 'expires_at_ms'),
          revokedAtMs: integerOrNull(row, 'revoked_at_ms'),
          revokedReason: textOrNull(row, 'revoked_reason')
        }
  }
}
