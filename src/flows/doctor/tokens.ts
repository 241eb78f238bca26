import type { Database } from '../../store/database.ts'
import { countShops } from '../../store/shops.ts'
import { countTokens } from '../../store/token-counts.ts'
import { countOf, type Notes } from './finding.ts'

const DAY_MS = 86_400_000
const SOON_MS = 7 * DAY_MS

/** Examines the tokens' lives, and how many shops share an app. */
export async function examineTokens (notes: Notes, database: Database, nowMs: number): Promise<void> {
  const { total, expired, expiring, revoked } = await countTokens(database, nowMs, nowMs + SOON_MS)
  if (expiring > 0) notes.warn('tokens_expiring', `${countOf(expiring, 'token')} of ${total} expire within 7 days and were not refreshed.`, 'Is "leadlatch serve" running all the time, and does it reach the provider? Its log tells why a refresh failed. leadlatch token list shows which.')
  else notes.ok('tokens_expiring', `No token of ${total} expires within 7 days.`)
  if (expired > 0) notes.warn('tokens_expired', `${countOf(expired, 'token')} of ${total} have expired.`, 'Nobody can refresh them any more: those people must sign in again.')
  if (revoked > 0) notes.ok('tokens_revoked', `${countOf(revoked, 'token')} of ${total} were revoked by the person or the provider; a new sign-in heals them.`)
  await examineShops(notes, database)
}

async function examineShops (notes: Notes, database: Database): Promise<void> {
  const shops = await countShops(database)
  if (shops === 0) return notes.warn('shops', 'No shop is registered.', 'Run: leadlatch shop add URL')
  if (shops === 1) return notes.ok('shops', 'One shop is registered.')
  notes.warn('shops_share_app', `${shops} shops use the same app, and share what a person allowed it. Leadlatch has the provider ask at each login, so that no shop gets a person without a click.`,
    'Shops of different owners should have an app, and a Leadlatch, of their own: their rate limit, their review and a ban by Meta are then theirs alone, and logins need one click less.')
}
