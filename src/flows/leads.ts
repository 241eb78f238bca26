import { setImmediate } from 'node:timers/promises'
import type { Parts } from '../parts.ts'
import type { Database } from '../store/database.ts'
import {
  countSearchMatches, findWindowEnd, leadPosition, type LeadPosition, type LeadQuery, type LeadRecord, listLeads
} from '../store/leads.ts'
import { tokenStatus, type TokenStatus } from '../store/tokens.ts'
import { type Vault, VaultError } from '../vault.ts'
import { formatTime, formatTimeOrNull } from './times.ts'

/** A lead as our JSON shows it (contract, section 4). */
export type LeadView = {
  id: string
  external_id: string | null
  provider: string | null
  provider_user_id: string | null
  username: string | null
  name: string | null
  picture_url: string | null
  account_type: string | null
  email: string | null
  email_verified: boolean
  email_source: string | null
  phone: string | null
  consents: Record<string, never>
  token: { status: TokenStatus, expires_at: string | null }
  source: { page: string | null, campaign: string | null }
  orders: { count: number, totals: never[] }
  first_seen_at: string
  last_login_at: string | null
  login_count: number
  updated_at: string
}

/** A piece of a list; `next` is null at its end, and may be there although nothing in this piece matched. */
export type LeadPiece = { leads: LeadRecord[], next: LeadPosition | null }

/** Reads a list piece by piece; no piece keeps the process from its other work for long. */
export type LeadReader = (after: LeadPosition | null, limit: number) => Promise<LeadPiece>

// The fewest rows that one statement may have to look at in vain, so that a filter which hardly
// anything matches does not stop all logins while the whole shop is walked.
const WINDOW_ROWS = 10_000
// Up to so many matches are looked up and sorted; beyond that the walk finds a page soon enough.
const NARROW_SEARCH_MATCHES = 2000

/** One page and the cursor of the next; undefined when the cursor is not one of this list. */
export async function findLeadPage (parts: Pick<Parts, 'database' | 'vault' | 'now'>, query: LeadQuery, options: {
  cursor: string | null, limit: number
}): Promise<{ data: LeadView[], next_cursor: string | null } | undefined> {
  const { database, vault, now } = parts
  const start = options.cursor === null ? null : openCursor(vault, query, options.cursor)
  if (start === undefined) return undefined
  const read = await createLeadReader(database, query, now)
  const leads: LeadRecord[] = []
  let after: LeadPosition | null = start
  do {
    const piece = await read(after, options.limit + 1 - leads.length)
    leads.push(...piece.leads)
    after = piece.next
    if (after !== null) await setImmediate()
  } while (after !== null && leads.length <= options.limit)
  const last = leads.length > options.limit ? leads[options.limit - 1] : undefined
  const nowMs = now()
  return {
    data: leads.slice(0, options.limit).map((lead) => leadView(lead, nowMs)),
    next_cursor: last === undefined ? null : sealCursor(vault, query, leadPosition(last, query.sort))
  }
}

/** Decides once how a list is best read. */
export async function createLeadReader (database: Database, query: LeadQuery, now: () => number): Promise<LeadReader> {
  const isSearchNarrow = query.search !== null &&
    await countSearchMatches(database, query.shopId, query.search, NARROW_SEARCH_MATCHES) < NARROW_SEARCH_MATCHES
  const hasWindows = !isSearchNarrow && isSelective(query)
  return async (after, limit) => {
    const end = hasWindows ? await findWindowEnd(database, query, after, WINDOW_ROWS) ?? null : null
    const leads = await listLeads(database, query, { after, end, limit, nowMs: now(), isSearchNarrow })
    const last = leads.at(-1)
    return { leads, next: leads.length === limit && last !== undefined ? leadPosition(last, query.sort) : end }
  }
}

/** A lead as JSON has it. */
export function leadView (lead: LeadRecord, nowMs: number): LeadView {
  return {
    id: lead.id,
    external_id: lead.externalId,
    provider: lead.provider,
    provider_user_id: lead.providerUserId,
    username: lead.username,
    name: lead.name,
    picture_url: lead.pictureURL,
    account_type: lead.accountType,
    email: lead.email,
    email_verified: lead.isEmailVerified,
    email_source: lead.emailSource,
    phone: lead.phone,
    consents: {},
    token: { status: tokenStatus(lead.token, nowMs), expires_at: formatTimeOrNull(lead.token?.expiresAtMs ?? null) },
    source: { page: lead.sourcePage, campaign: lead.sourceCampaign },
    orders: { count: 0, totals: [] },
    first_seen_at: formatTime(lead.firstSeenAtMs),
    last_login_at: formatTimeOrNull(lead.lastLoginAtMs),
    login_count: lead.loginCount,
    updated_at: formatTime(lead.updatedAtMs)
  }
}

// True when rows may have to be passed over: filters beyond a range of the order itself.
function isSelective ({ sort, sinceMs, untilMs, updatedSinceMs, provider, search, hasEmail, tokenStatus }: LeadQuery): boolean {
  const others = sort === 'updated' ? [sinceMs, untilMs] : [updatedSinceMs]
  return [...others, provider, search, hasEmail, tokenStatus].some((filter) => filter !== null)
}

function sealCursor (vault: Vault, query: LeadQuery, position: LeadPosition): string {
  return vault.seal('cursor', contextOf(query), JSON.stringify([position.atMs, position.id]))
}

// A cursor opens only for the shop and the filters that it was made for: borrowed or forged ones are none.
function openCursor (vault: Vault, query: LeadQuery, cursor: string): LeadPosition | undefined {
  try {
    const position: unknown = JSON.parse(vault.unseal('cursor', contextOf(query), cursor))
    const [atMs, id]: unknown[] = Array.isArray(position) ? position : []
    return typeof atMs === 'number' && typeof id === 'string' ? { atMs, id } : undefined
  } catch (error) {
    if (error instanceof VaultError) return undefined
    throw error
  }
}

function contextOf (query: LeadQuery): string {
  const { shopId, sort, order, sinceMs, untilMs, updatedSinceMs, provider, search, hasEmail, tokenStatus } = query
  return JSON.stringify(['leads', shopId, sort, order, sinceMs, untilMs, updatedSinceMs, provider, search?.from ?? null, hasEmail, tokenStatus])
}
