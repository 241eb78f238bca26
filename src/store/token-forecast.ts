import { type Database, integer } from './database.ts'
import { EXPIRING_WITHIN_MS, type TokenStatus } from './tokens.ts'

/** How many tokens there are in each state; identities without one are not counted. */
export type TokenCounts = Record<Exclude<TokenStatus, 'none'>, number>

// Each is a range of the index tokens_by_expiry.
const COUNT_TOKENS = `select
  (select count(*) from tokens where revoked_at_ms is not null) as revoked,
  (select count(*) from tokens where revoked_at_ms is null and expires_at_ms <= $1) as expired,
  (select count(*) from tokens where revoked_at_ms is null and expires_at_ms > $1 and expires_at_ms <= $2) as expiring,
  (select count(*) from tokens where revoked_at_ms is null and expires_at_ms > $2)
    + (select count(*) from tokens where revoked_at_ms is null and expires_at_ms is null) as active`
const COUNT_EXPIRING = `select count(*) as total from tokens
  where revoked_at_ms is null and expires_at_ms > $1 and expires_at_ms <= $2`

/** Counts tokens by status. */
export async function countTokens (database: Database, nowMs: number): Promise<TokenCounts> {
  const row = await database.get(COUNT_TOKENS, [nowMs, nowMs + EXPIRING_WITHIN_MS]) ?? {}
  return {
    active: integer(row, 'active'), expiring: integer(row, 'expiring'), expired: integer(row, 'expired'), revoked: integer(row, 'revoked')
  }
}

/** Counts the tokens still good that expire after `fromMs` and until `untilMs`. */
export async function countExpiring (database: Database, span: { fromMs: number, untilMs: number }): Promise<number> {
  return integer(await database.get(COUNT_EXPIRING, [span.fromMs, span.untilMs]) ?? {}, 'total')
}
