import { type Database, integer, integerOrNull, type Row, text } from './database.ts'
import type { Work } from './renewals.ts'

/** A stored token of which nobody has worked out yet what to do when. */
export type UnplannedToken = {
  identityId: string
  provider: string
  obtainedAtMs: number
  expiresAtMs: number | null
  revokedAtMs: number | null
  /** Set while it is a short-lived token. */
  exchangeDueAtMs: number | null
  generation: number
}

/** What is to be done with one of them; null: nothing. */
export type Plan = { work: Work | null, dueAtMs: number | null }

const LIST_UNPLANNED = `select i.id, i.provider, t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms, t.exchange_due_at_ms, t.generation
  from tokens t join identities i on i.id = t.identity_id
  where t.work = 'plan' and t.due_at_ms <= $1 limit $2`
const SAVE_PLAN = `update tokens set work = $4, due_at_ms = $5, provider = $6
  where identity_id = $1 and generation = $2 and obtained_at_ms = $3 and work = 'plan'`
const FIND_PAUSE = 'select until_ms from provider_pauses where provider = $1 and provider_app_id = $2'
const SAVE_PAUSE = `insert into provider_pauses (provider, provider_app_id, until_ms) values ($1, $2, $3)
  on conflict (provider, provider_app_id) do update set until_ms = excluded.until_ms
  where excluded.until_ms > provider_pauses.until_ms`

/** Up to `limit` tokens that were stored and not planned since. */
export async function listUnplanned (database: Database, options: { nowMs: number, limit: number }): Promise<UnplannedToken[]> {
  return (await database.all(LIST_UNPLANNED, [options.nowMs, options.limit])).map(unplannedTokenOf)
}

/** Saves plans in one transaction; one whose token was replaced meanwhile is left out. */
export async function savePlans (database: Database, plans: ReadonlyArray<readonly [UnplannedToken, Plan]>): Promise<void> {
  await database.batch(plans.map(([token, plan]) => ({
    sql: SAVE_PLAN,
    values: [token.identityId, token.generation, token.obtainedAtMs, plan.work, plan.dueAtMs, token.provider]
  })))
}

/** Until when the provider wants no calls in the background; 0 when it said nothing. */
export async function findPause (database: Database, provider: string, providerAppId: string): Promise<number> {
  const row = await database.get(FIND_PAUSE, [provider, providerAppId])
  return row === undefined ? 0 : integer(row, 'until_ms')
}

/** Keeps a pause for all processes; a longer one stays. */
export async function savePause (database: Database, provider: string, providerAppId: string, untilMs: number): Promise<void> {
  await database.run(SAVE_PAUSE, [provider, providerAppId, untilMs])
}

function unplannedTokenOf (row: Row): UnplannedToken {
  return {
    identityId: text(row, 'id'),
    provider: text(row, 'provider'),
    obtainedAtMs: integer(row, 'obtained_at_ms'),
    expiresAtMs: integerOrNull(row, 'expires_at_ms'),
    revokedAtMs: integerOrNull(row, 'revoked_at_ms'),
    exchangeDueAtMs: integerOrNull(row, 'exchange_due_at_ms'),
    generation: integer(row, 'generation')
  }
}
