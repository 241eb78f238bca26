import { type Database, integer, integerOrNull, type Row, type Statement, StoreError, text } from './database.ts'

/** What can be done with a token at its provider; see migrations/0006_add_token_life.sql. */
export type Work = 'exchange' | 'refresh' | 'prove'

/** A token that this process alone may work on until its lease ends. */
export type TakenToken = {
  identityId: string
  customerId: string
  shopId: string
  provider: string
  providerAppId: string
  providerUserId: string
  scopes: string[]
  sealed: string
  obtainedAtMs: number
  expiresAtMs: number | null
  revokedAtMs: number | null
  /** True while it waits to be exchanged for a long-lived one. */
  isShortLived: boolean
  /** True while the text before the last refresh is kept, until the new one has worked once. */
  hasPrevious: boolean
  /** When that one expires. */
  previousExpiresAtMs: number | null
  generation: number
  leaseUntilMs: number
  /** How often in a row it failed. */
  failures: number
  /** Since when a call may have been made whose answer is not known; null: all are. */
  unsureAtMs: number | null
}

/** What is to be done with a token next, and when. */
export type NextWork = { work: Work | null, dueAtMs: number | null, failures: number, unsureAtMs: number | null }

/** A token as the provider gave it, sealed. */
export type NewToken = { sealed: string, nowMs: number, expiresAtMs: number | null }

const FIND_DUE = 'select identity_id from tokens where work = $1 and provider = $2 and due_at_ms <= $3 limit 1'
// A lease that nobody gave back belongs to a worker that vanished: its call may have been made.
const TAKE_DUE = `update tokens set generation = generation + 1, unsure_at_ms = coalesce(unsure_at_ms, lease_until_ms),
    due_at_ms = $4, lease_until_ms = $4
  where identity_id in (select identity_id from tokens where work = $1 and provider = $2 and due_at_ms <= $3
    order by due_at_ms limit $5) and due_at_ms <= $3 returning identity_id, generation`
const TAKE_ONE = `update tokens set generation = generation + 1, unsure_at_ms = coalesce(unsure_at_ms, lease_until_ms),
    due_at_ms = $3, lease_until_ms = $3
  where identity_id = $1 and (lease_until_ms is null or lease_until_ms <= $2) returning identity_id, generation`
const FIND_TAKEN = `select i.id, i.customer_id, i.shop_id, i.provider, i.provider_app_id, i.provider_user_id, i.scopes,
    t.access_token, t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms, t.exchange_due_at_ms,
    case when t.previous_token is null then 0 else 1 end as has_previous, t.previous_expires_at_ms,
    t.generation, t.lease_until_ms, t.failures, t.unsure_at_ms
  from tokens t join identities i on i.id = t.identity_id where t.identity_id = $1 and t.generation = $2
  and t.lease_until_ms is not null`

// obtained_at_ms is a second fence, against a writer that stored another token and raised no generation.
const IS_MINE = 'identity_id = $1 and generation = $2 and obtained_at_ms = $3'
const NEXT = 'work = $4, due_at_ms = $5, failures = $6, unsure_at_ms = $7, lease_until_ms = null'
const RESCHEDULE = `update tokens set ${NEXT},
  exchange_due_at_ms = case when cast($4 as text) = 'exchange' then exchange_due_at_ms end where ${IS_MINE}`
const CONFIRM = `update tokens set ${NEXT}, previous_token = null, previous_obtained_at_ms = null, previous_expires_at_ms = null where ${IS_MINE}`
const GO_BACK = `update tokens set ${NEXT}, access_token = previous_token, obtained_at_ms = previous_obtained_at_ms,
  expires_at_ms = previous_expires_at_ms,
  previous_token = null, previous_obtained_at_ms = null, previous_expires_at_ms = null where ${IS_MINE} and previous_token is not null`
const REPLACE = `update tokens set ${NEXT}, access_token = $8, obtained_at_ms = $9, expires_at_ms = $10,
  exchange_due_at_ms = null, previous_token = null, previous_obtained_at_ms = null, previous_expires_at_ms = null
  where ${IS_MINE} and revoked_at_ms is null`
const REPLACE_KEEPING = `update tokens set ${NEXT}, access_token = $8, obtained_at_ms = $9, expires_at_ms = $10,
  previous_token = access_token, previous_obtained_at_ms = obtained_at_ms, previous_expires_at_ms = expires_at_ms
  where ${IS_MINE} and revoked_at_ms is null`
const REVOKE = `update tokens set work = null, due_at_ms = null, lease_until_ms = null, exchange_due_at_ms = null,
  unsure_at_ms = null, previous_token = null, previous_obtained_at_ms = null, previous_expires_at_ms = null, revoked_at_ms = $4, revoked_reason = $5
  where ${IS_MINE} and revoked_at_ms is null`
// So that who asks for changes sees the new state of the token.
const TOUCH_CUSTOMER = `update customers set updated_at_ms = case when updated_at_ms >= $2 then updated_at_ms + 1 else $2 end
  where id = $1`

/** Takes up to `limit` tokens on which this work is due; no other process gets them until the lease ends. */
export async function takeDue (database: Database, options: {
  work: Work, provider: string, nowMs: number, leaseUntilMs: number, limit: number
}): Promise<TakenToken[]> {
  const { work, provider, nowMs, leaseUntilMs, limit } = options
  // Most rounds find nothing; they take no write lock.
  if (await database.get(FIND_DUE, [work, provider, nowMs]) === undefined) return []
  const [taken = []] = await database.batch([{ sql: TAKE_DUE, values: [work, provider, nowMs, leaseUntilMs, limit] }])
  const found = await Promise.all(taken.map((row) => findTaken(database, row)))
  return found.filter((token) => token !== undefined)
}

/** Takes one token, due or not; undefined when another process has it, or it is gone. */
export async function takeToken (database: Database, identityId: string, times: { nowMs: number, leaseUntilMs: number }): Promise<TakenToken | undefined> {
  const [taken = []] = await database.batch([{ sql: TAKE_ONE, values: [identityId, times.nowMs, times.leaseUntilMs] }])
  return taken[0] === undefined ? undefined : findTaken(database, taken[0])
}

/** Gives a token back with what is to be done next; false when it is no longer this worker's. */
export async function reschedule (database: Database, taken: TakenToken, next: NextWork): Promise<boolean> {
  return await database.run(RESCHEDULE, valuesOf(taken, next)) === 1
}

/** Gives tokens back as they were found, due at once. */
export async function giveBack (database: Database, taken: readonly TakenToken[], work: Work, nowMs: number): Promise<void> {
  if (taken.length === 0) return
  await database.batch(taken.map((token) => ({ sql: RESCHEDULE, values: valuesOf(token, { ...token, work, dueAtMs: nowMs }) })))
}

/**
 * Stores the token that a provider gave in place of the old one, in one statement; false, and nothing
 * is stored, when the old one was replaced, revoked or erased meanwhile, or taken by another worker.
 * @param options.keepsPrevious true: the old one is kept beside it
 */
export async function replaceToken (database: Database, taken: TakenToken, token: NewToken, options: {
  next: NextWork, keepsPrevious: boolean
}): Promise<boolean> {
  const values = [...valuesOf(taken, options.next), token.sealed, token.nowMs, token.expiresAtMs]
  return await database.run(options.keepsPrevious ? REPLACE_KEEPING : REPLACE, values) === 1
}

/** Drops the token before the last refresh: the new one has worked. */
export async function confirmToken (database: Database, taken: TakenToken, next: NextWork): Promise<boolean> {
  return await database.run(CONFIRM, valuesOf(taken, next)) === 1
}

/** Puts the token before the last refresh back: the new one does not work. */
export async function goBack (database: Database, taken: TakenToken, next: NextWork): Promise<boolean> {
  return await database.run(GO_BACK, valuesOf(taken, next)) === 1
}

/** Marks a token revoked; false when it was replaced, revoked or erased meanwhile. */
export async function revokeTaken (database: Database, taken: TakenToken, revocation: { nowMs: number, reason: string }): Promise<boolean> {
  const { identityId, generation, obtainedAtMs, customerId } = taken
  const { nowMs, reason } = revocation
  const statements: Statement[] = [
    { sql: REVOKE, values: [identityId, generation, obtainedAtMs, nowMs, reason], expect: 1 },
    { sql: TOUCH_CUSTOMER, values: [customerId, nowMs] }
  ]
  try {
    await database.batch(statements)
    return true
  } catch (error) {
    if (error instanceof StoreError && error.code === 'unexpected_row_count') return false
    throw error
  }
}

async function findTaken (database: Database, taken: Row): Promise<TakenToken | undefined> {
  const row = await database.get(FIND_TAKEN, [text(taken, 'identity_id'), integer(taken, 'generation')])
  return row === undefined ? undefined : takenTokenOf(row)
}

function valuesOf ({ identityId, generation, obtainedAtMs }: TakenToken, next: NextWork) {
  return [identityId, generation, obtainedAtMs, next.work, next.dueAtMs, next.failures, next.unsureAtMs]
}

function takenTokenOf (row: Row): TakenToken {
  return {
    identityId: text(row, 'id'),
    customerId: text(row, 'customer_id'),
    shopId: text(row, 'shop_id'),
    provider: text(row, 'provider'),
    providerAppId: text(row, 'provider_app_id'),
    providerUserId: text(row, 'provider_user_id'),
    scopes: text(row, 'scopes').split(' ').filter(Boolean),
    sealed: text(row, 'access_token'),
    obtainedAtMs: integer(row, 'obtained_at_ms'),
    expiresAtMs: integerOrNull(row, 'expires_at_ms'),
    revokedAtMs: integerOrNull(row, 'revoked_at_ms'),
    isShortLived: row['exchange_due_at_ms'] !== null,
    hasPrevious: integer(row, 'has_previous') === 1,
    previousExpiresAtMs: integerOrNull(row, 'previous_expires_at_ms'),
    generation: integer(row, 'generation'),
    leaseUntilMs: integer(row, 'lease_until_ms'),
    failures: integer(row, 'failures'),
    unsureAtMs: integerOrNull(row, 'unsure_at_ms')
  }
}
