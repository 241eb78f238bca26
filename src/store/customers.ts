import { type Database, integer, integerOrNull, type Row, type Statement, StoreError, text, textOrNull } from './database.ts'
import { type Fragment, joinFragments } from './fragments.ts'

export type EmailSource = 'typed' | 'confirmed' | 'provider'

/** The person, as one shop knows them; `name` is what was typed, not a provider's. */
export type Customer = {
  id: string
  shopId: string
  externalId: string | null
  email: string | null
  isEmailVerified: boolean
  emailSource: EmailSource | null
  name: string | null
  phone: string | null
  createdAtMs: number
  updatedAtMs: number
}

/** One account at one provider. */
export type Identity = {
  id: string
  provider: string
  providerAppId: string
  providerUserId: string
  providerAccountId: string | null
  username: string | null
  name: string | null
  pictureURL: string | null
  accountType: string | null
  scopes: string[]
  firstSeenAtMs: number
  lastLoginAtMs: number | null
  loginCount: number
}

/** The state of an identity's token, without the token; null when it has none. */
export type TokenState = {
  obtainedAtMs: number
  expiresAtMs: number | null
  revokedAtMs: number | null
  /** Why it was revoked; absent where nobody asked. */
  revokedReason?: string | null
}

/** What a shop may change of a customer; what is absent keeps its value. */
export type CustomerChange = {
  externalId?: string | null
  /** `source` null: `typed`, where the address is another one than before. */
  email?: { address: string, key: string, source: 'typed' | 'confirmed' | null } | null
  /** Without a name of its own a customer is found by the last identity's name, which must still be `seenName`. */
  name?: { text: string, key: string } | { text: null, key: string | null, seenName: string | null }
  phone?: string | null
}

const CUSTOMER_COLUMNS = `id, shop_id, external_id, email, email_source, email_verified_at_ms, name, phone,
  created_at_ms, updated_at_ms`
const FIND_CUSTOMER = `select ${CUSTOMER_COLUMNS} from customers where shop_id = $1 and id = $2`
const LIST_BY_EXTERNAL_ID = `select ${CUSTOMER_COLUMNS} from customers where shop_id = $1 and external_id = $2
  order by created_at_ms, id limit 100`
const LIST_BY_EMAIL = `select ${CUSTOMER_COLUMNS} from customers where shop_id = $1 and email_key = $2
  order by created_at_ms, id limit 100`
const LIST_BY_USERNAME = `select ${CUSTOMER_COLUMNS} from customers where id in (
    select customer_id from identities where shop_id = $1 and username_key = $2 and username = $3)
  order by created_at_ms, id limit 100`
const LIST_BY_PROVIDER_USER = `select ${CUSTOMER_COLUMNS} from customers where id in (
    select customer_id from identities where shop_id = $1 and provider = $2 and provider_user_id = $3
    union select customer_id from identities where shop_id = $1 and provider = $2 and provider_account_id = $3)
  order by created_at_ms, id limit 100`
const LIST_IDENTITIES = `select i.id, i.provider, i.provider_app_id, i.provider_user_id, i.provider_account_id, i.username,
    i.name, i.picture_url, i.account_type, i.scopes, i.first_seen_at_ms, i.last_login_at_ms, i.login_count,
    t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms, t.revoked_reason
  from identities i left join tokens t on t.identity_id = i.id
  where i.customer_id = $1 order by coalesce(i.last_login_at_ms, 0) desc, i.id limit 100`
const FIND_LAST_NAME = `select i.name from customers c join identities i on i.id = c.last_identity_id
  where c.shop_id = $1 and c.id = $2`

// Later than before in any case: who asks for what changed since a time must not miss a change.
const CHANGE_CUSTOMER = 'update customers set updated_at_ms = case when updated_at_ms >= ? then updated_at_ms + 1 else ? end'
const CHANGE_EXTERNAL_ID = ', external_id = ?'
const CHANGE_EMAIL = `, email = ?, email_key = ?, email_verified_at_ms = case when email = ? then email_verified_at_ms end,
  email_source = case when email = ? and email_source = 'provider' then email_source else ? end`
const CHANGE_EMAIL_ONLY = `, email = ?, email_key = ?, email_verified_at_ms = case when email = ? then email_verified_at_ms end,
  email_source = case when email = ? then email_source else 'typed' end`
const CLEAR_EMAIL = ', email = null, email_key = null, email_verified_at_ms = null, email_source = null'
const CHANGE_NAME = ', name = ?, name_key = ?'
const CHANGE_PHONE = ', phone = ?'
const CHANGE_WHERE = 'where shop_id = ? and id = ?'
const IS_EXTERNAL_ID_FREE = 'and (external_id is null or external_id = ?)'
const IS_LAST_NAME = 'and (select i.name from identities i where i.id = customers.last_identity_id) is not distinct from ?'

/** The customer with this id in this shop; one of another shop is as absent as one that never was. */
export async function findCustomer (database: Database, shopId: string, id: string): Promise<Customer | undefined> {
  const row = await database.get(FIND_CUSTOMER, [shopId, id])
  return row === undefined ? undefined : customerOf(row)
}

export async function listByExternalId (database: Database, shopId: string, externalId: string): Promise<Customer[]> {
  return (await database.all(LIST_BY_EXTERNAL_ID, [shopId, externalId])).map(customerOf)
}

/** @param emailKey see `emailKey` in text.ts */
export async function listByEmail (database: Database, shopId: string, emailKey: string): Promise<Customer[]> {
  return (await database.all(LIST_BY_EMAIL, [shopId, emailKey])).map(customerOf)
}

/** @param usernameKey the search key of `username`, which narrows by index; the name itself must equal */
export async function listByUsername (database: Database, shopId: string, usernameKey: string, username: string): Promise<Customer[]> {
  return (await database.all(LIST_BY_USERNAME, [shopId, usernameKey, username])).map(customerOf)
}

/** Customers with an identity for which either of the provider's ids equals; there may be more than one. */
export async function listByProviderUser (database: Database, shopId: string, provider: string, userId: string): Promise<Customer[]> {
  return (await database.all(LIST_BY_PROVIDER_USER, [shopId, provider, userId])).map(customerOf)
}

/** A customer's identities with the state of their tokens, the one used last first. */
export async function listIdentities (database: Database, customerId: string): Promise<Array<Identity & { token: TokenState | null }>> {
  return (await database.all(LIST_IDENTITIES, [customerId])).map((row) => ({ ...identityOf(row), token: tokenStateOf(row) }))
}

/** The name of the identity that a customer used last. */
export async function findLastName (database: Database, shopId: string, id: string): Promise<string | null> {
  const row = await database.get(FIND_LAST_NAME, [shopId, id])
  return row === undefined ? null : textOrNull(row, 'name')
}

/**
 * Changes a customer in one statement. An e-mail address that changes is not verified any more; where it
 * came from the provider and stays the same, it stays the provider's.
 * @returns false when nothing was written: there is no such customer, it has another `externalId`, or
 *   the last identity's name is not `seenName`
 * @throws {StoreError} `constraint` when another customer has that `externalId`
 */
export async function saveCustomerChange (database: Database, key: { shopId: string, id: string }, change: CustomerChange, nowMs: number, record: Statement): Promise<boolean> {
  const sets: Fragment[] = [[CHANGE_CUSTOMER, nowMs, nowMs]]
  const conditions: Fragment[] = [[CHANGE_WHERE, key.shopId, key.id]]
  const { externalId, email, name, phone } = change
  if (externalId !== undefined) sets.push([CHANGE_EXTERNAL_ID, externalId])
  if (typeof externalId === 'string') conditions.push([IS_EXTERNAL_ID_FREE, externalId])
  if (email !== undefined) sets.push(setEmail(email))
  if (name !== undefined) sets.push([CHANGE_NAME, name.text, name.key])
  if (name?.text === null) conditions.push([IS_LAST_NAME, name.seenName])
  if (phone !== undefined) sets.push([CHANGE_PHONE, phone])
  const { sql, values } = joinFragments([...sets, ...conditions])
  try {
    await database.batch([{ sql, values, expect: 1 }, record])
    return true
  } catch (error) {
    if (error instanceof StoreError && error.code === 'unexpected_row_count') return false
    throw error
  }
}

function setEmail (email: NonNullable<CustomerChange['email']> | null): Fragment {
  if (email === null) return [CLEAR_EMAIL]
  const { address, key, source } = email
  return source === null
    ? [CHANGE_EMAIL_ONLY, address, key, address, address]
    : [CHANGE_EMAIL, address, key, address, address, source]
}

function customerOf (row: Row): Customer {
  const source = textOrNull(row, 'email_source')
  return {
    id: text(row, 'id'),
    shopId: text(row, 'shop_id'),
    externalId: textOrNull(row, 'external_id'),
    email: textOrNull(row, 'email'),
    isEmailVerified: integerOrNull(row, 'email_verified_at_ms') !== null,
    emailSource: source === 'typed' || source === 'confirmed' || source === 'provider' ? source : null,
    name: textOrNull(row, 'name'),
    phone: textOrNull(row, 'phone'),
    createdAtMs: integer(row, 'created_at_ms'),
    updatedAtMs: integer(row, 'updated_at_ms')
  }
}

function identityOf (row: Row): Identity {
  return {
    id: text(row, 'id'),
    provider: text(row, 'provider'),
    providerAppId: text(row, 'provider_app_id'),
    providerUserId: text(row, 'provider_user_id'),
    providerAccountId: textOrNull(row, 'provider_account_id'),
    username: textOrNull(row, 'username'),
    name: textOrNull(row, 'name'),
    pictureURL: textOrNull(row, 'picture_url'),
    accountType: textOrNull(row, 'account_type'),
    scopes: text(row, 'scopes').split(' ').filter(Boolean),
    firstSeenAtMs: integer(row, 'first_seen_at_ms'),
    lastLoginAtMs: integerOrNull(row, 'last_login_at_ms'),
    loginCount: integer(row, 'login_count')
  }
}

function tokenStateOf (row: Row): TokenState | null {
  const obtainedAtMs = integerOrNull(row, 'obtained_at_ms')
  if (obtainedAtMs === null) return null
  return {
    obtainedAtMs,
    expiresAtMs: integerOrNull(row, 'expires_at_ms'),
    revokedAtMs: integerOrNull(row, 'revoked_at_ms'),
    revokedReason: textOrNull(row, 'revoked_reason')
  }
}
