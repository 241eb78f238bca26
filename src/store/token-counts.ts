import { type Database, integer } from './database.ts'

/** How many tokens are in which state. */
export type TokenCounts = { total: number, expired: number, expiring: number, revoked: number }

const COUNT_TOKENS = `select count(*) as total,
    coalesce(sum(case when t.revoked_at_ms is null and t.expires_at_ms <= $1 then 1 else 0 end), 0) as expired,
    coalesce(sum(case when t.revoked_at_ms is null and t.expires_at_ms > $1 and t.expires_at_ms <= $2 then 1 else 0 end), 0) as expiring,
    coalesce(sum(case when t.revoked_at_ms is not null then 1 else 0 end), 0) as revoked
  from tokens t`

/** Counts tokens by state; `expiring` is before `untilMs`. */
export async function countTokens (database: Database, nowMs: number, untilMs: number): Promise<TokenCounts> {
  const row = await database.get(COUNT_TOKENS, [nowMs, untilMs]) ?? {}
  return { total: integer(row, 'total'), expired: integer(row, 'expired'), expiring: integer(row, 'expiring'), revoked: integer(row, 'revoked') }
}
