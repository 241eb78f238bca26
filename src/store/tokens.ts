import type { TokenState } from './customers.ts'
import { type Database, integer, integerOrNull, type Row, type Statement, text } from './database.ts'
import type { Fragment } from './fragments.ts'

export const TOKEN_STATUSES = ['active', 'expiring', 'expired', 'revoked', 'none'] as const

export type TokenStatus = typeof TOKEN_STATUSES[number]

/** A stored token with what it takes to open it. */
export type SealedToken = TokenState & {
  identityId: string
  providerAppId: string
  providerUserId: string
  scopes: string[]
  sealed: string
}

/** A token that is still good for less than this is `expiring`. */
export const EXPIRING_WITHIN_MS = 7 * 24 * 60 * 60 * 1000

// The same rule as tokenStatus, over the columns of tokens t.
const STATUS_IS = `case when t.identity_id is null then 'none' when t.revoked_at_ms is not null then 'revoked'
  when t.expires_at_ms is null then 'active' when t.expires_at_ms <= ? then 'expired'
  when t.expires_at_ms <= ? then 'expiring' else 'active' end = ?`

// An identity that has no token leads the list as well: an older account's token is not handed out in its place.
const FIND_LAST_USED = `select i.id, i.provider_app_id, i.provider_user_id, i.scopes,
    t.access_token, t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms
  from identities i left join tokens t on t.identity_id = i.id
  where i.shop_id = $1 and i.customer_id = $2 and i.provider = $3
  order by coalesce(i.last_login_at_ms, 0) desc, i.id limit 1`
const FIND_BY_PROVIDER_USER = `select i.id, i.provider_app_id, i.provider_user_id, i.scopes,
    t.access_token, t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms
  from identities i left join tokens t on t.identity_id = i.id
  where i.shop_id = $1 and i.customer_id = $2 and i.provider = $3 and i.provider_user_id = $4
  order by coalesce(i.last_login_at_ms, 0) desc, i.id limit 1`

const ERASE_TOKEN = 'delete from tokens where identity_id = $1'
const TOUCH_CUSTOMER = `update customers
  set updated_at_ms = case when updated_at_ms >= $2 then updated_at_ms + 1 else $2 end where id = $1`

/** What a token is good for now; one whose life is unknown counts as active. */
export function tokenStatus (token: TokenState | null, nowMs: number): TokenStatus {
  if (token === null) return 'none'
  if (token.revokedAtMs !== null) return 'revoked'
  if (token.expiresAtMs === null) return 'active'
  if (token.expiresAtMs <= nowMs) return 'expired'
  return token.expiresAtMs <= nowMs + EXPIRING_WITHIN_MS ? 'expiring' : 'active'
}

/** {@link tokenStatus} as a condition on `tokens t`, left-joined. */
export function tokenStatusIs (status: TokenStatus, nowMs: number): Fragment {
  return [STATUS_IS, nowMs, nowMs + EXPIRING_WITHIN_MS, status]
}

/** The token of the customer's account at this provider that was used last; undefined when that has none. */
export async function findLastUsedToken (database: Database, shopId: string, customerId: string, provider: string): Promise<SealedToken | undefined> {
  return sealedTokenOf(await database.get(FIND_LAST_USED, [shopId, customerId, provider]))
}

/** The token of the customer's account with exactly this provider user id. */
export async function findTokenOf (database: Database, key: {
  shopId: string, customerId: string, provider: string, providerUserId: string
}): Promise<SealedToken | undefined> {
  const { shopId, customerId, provider, providerUserId } = key
  return sealedTokenOf(await database.get(FIND_BY_PROVIDER_USER, [shopId, customerId, provider, providerUserId]))
}

/** Statements that forget a token and let who asks for changes see the customer; they fail when there is none. */
export function eraseToken ({ identityId, customerId, nowMs }: { identityId: string, customerId: string, nowMs: number }): Statement[] {
  return [
    { sql: ERASE_TOKEN, values: [identityId], expect: 1 },
    { sql: TOUCH_CUSTOMER, values: [customerId, nowMs] }
  ]
}

function sealedTokenOf (row: Row | undefined): SealedToken | undefined {
  if (row === undefined || row['access_token'] === null) return undefined
  return {
    identityId: text(row, 'id'),
    providerAppId: text(row, 'provider_app_id'),
    providerUserId: text(row, 'provider_user_id'),
    scopes: text(row, 'scopes').split(' ').filter(Boolean),
    sealed: text(row, 'access_token'),
    obtainedAtMs: integer(row, 'obtained_at_ms'),
    expiresAtMs: integerOrNull(row, 'expires_at_ms'),
    revokedAtMs: integerOrNull(row, 'revoked_at_ms')
  }
}
