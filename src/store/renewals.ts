import { type Database, integerOrNull, type Row, text } from './database.ts'

/** A short-lived token whose exchange for a long-lived one this process owns for a while. */
export type DueExchange = {
  identityId: string
  shopId: string
  provider: string
  providerAppId: string
  providerUserId: string
  scopes: string[]
  sealedToken: string
  expiresAtMs: number | null
}

const TAKE_DUE = `update tokens set lease_until_ms = $2 where identity_id in (
    select identity_id from tokens where exchange_due_at_ms <= $1 and (lease_until_ms is null or lease_until_ms < $1)
    order by exchange_due_at_ms, identity_id limit $3)
  and (lease_until_ms is null or lease_until_ms < $1) returning identity_id`
const FIND_DUE = `select i.id, i.shop_id, i.provider, i.provider_app_id, i.provider_user_id, i.scopes, t.access_token, t.expires_at_ms
  from tokens t join identities i on i.id = t.identity_id where t.identity_id = $1`
// The old text is the fence: a login that came meanwhile stored another token, which stays.
const REPLACE_TOKEN = `update tokens set access_token = $3, obtained_at_ms = $4, expires_at_ms = $5, exchange_due_at_ms = null,
  lease_until_ms = null where identity_id = $1 and access_token = $2`
const POSTPONE = 'update tokens set exchange_due_at_ms = $3, lease_until_ms = null where identity_id = $1 and access_token = $2'
const GIVE_UP = `update tokens set exchange_due_at_ms = null, lease_until_ms = null, revoked_at_ms = $3
  where identity_id = $1 and access_token = $2`

/** Takes up to `limit` exchanges that are due; no other process gets them until the lease ends. */
export async function takeDueExchanges (database: Database, options: { nowMs: number, leaseUntilMs: number, limit: number }): Promise<DueExchange[]> {
  const [taken = []] = await database.batch([{ sql: TAKE_DUE, values: [options.nowMs, options.leaseUntilMs, options.limit] }])
  const rows = await Promise.all(taken.map((row) => database.get(FIND_DUE, [text(row, 'identity_id')])))
  return rows.filter((row) => row !== undefined).map(dueExchangeOf)
}

/** Stores the long-lived token in place of the short one; false when that was replaced meanwhile. */
export async function replaceToken (database: Database, due: DueExchange, token: { sealed: string, nowMs: number, expiresAtMs: number | null }): Promise<boolean> {
  return await database.run(REPLACE_TOKEN, [due.identityId, due.sealedToken, token.sealed, token.nowMs, token.expiresAtMs]) === 1
}

/** Gives the exchange back, due again at this time. */
export async function postponeExchange (database: Database, due: DueExchange, dueAtMs: number): Promise<void> {
  await database.run(POSTPONE, [due.identityId, due.sealedToken, dueAtMs])
}

/** Ends the attempts; with a time, the token counts as revoked since then. */
export async function giveUpExchange (database: Database, due: DueExchange, revokedAtMs: number | null): Promise<void> {
  await database.run(GIVE_UP, [due.identityId, due.sealedToken, revokedAtMs])
}

function dueExchangeOf (row: Row): DueExchange {
  return {
    identityId: text(row, 'id'),
    shopId: text(row, 'shop_id'),
    provider: text(row, 'provider'),
    providerAppId: text(row, 'provider_app_id'),
    providerUserId: text(row, 'provider_user_id'),
    scopes: text(row, 'scopes').split(' ').filter(Boolean),
    sealedToken: text(row, 'access_token'),
    expiresAtMs: integerOrNull(row, 'expires_at_ms')
  }
}
