import { type Database, type Statement, StoreError, text } from './database.ts'

/** A token that was handed over instead of obtained by a login; ids are proposals that hold only where the row is new. */
export type Import = {
  shopId: string
  newCustomerId: string
  newIdentityId: string
  newAuditId: string
  /** Who handed it over, for the audit log. */
  actor: string
  nowMs: number
  provider: string
  providerAppId: string
  providerUserId: string
  providerAccountId: string | null
  username: string | null
  usernameKey: string | null
  name: string | null
  nameKey: string | null
  pictureURL: string | null
  accountType: string | null
  sealedToken: string
  tokenExpiresAtMs: number | null
  exchangeDueAtMs: number | null
}

/** What became of an import; a token that is known to live longer stays, and `isStored` is false. */
export type SavedImport = { customerId: string, isCreated: boolean, isStored: boolean }

/** For how long a token of unknown life counts when two are compared: as much as an expiring one has at most. */
const UNKNOWN_LIFE_MS = 7 * 24 * 60 * 60 * 1000

// No login: neither its time nor its count, and the scopes of one stay, since the provider tells none here.
const SAVE_IDENTITY = `insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id,
    provider_account_id, username, username_key, name, picture_url, account_type, scopes, first_seen_at_ms, login_count)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, '', $13, 0)
  on conflict (shop_id, provider, provider_app_id, provider_user_id) do update set
    provider_account_id = excluded.provider_account_id, username = excluded.username,
    username_key = excluded.username_key, name = excluded.name, picture_url = excluded.picture_url,
    account_type = excluded.account_type
  returning customer_id`
const SAVE_CUSTOMER = `insert into customers (id, shop_id, last_identity_id, name_key,
    first_seen_at_ms, login_count, created_at_ms, updated_at_ms)
  select i.customer_id, i.shop_id, i.id, $5, $6, 0, $6, $6 from identities i
  where i.shop_id = $1 and i.provider = $2 and i.provider_app_id = $3 and i.provider_user_id = $4
  on conflict (id) do update set last_identity_id = coalesce(customers.last_identity_id, excluded.last_identity_id),
    name_key = case when customers.name is null
        and coalesce(customers.last_identity_id, excluded.last_identity_id) = excluded.last_identity_id
      then excluded.name_key else customers.name_key end,
    updated_at_ms = case when excluded.updated_at_ms > customers.updated_at_ms
      then excluded.updated_at_ms else customers.updated_at_ms + 1 end`
// As a login stores its token, but only over one that is dead or does not live longer.
const SAVE_TOKEN = `insert into tokens (identity_id, access_token, obtained_at_ms, expires_at_ms, exchange_due_at_ms, work, provider, due_at_ms)
  select i.id, $5, $6, $7, cast($8 as bigint), case when cast($8 as bigint) is null then 'plan' else 'exchange' end, i.provider, coalesce(cast($8 as bigint), 0)
  from identities i
  where i.shop_id = $1 and i.provider = $2 and i.provider_app_id = $3 and i.provider_user_id = $4
  on conflict (identity_id) do update set access_token = excluded.access_token,
    obtained_at_ms = excluded.obtained_at_ms, expires_at_ms = excluded.expires_at_ms, revoked_at_ms = null,
    revoked_reason = null, exchange_due_at_ms = excluded.exchange_due_at_ms, work = excluded.work,
    provider = excluded.provider, due_at_ms = excluded.due_at_ms, lease_until_ms = null,
    generation = tokens.generation + 1, failures = 0, unsure_at_ms = null, previous_token = null,
    previous_expires_at_ms = null
  where tokens.revoked_at_ms is not null
    or coalesce(tokens.expires_at_ms, $9) <= coalesce(excluded.expires_at_ms, $9)
  returning identity_id`
const SAVE_AUDIT_ENTRY = `insert into audit_entries (id, shop_id, customer_id, actor, action, subject, at_ms)
  select $5, i.shop_id, i.customer_id, $6,
    case when t.access_token = $7 then 'token.imported' else 'token.import_kept' end, i.id, $8
  from identities i join tokens t on t.identity_id = i.id
  where i.shop_id = $1 and i.provider = $2 and i.provider_app_id = $3 and i.provider_user_id = $4`

/**
 * Writes an imported token under its identity, which stays with the customer that owns it (T-38), and
 * the record of it, in one transaction. A login of the same person at the same time joins it: the
 * identity's unique key decides.
 * @param together further statements of the same transaction
 * @throws {StoreError} `constraint` when the shop is gone, and what a statement of `together` fails with
 */
export async function saveImport (database: Database, imported: Import, together: readonly Statement[] = []): Promise<SavedImport> {
  const { shopId, nowMs, sealedToken } = imported
  const key = [shopId, imported.provider, imported.providerAppId, imported.providerUserId]
  const [identities, , tokens] = await database.batch([
    {
      sql: SAVE_IDENTITY,
      values: [imported.newIdentityId, shopId, imported.newCustomerId, imported.provider, imported.providerAppId,
        imported.providerUserId, imported.providerAccountId, imported.username, imported.usernameKey, imported.name,
        imported.pictureURL, imported.accountType, nowMs]
    },
    { sql: SAVE_CUSTOMER, values: [...key, imported.nameKey, nowMs], expect: 1 },
    {
      sql: SAVE_TOKEN,
      values: [...key, sealedToken, nowMs, imported.tokenExpiresAtMs, imported.exchangeDueAtMs, nowMs + UNKNOWN_LIFE_MS]
    },
    { sql: SAVE_AUDIT_ENTRY, values: [...key, imported.newAuditId, imported.actor, sealedToken, nowMs], expect: 1 },
    ...together
  ])
  const row = identities?.[0]
  if (row === undefined) throw new StoreError('unexpected_row_count', 'An import wrote no identity.')
  const customerId = text(row, 'customer_id')
  return { customerId, isCreated: customerId === imported.newCustomerId, isStored: tokens?.length === 1 }
}
