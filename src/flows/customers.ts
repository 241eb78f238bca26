import { buildId } from '../ids.ts'
import type { Parts } from '../parts.ts'
import { saveAuditEntry } from '../store/audit.ts'
import {
  type Customer, type CustomerChange, findCustomer, findLastName, type Identity, listByEmail, listByExternalId,
  listByProviderUser, listByUsername, listIdentities, saveCustomerChange, type TokenState
} from '../store/customers.ts'
import { StoreError } from '../store/database.ts'
import { tokenStatus, type TokenStatus } from '../store/tokens.ts'
import { cleanText, emailKey, searchKey } from '../text.ts'
import { formatTime, formatTimeOrNull } from './times.ts'

/** An identity as our JSON shows it (contract, section 4). */
export type IdentityView = {
  provider: string
  provider_user_id: string
  provider_account_id: string | null
  username: string | null
  name: string | null
  picture_url: string | null
  account_type: string | null
  scopes: string[]
  token: { status: TokenStatus, expires_at: string | null }
  first_seen_at: string
  last_login_at: string | null
  login_count: number
}

/** A customer as our JSON shows it (contract, section 4). */
export type CustomerView = {
  id: string
  external_id: string | null
  email: string | null
  email_verified: boolean
  email_source: 'typed' | 'confirmed' | 'provider' | null
  name: string | null
  phone: string | null
  identities: IdentityView[]
  consents: Record<string, never>
  orders: { count: number, totals: never[] }
  created_at: string
  updated_at: string
}

/** By what a shop may look for a customer; exact, an e-mail address without regard to case. */
export type CustomerLookup =
  | { by: 'external_id' | 'email' | 'username', value: string }
  | { by: 'provider_user', provider: string, value: string }

/** What a shop asks to change, in the words of the API; null clears. */
export type CustomerWishes = {
  external_id?: string | null
  email?: string | null
  email_source?: 'typed' | 'confirmed'
  name?: string | null
  phone?: string | null
}

/** What became of a change. */
export type ChangeOutcome =
  | { outcome: 'changed', customer: CustomerView }
  | { outcome: 'not_found' | 'external_id_held' | 'external_id_differs' }

// A login can rename the identity between our read and our write; nobody does so five times in a row.
const MAX_TRIES = 5

/** The customer with this id in this shop, as the API shows it. */
export async function findCustomerView (parts: Pick<Parts, 'database' | 'now'>, shopId: string, id: string): Promise<CustomerView | undefined> {
  const customer = await findCustomer(parts.database, shopId, id)
  return customer === undefined ? undefined : viewOf(parts, customer)
}

/** All customers that match, since an account id may name two people (contract, section 4). */
export async function lookUpCustomers (parts: Pick<Parts, 'database' | 'now'>, shopId: string, lookup: CustomerLookup): Promise<CustomerView[]> {
  const customers = await listMatching(parts, shopId, lookup)
  return Promise.all(customers.map((customer) => viewOf(parts, customer)))
}

/**
 * Applies a shop's change to a customer, all of it or nothing, and records who asked.
 * @param target.actor for the record: `key:` and the id of the API key
 */
export async function changeCustomer (parts: Pick<Parts, 'database' | 'now'>, target: {
  shopId: string, id: string, actor: string
}, wishes: CustomerWishes): Promise<ChangeOutcome> {
  const { database, now } = parts
  const { shopId, id, actor } = target
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const customer = await findCustomer(database, shopId, id)
    if (customer === undefined) return { outcome: 'not_found' }
    const change = changeOf(wishes, wishes.name === null ? await findLastName(database, shopId, id) : null)
    if (typeof change.externalId === 'string' && customer.externalId !== null && customer.externalId !== change.externalId) {
      return { outcome: 'external_id_differs' }
    }
    if (Object.keys(change).length === 0) return { outcome: 'changed', customer: await viewOf(parts, customer) }
    try {
      const atMs = now()
      const record = saveAuditEntry({ id: buildId('aud', atMs), shopId, customerId: id, actor, action: 'customer.changed', subject: null, atMs })
      if (!await saveCustomerChange(database, { shopId, id }, change, atMs, record)) continue
    } catch (error) {
      if (error instanceof StoreError && error.code === 'constraint' && typeof change.externalId === 'string') return { outcome: 'external_id_held' }
      throw error
    }
    const changed = await findCustomerView(parts, shopId, id)
    return changed === undefined ? { outcome: 'not_found' } : { outcome: 'changed', customer: changed }
  }
  throw new StoreError('unavailable', 'A customer changed under every try to change it.')
}

function changeOf (wishes: CustomerWishes, lastName: string | null): CustomerChange {
  const change: CustomerChange = {}
  const { external_id: externalId, email, email_source: source, name, phone } = wishes
  if (externalId !== undefined) change.externalId = externalId === null ? null : cleanText(externalId)
  if (email === null) change.email = null
  else if (email !== undefined) change.email = { address: cleanText(email), key: emailKey(cleanText(email)), source: source ?? null }
  if (name === null) change.name = { text: null, key: lastName === null ? null : searchKey(lastName), seenName: lastName }
  else if (name !== undefined) change.name = { text: cleanText(name), key: searchKey(cleanText(name)) }
  if (phone !== undefined) change.phone = phone === null ? null : cleanText(phone)
  return change
}

async function listMatching ({ database }: Pick<Parts, 'database'>, shopId: string, lookup: CustomerLookup): Promise<Customer[]> {
  const value = cleanText(lookup.value)
  switch (lookup.by) {
    case 'external_id': return listByExternalId(database, shopId, value)
    case 'email': return listByEmail(database, shopId, emailKey(value))
    case 'username': return listByUsername(database, shopId, searchKey(value), value)
    case 'provider_user': return listByProviderUser(database, shopId, cleanText(lookup.provider), value)
  }
}

async function viewOf ({ database, now }: Pick<Parts, 'database' | 'now'>, customer: Customer): Promise<CustomerView> {
  const identities = await listIdentities(database, customer.id)
  const nowMs = now()
  return {
    id: customer.id,
    external_id: customer.externalId,
    email: customer.email,
    email_verified: customer.isEmailVerified,
    email_source: customer.emailSource,
    name: customer.name,
    phone: customer.phone,
    identities: identities.map((identity) => identityView(identity, nowMs)),
    consents: {},
    orders: { count: 0, totals: [] },
    created_at: formatTime(customer.createdAtMs),
    updated_at: formatTime(customer.updatedAtMs)
  }
}

function identityView (identity: Identity & { token: TokenState | null }, nowMs: number): IdentityView {
  return {
    provider: identity.provider,
    provider_user_id: identity.providerUserId,
    provider_account_id: identity.providerAccountId,
    username: identity.username,
    name: identity.name,
    picture_url: identity.pictureURL,
    account_type: identity.accountType,
    scopes: identity.scopes,
    token: { status: tokenStatus(identity.token, nowMs), expires_at: formatTimeOrNull(identity.token?.expiresAtMs ?? null) },
    first_seen_at: formatTime(identity.firstSeenAtMs),
    last_login_at: formatTimeOrNull(identity.lastLoginAtMs),
    login_count: identity.loginCount
  }
}
