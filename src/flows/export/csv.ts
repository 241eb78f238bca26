import type { LeadRecord } from '../../store/leads.ts'
import { tokenStatus } from '../../store/tokens.ts'
import { formatTime } from '../times.ts'

/** The columns of a CSV export, in their order; shops build on it, so new ones go to the end. */
export const CSV_COLUMNS = [
  'id', 'external_id', 'provider', 'provider_user_id', 'username', 'name', 'picture_url', 'account_type', 'email',
  'email_verified', 'email_source', 'phone', 'consents', 'token.status', 'token.expires_at', 'source.page',
  'source.campaign', 'orders.count', 'orders.totals', 'first_seen_at', 'last_login_at', 'login_count', 'updated_at'
] as const

// What a spreadsheet may take for a formula: = + - @, their full-width, small and mathematical forms, a tab
// or a line break, also behind blanks, quotes and invisible characters. The apostrophe is one of the quotes,
// so that a text which begins like a defused one is defused as well, and undoing is exact.
const FORMULA = /^[\s\p{Z}\p{C}"'`´‘’‚“”„«»＂＇]*[=+\-@\t\r\n＝＋－＠﹦﹢﹣﹫−]/u

// The same behind a semicolon or tab inside a cell: where a spreadsheet splits at those, a cell begins there.
const INNER_FORMULA = /[;\t](?=[\s\p{Z}\p{C}"'`´‘’‚“”„«»＂＇]*?[=+\-@\t\r\n＝＋－＠﹦﹢﹣﹫−])/gu
const DEFUSED_INNER_FORMULA = /([;\t])'(?=[\s\p{Z}\p{C}"'`´‘’‚“”„«»＂＇]*?[=+\-@\t\r\n＝＋－＠﹦﹢﹣﹫−])/gu

// A field with one of these stands in quotes (RFC 4180 2.6). The semicolon and the tab do not ask for it
// there, but some spreadsheets split at them.
const NEEDS_QUOTES = /[",;\t\r\n]/

// Most cells begin with a letter or a digit and are through after one look.
const BEGINS_PLAIN = /^[0-9A-Za-z]/
const HAS_SEPARATOR = /[;\t]/

/** The first line with the names of the columns. */
export const CSV_HEADER = `${CSV_COLUMNS.join(',')}\r\n`

/** One lead as a line of CSV with its line end (RFC 4180); null is an empty cell. */
export function formatCSVLine (lead: LeadRecord, nowMs: number): string {
  const { token } = lead
  return `${lead.id},${cell(lead.externalId)},${cell(lead.provider)},${cell(lead.providerUserId)},${cell(lead.username)},${
    cell(lead.name)},${cell(lead.pictureURL)},${cell(lead.accountType)},${cell(lead.email)},${lead.isEmailVerified},${
    lead.emailSource ?? ''},${cell(lead.phone)},{},${tokenStatus(token, nowMs)},${time(token === null ? null : token.expiresAtMs)},${
    cell(lead.sourcePage)},${cell(lead.sourceCampaign)},0,,${time(lead.firstSeenAtMs)},${time(lead.lastLoginAtMs)},${
    lead.loginCount},${time(lead.updatedAtMs)}\r\n`
}

/**
 * Puts an apostrophe before a text that a spreadsheet would run as a formula, and behind each semicolon
 * or tab inside it that such a one follows. To undo it, take away the apostrophe from where one stands
 * and would be put without it.
 */
export function defuse (text: string): string {
  const inner = HAS_SEPARATOR.test(text) ? text.replaceAll(INNER_FORMULA, "$&'") : text
  return FORMULA.test(inner) ? `'${inner}` : inner
}

/** The text that {@link defuse} was given. */
export function undoDefuse (cell: string): string {
  const text = cell.startsWith("'") && FORMULA.test(cell.slice(1)) ? cell.slice(1) : cell
  return text.replaceAll(DEFUSED_INNER_FORMULA, '$1')
}

function cell (text: string | null): string {
  if (text === null || text === '') return ''
  const safe = BEGINS_PLAIN.test(text) && !HAS_SEPARATOR.test(text) ? text : defuse(text)
  return NEEDS_QUOTES.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe
}

function time (timeMs: number | null): string {
  return timeMs === null ? '' : formatTime(timeMs)
}
