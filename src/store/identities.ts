import { type Database, type Row, type Statement, text, textOrNull } from './database.ts'

/** A person at one provider and app, by any id, as far as they were known before a moment. */
export type PersonBefore = {
  provider: string
  appId: string
  userId: string
  /** Identities seen, used or given a token at this time or later are somebody's return, and are left out. */
  beforeMs: number
}

/** An identity that stands for such a person in one shop. */
export type FoundIdentity = { id: string, shopId: string, customerId: string, isTokenLive: boolean }

/** The customer whom identities belong to. */
export type Owner = {
  id: string
  name: string | null
  lastIdentityId: string | null
  /** The one used last first. */
  identities: Array<{ id: string, name: string | null }>
}

// The person's return, in the time of the newest of what a login or an import leaves behind.
const IS_BEFORE = `i.first_seen_at_ms < $4 and (i.last_login_at_ms is null or i.last_login_at_ms < $4)
  and (t.obtained_at_ms is null or t.obtained_at_ms < $4)`
// Shop by shop, as the indexes of identities are: two look-ups a shop, however many people there are.
const LIST_PERSON = `select i.id, i.shop_id, i.customer_id, t.identity_id as token_of, t.revoked_at_ms
  from shops s cross join identities i left join tokens t on t.identity_id = i.id
  where i.shop_id = s.id and i.provider = $1 and i.provider_app_id = $2 and i.provider_user_id = $3 and ${IS_BEFORE}
  union select i.id, i.shop_id, i.customer_id, t.identity_id as token_of, t.revoked_at_ms
  from shops s cross join identities i left join tokens t on t.identity_id = i.id
  where i.shop_id = s.id and i.provider = $1 and i.provider_app_id = $2 and i.provider_account_id = $3 and ${IS_BEFORE}
  order by 1 limit 100000`
const FIND_OWNER = 'select id, name, last_identity_id from customers where id = $1'
const LIST_OWNED = `select id, name from identities where customer_id = $1
  order by coalesce(last_login_at_ms, 0) desc, id limit 1000`

// A new generation: a worker that has the token in hand cannot write any more.
const REVOKE_TOKEN = `update tokens set revoked_at_ms = $2, revoked_reason = 'app_removed', work = null, due_at_ms = null,
    exchange_due_at_ms = null, lease_until_ms = null, generation = generation + 1, failures = 0, unsure_at_ms = null,
    previous_token = null, previous_obtained_at_ms = null, previous_expires_at_ms = null
  where identity_id = $1 and revoked_at_ms is null and obtained_at_ms < $3`
const TOUCH_CUSTOMER = `update customers
  set updated_at_ms = case when updated_at_ms >= $2 then updated_at_ms + 1 else $2 end where id = $1`
const ERASE_IDENTITY = `delete from identities where id = $1 and (last_login_at_ms is null or last_login_at_ms < $2)
  and not exists (select 1 from tokens t where t.identity_id = identities.id and t.obtained_at_ms >= $2)`
const DETACH = `update customers set last_identity_id = $2, name_key = $3,
    updated_at_ms = case when updated_at_ms >= $4 then updated_at_ms + 1 else $4 end
  where id = $1 and last_identity_id is not distinct from $5 and name is not distinct from $6
  and (select i.name from identities i where i.id = $2) is not distinct from $7`
// With nobody left who could have given it, an address from a provider came from the one who is gone.
const CLEAR_PROVIDER_EMAIL = `update customers
  set email = null, email_key = null, email_verified_at_ms = null, email_source = null
  where id = $1 and email_source = 'provider' and not exists (select 1 from identities i where i.customer_id = customers.id)`
const ERASE_EMPTY_CUSTOMER = `delete from customers where id = $1 and external_id is null and email is null
  and not exists (select 1 from identities i where i.customer_id = customers.id)`

/** The identities of a person in all shops. */
export async function listPerson (database: Database, { provider, appId, userId, beforeMs }: PersonBefore): Promise<FoundIdentity[]> {
  return (await database.all(LIST_PERSON, [provider, appId, userId, beforeMs])).map((row) => ({
    id: text(row, 'id'),
    shopId: text(row, 'shop_id'),
    customerId: text(row, 'customer_id'),
    isTokenLive: row['token_of'] !== null && row['revoked_at_ms'] === null
  }))
}

/** A customer with the identities that it owns; undefined when it is gone. */
export async function findOwner (database: Database, customerId: string): Promise<Owner | undefined> {
  const row = await database.get(FIND_OWNER, [customerId])
  return row === undefined ? undefined : ownerOf(row, await database.all(LIST_OWNED, [customerId]))
}

/** A statement that marks a token revoked; it fails its batch when the token is a newer one by now. */
export function revokeToken (identityId: string, { nowMs, beforeMs }: { nowMs: number, beforeMs: number }): Statement {
  return { sql: REVOKE_TOKEN, values: [identityId, nowMs, beforeMs], expect: 1 }
}

/** A statement that lets who asks for changes see a customer again. */
export function touchCustomer (customerId: string, nowMs: number): Statement {
  return { sql: TOUCH_CUSTOMER, values: [customerId, nowMs] }
}

/** A statement that erases an identity and its token; it fails its batch when the person has returned meanwhile. */
export function eraseIdentity (identityId: string, beforeMs: number): Statement {
  return { sql: ERASE_IDENTITY, values: [identityId, beforeMs], expect: 1 }
}

/**
 * Statements that take out of a customer what came from identities that are gone, and the customer too
 * when neither identity, e-mail address nor account is left. They fail their batch when the customer is
 * no longer as `owner` says.
 * @param next the identity that is now the one used last; null when none is left
 * @param change.nameKey the search key of the name that is now shown
 */
export function detachIdentities (owner: Owner, next: { id: string, name: string | null } | null, change: { nameKey: string | null, nowMs: number }): Statement[] {
  return [
    {
      sql: DETACH,
      values: [owner.id, next?.id ?? null, change.nameKey, change.nowMs, owner.lastIdentityId, owner.name, next?.name ?? null],
      expect: 1
    },
    { sql: CLEAR_PROVIDER_EMAIL, values: [owner.id] },
    { sql: ERASE_EMPTY_CUSTOMER, values: [owner.id] }
  ]
}

function ownerOf (row: Row, identities: readonly Row[]): Owner {
  return {
    id: text(row, 'id'),
    name: textOrNull(row, 'name'),
    lastIdentityId: textOrNull(row, 'last_identity_id'),
    identities: identities.map((identity) => ({ id: text(identity, 'id'), name: textOrNull(identity, 'name') }))
  }
}
