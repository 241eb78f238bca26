import { type Database, type Statement, StoreError, text } from './database.ts'

/** All that one login leaves behind; ids are proposals that hold only where the row is new. */
export type Login = {
  shopId: string
  newCustomerId: string
  newIdentityId: string
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
  scopes: string[]
  sealedToken: string
  tokenExpiresAtMs: number | null
  exchangeDueAtMs: number | null
  sourcePage: string | null
  sourceCampaign: string | null
}

const SAVE_IDENTITY = `insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id,
    provider_account_id, username, username_key, name, picture_url, account_type, scopes, first_seen_at_ms,
    last_login_at_ms, login_count)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $14, 1)
  on conflict (shop_id, provider, provider_app_id, provider_user_id) do update set
    provider_account_id = excluded.provider_account_id, username = excluded.username,
    username_key = excluded.username_key, name = excluded.name, picture_url = excluded.picture_url,
    account_type = excluded.account_type, scopes = excluded.scopes,
    last_login_at_ms = excluded.last_login_at_ms, login_count = identities.login_count + 1
  returning customer_id`
const SAVE_CUSTOMER = `insert into customers (id, shop_id, last_identity_id, name_key, source_page, source_campaign,
    first_seen_at_ms, last_login_at_ms, login_count, created_at_ms, updated_at_ms)
  select i.customer_id, i.shop_id, i.id, $5, $6, $7, $8, $8, 1, $8, $8 from identities i
  where i.shop_id = $1 and i.provider = $2 and i.provider_app_id = $3 and i.provider_user_id = $4
  on conflict (id) do update set last_identity_id = excluded.last_identity_id,
    name_key = case when customers.name is null then excluded.name_key else customers.name_key end,
    last_login_at_ms = excluded.last_login_at_ms, login_count = customers.login_count + 1,
    updated_at_ms = case when excluded.updated_at_ms > customers.updated_at_ms
      then excluded.updated_at_ms else customers.updated_at_ms + 1 end`
// What the row knew of an earlier token is forgotten, and a worker that has it in hand cannot write any more.
const SAVE_TOKEN = `insert into tokens (identity_id, access_token, obtained_at_ms, expires_at_ms, exchange_due_at_ms, work, provider, due_at_ms)
  select i.id, $5, $6, $7, cast($8 as bigint), case when cast($8 as bigint) is null then 'plan' else 'exchange' end, i.provider, coalesce(cast($8 as bigint), 0)
  from identities i
  where i.shop_id = $1 and i.provider = $2 and i.provider_app_id = $3 and i.provider_user_id = $4
  on conflict (identity_id) do update set access_token = excluded.access_token,
    obtained_at_ms = excluded.obtained_at_ms, expires_at_ms = excluded.expires_at_ms, revoked_at_ms = null,
    revoked_reason = null, exchange_due_at_ms = excluded.exchange_due_at_ms, work = excluded.work,
    provider = excluded.provider, due_at_ms = excluded.due_at_ms, lease_until_ms = null,
    generation = tokens.generation + 1, failures = 0, unsure_at_ms = null, previous_token = null,
    previous_obtained_at_ms = null, previous_expires_at_ms = null`

/**
 * Writes identity, customer and token of a login in one transaction. Two logins of one new person at
 * once make one customer: the identity's unique key decides, whoever comes second joins the first.
 * @returns the customer's id, and whether this login made the customer
 * @throws {StoreError} `constraint` when the shop is gone
 */
export async function saveLogin (database: Database, login: Login): Promise<{ customerId: string, isCreated: boolean }> {
  const key = [login.shopId, login.provider, login.providerAppId, login.providerUserId]
  const statements: Statement[] = [
    {
      sql: SAVE_IDENTITY,
      values: [login.newIdentityId, login.shopId, login.newCustomerId, login.provider, login.providerAppId,
        login.providerUserId, login.providerAccountId, login.username, login.usernameKey, login.name,
        login.pictureURL, login.accountType, login.scopes.join(' '), login.nowMs]
    },
    {
      sql: SAVE_CUSTOMER,
      values: [...key, login.nameKey, login.sourcePage, login.sourceCampaign, login.nowMs],
      expect: 1
    },
    { sql: SAVE_TOKEN, values: [...key, login.sealedToken, login.nowMs, login.tokenExpiresAtMs, login.exchangeDueAtMs], expect: 1 }
  ]
  const row = (await database.batch(statements))[0]?.[0]
  if (row === undefined) throw new StoreError('unexpected_row_count', 'A login wrote no identity.')
  const customerId = text(row, 'customer_id')
  return { customerId, isCreated: customerId === login.newCustomerId }
}
