import { type Database, integer, integerOrNull, type Row, text, textOrNull } from './database.ts'
import { type Fragment, joinFragments } from './fragments.ts'
import { tokenStatusIs, type TokenStatus } from './tokens.ts'

/** Which leads of a shop, in which order. Times are milliseconds since 1970; null does not filter. */
export type LeadQuery = {
  shopId: string
  sort: 'first_seen' | 'updated'
  order: 'asc' | 'desc'
  /** Inclusive, as `updatedSinceMs`; `untilMs` is exclusive. */
  sinceMs: number | null
  untilMs: number | null
  updatedSinceMs: number | null
  /** Any of the customer's identities. */
  provider: string | null
  /** The beginning of name, username or e-mail as a range of search keys; see `searchRange` in text.ts. */
  search: { from: string, to: string } | null
  hasEmail: boolean | null
  tokenStatus: TokenStatus | null
}

/** A place between two rows of a list: behind the row with this time and id. */
export type LeadPosition = { atMs: number, id: string }

/** A piece of the list: rows behind `after`, up to and with `end`. */
export type LeadRange = { after: LeadPosition | null, end: LeadPosition | null }

/** A customer with the identity used last and the times of its token. */
export type LeadRecord = {
  id: string
  externalId: string | null
  provider: string | null
  providerUserId: string | null
  username: string | null
  /** The customer's own name if there is one, else the identity's. */
  name: string | null
  pictureURL: string | null
  accountType: string | null
  email: string | null
  isEmailVerified: boolean
  emailSource: string | null
  phone: string | null
  token: { obtainedAtMs: number, expiresAtMs: number | null, revokedAtMs: number | null } | null
  sourcePage: string | null
  sourceCampaign: string | null
  firstSeenAtMs: number
  lastLoginAtMs: number | null
  loginCount: number
  updatedAtMs: number
}

const SELECT_LEADS = `select c.id, c.external_id, i.provider, i.provider_user_id, i.username,
    case when c.name is null then i.name else c.name end as name, i.picture_url, i.account_type,
    c.email, c.email_verified_at_ms, c.email_source, c.phone, t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms,
    c.source_page, c.source_campaign, c.first_seen_at_ms, c.last_login_at_ms, c.login_count, c.updated_at_ms`
const FROM_CUSTOMERS = 'from customers c'
// The customers found come first and are looked up one by one: "in" would walk all of the shop instead.
const FROM_FOUND = `from (select id from customers where shop_id = ? and name_key >= ? and name_key < ?
    union select id from customers where shop_id = ? and email_key >= ? and email_key < ?
    union select customer_id from identities where shop_id = ? and username_key >= ? and username_key < ?) found
  cross join customers c`
const JOIN_LAST_USED = `left join identities i on i.id = c.last_identity_id
  left join tokens t on t.identity_id = i.id where c.shop_id = ?`
const IS_FOUND = 'and c.id = found.id'
const MATCHES = `and (c.name_key >= ? and c.name_key < ? or c.email_key >= ? and c.email_key < ?
    or exists (select 1 from identities m where m.customer_id = c.id and m.username_key >= ? and m.username_key < ?))`
const COUNT_FOUND = `select count(*) as total from (
    select id from (select id from customers where shop_id = $1 and name_key >= $2 and name_key < $3 limit $4) n
    union all select id from (select id from customers where shop_id = $1 and email_key >= $2 and email_key < $3 limit $4) e
    union all select id from (select customer_id as id from identities
      where shop_id = $1 and username_key >= $2 and username_key < $3 limit $4) u) found`
const FIND_FIRST_SEEN = 'select first_seen_at_ms as at_ms, id from customers where shop_id = $1 and id = $2'
const SELECT_POSITIONS = {
  first_seen: 'select c.first_seen_at_ms as at_ms, c.id from customers c where c.shop_id = ?',
  updated: 'select c.updated_at_ms as at_ms, c.id from customers c where c.shop_id = ?'
}
const PROVIDER_IS = 'and exists (select 1 from identities p where p.customer_id = c.id and p.provider = ?)'

// By the column of the order. `+ 0` keeps a filter on the other column from drawing its index in,
// which would sort the whole shop for one page.
const ORDERS = {
  first_seen: {
    asc: 'order by c.first_seen_at_ms, c.id',
    desc: 'order by c.first_seen_at_ms desc, c.id desc',
    behind: { asc: 'and (c.first_seen_at_ms, c.id) > (?, ?)', desc: 'and (c.first_seen_at_ms, c.id) < (?, ?)' },
    upTo: { asc: 'and (c.first_seen_at_ms, c.id) <= (?, ?)', desc: 'and (c.first_seen_at_ms, c.id) >= (?, ?)' },
    from: 'and c.first_seen_at_ms >= ?',
    below: 'and c.first_seen_at_ms < ?'
  },
  updated: {
    asc: 'order by c.updated_at_ms, c.id',
    desc: 'order by c.updated_at_ms desc, c.id desc',
    behind: { asc: 'and (c.updated_at_ms, c.id) > (?, ?)', desc: 'and (c.updated_at_ms, c.id) < (?, ?)' },
    upTo: { asc: 'and (c.updated_at_ms, c.id) <= (?, ?)', desc: 'and (c.updated_at_ms, c.id) >= (?, ?)' },
    from: 'and c.updated_at_ms >= ?',
    below: 'and c.updated_at_ms < ?'
  }
}
const OTHER_SINCE = 'and c.first_seen_at_ms + 0 >= ?'
const OTHER_UNTIL = 'and c.first_seen_at_ms + 0 < ?'
const OTHER_UPDATED_SINCE = 'and c.updated_at_ms + 0 >= ?'

/**
 * Leads by key, at most `limit` of them.
 * @param options.isSearchNarrow true: the few that match the search are looked up and sorted;
 *   false: the list is walked in its order and each row compared
 */
export async function listLeads (database: Database, query: LeadQuery, options: LeadRange & {
  limit: number, nowMs: number, isSearchNarrow: boolean
}): Promise<LeadRecord[]> {
  const { shopId, search, sort, order } = query
  const isLookedUp = search !== null && options.isSearchNarrow
  const range = search === null ? [] : [search.from, search.to]
  const { sql, values } = joinFragments([
    [SELECT_LEADS],
    isLookedUp ? [FROM_FOUND, shopId, ...range, shopId, ...range, shopId, ...range] : [FROM_CUSTOMERS],
    [JOIN_LAST_USED, shopId],
    ...(isLookedUp ? [[IS_FOUND] as const] : []),
    ...(search !== null && !isLookedUp ? [[MATCHES, ...range, ...range, ...range] as const] : []),
    ...rangeOf(query, options),
    ...filtersOf(query, options.nowMs),
    [ORDERS[sort][order]],
    ['limit ?', options.limit]
  ])
  return (await database.all(sql, values)).map(leadOf)
}

/** The place `size` rows of the index behind `after`, whatever the filters; undefined when fewer are left. */
export async function findWindowEnd (database: Database, query: LeadQuery, after: LeadPosition | null, size: number): Promise<LeadPosition | undefined> {
  const { sql, values } = joinFragments([
    [SELECT_POSITIONS[query.sort], query.shopId],
    ...rangeOf(query, { after, end: null }),
    [ORDERS[query.sort][query.order]],
    // An offset of a fixed size over the index alone: it bounds how long one statement can take.
    ['limit 1 offset ?', size - 1]
  ])
  return positionOf(await database.get(sql, values))
}

/** Where in the order of first sight a lead of this shop stands. */
export async function findLeadPosition (database: Database, shopId: string, id: string): Promise<LeadPosition | undefined> {
  return positionOf(await database.get(FIND_FIRST_SEEN, [shopId, id]))
}

/** How many index entries match a search, counted up to about three times `limit`. */
export async function countSearchMatches (database: Database, shopId: string, search: { from: string, to: string }, limit: number): Promise<number> {
  const row = await database.get(COUNT_FOUND, [shopId, search.from, search.to, limit])
  return row === undefined ? 0 : integer(row, 'total')
}

/** The place of a lead in the order of a query. */
export function leadPosition (lead: LeadRecord, sort: LeadQuery['sort']): LeadPosition {
  return { atMs: sort === 'updated' ? lead.updatedAtMs : lead.firstSeenAtMs, id: lead.id }
}

// One bound at each side: with two on one side the engine would seek by the looser one, and every
// page would cost as much as all pages before it.
function rangeOf ({ sort, order, sinceMs, untilMs, updatedSinceMs }: LeadQuery, { after, end }: LeadRange): Fragment[] {
  const column = ORDERS[sort]
  const lowerMs = sort === 'updated' ? updatedSinceMs : sinceMs
  const upperMs = sort === 'updated' ? null : untilMs
  const from: Fragment[] = lowerMs === null ? [] : [[column.from, lowerMs]]
  const below: Fragment[] = upperMs === null ? [] : [[column.below, upperMs]]
  const isAfterInside = after !== null &&
    (order === 'asc' ? lowerMs === null || after.atMs >= lowerMs : upperMs === null || after.atMs < upperMs)
  const start: Fragment[] = isAfterInside ? [[column.behind[order], after.atMs, after.id]] : order === 'asc' ? from : below
  const stop: Fragment[] = end !== null ? [[column.upTo[order], end.atMs, end.id]] : order === 'asc' ? below : from
  return [...start, ...stop]
}

function filtersOf (query: LeadQuery, nowMs: number): Fragment[] {
  const { sort, sinceMs, untilMs, updatedSinceMs, provider, hasEmail, tokenStatus } = query
  const filters: Fragment[] = []
  if (sort === 'updated' && sinceMs !== null) filters.push([OTHER_SINCE, sinceMs])
  if (sort === 'updated' && untilMs !== null) filters.push([OTHER_UNTIL, untilMs])
  if (sort === 'first_seen' && updatedSinceMs !== null) filters.push([OTHER_UPDATED_SINCE, updatedSinceMs])
  if (provider !== null) filters.push([PROVIDER_IS, provider])
  if (hasEmail !== null) filters.push([hasEmail ? 'and c.email is not null' : 'and c.email is null'])
  if (tokenStatus !== null) filters.push(['and'], tokenStatusIs(tokenStatus, nowMs))
  return filters
}

function positionOf (row: Row | undefined): LeadPosition | undefined {
  return row === undefined ? undefined : { atMs: integer(row, 'at_ms'), id: text(row, 'id') }
}

function leadOf (row: Row): LeadRecord {
  const obtainedAtMs = integerOrNull(row, 'obtained_at_ms')
  return {
    id: text(row, 'id'),
    externalId: textOrNull(row, 'external_id'),
    provider: textOrNull(row, 'provider'),
    providerUserId: textOrNull(row, 'provider_user_id'),
    username: textOrNull(row, 'username'),
    name: textOrNull(row, 'name'),
    pictureURL: textOrNull(row, 'picture_url'),
    accountType: textOrNull(row, 'account_type'),
    email: textOrNull(row, 'email'),
    isEmailVerified: row['email_verified_at_ms'] !== null,
    emailSource: textOrNull(row, 'email_source'),
    phone: textOrNull(row, 'phone'),
    token: obtainedAtMs === null
      ? null
      : { obtainedAtMs, expiresAtMs: integerOrNull(row, 'expires_at_ms'), revokedAtMs: integerOrNull(row, 'revoked_at_ms') },
    sourcePage: textOrNull(row, 'source_page'),
    sourceCampaign: textOrNull(row, 'source_campaign'),
    firstSeenAtMs: integer(row, 'first_seen_at_ms'),
    lastLoginAtMs: integerOrNull(row, 'last_login_at_ms'),
    loginCount: integer(row, 'login_count'),
    updatedAtMs: integer(row, 'updated_at_ms')
  }
}
