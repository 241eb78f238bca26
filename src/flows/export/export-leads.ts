import { setImmediate } from 'node:timers/promises'
import type { Parts } from '../../parts.ts'
import type { LeadPosition, LeadQuery } from '../../store/leads.ts'
import { createLeadReader } from '../leads.ts'
import type { LeadFormat } from './formats.ts'

const PAGE_ROWS = 500
const BYTE_ORDER_MARK = '\uFEFF'

/**
 * Writes leads page by page, one text a page, so that memory stays the same whatever their number, and
 * other requests get their turn between pages.
 * @param options.after continues behind this place: without the header, to be appended to what is there
 * @param options.checkAllowed called before each page; what it throws breaks the export off
 */
export async function * exportLeads (parts: Pick<Parts, 'database' | 'now'>, query: LeadQuery, options: {
  format: LeadFormat
  after?: LeadPosition | null
  hasByteOrderMark?: boolean
  checkAllowed?: () => Promise<void>
}): AsyncGenerator<string, void, undefined> {
  const { format, after: start = null, hasByteOrderMark = false, checkAllowed = async () => {} } = options
  const read = await createLeadReader(parts.database, query, parts.now)
  let after = start
  let text = start === null ? (hasByteOrderMark ? BYTE_ORDER_MARK : '') + format.open : ''
  let isFirst = true
  do {
    await checkAllowed()
    const { leads, next } = await read(after, PAGE_ROWS)
    const nowMs = parts.now()
    for (const lead of leads) {
      text += isFirst ? format.row(lead, nowMs) : format.separator + format.row(lead, nowMs)
      isFirst = false
    }
    after = next
    if (after === null) text += format.close
    if (text !== '') yield text
    text = ''
    await setImmediate()
  } while (after !== null)
}
