import { Readable } from 'node:stream'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Static, Type } from 'typebox'
import { exportLeads } from '../flows/export/export-leads.ts'
import { EXPORT_FORMATS, LEAD_FORMATS } from '../flows/export/formats.ts'
import { findLeadPage } from '../flows/leads.ts'
import { formatTime, parseTime } from '../flows/times.ts'
import type { Parts } from '../parts.ts'
import { findLeadPosition, type LeadPosition, type LeadQuery } from '../store/leads.ts'
import { TOKEN_STATUSES } from '../store/tokens.ts'
import { cleanText, searchRange } from '../text.ts'
import { checkStillAllowed, keyOf } from './bearer.ts'
import { createExportSlots } from './export-slots.ts'
import { invalidMember } from './problem.ts'
import { choice, Lead, problems, shared } from './schemas.ts'

const DEFAULT_LIMIT = 50

/** How long an export waits for its reader to take the next page. */
const STALL_LIMIT_MS = 60_000

const time = (description: string) => Type.Optional(Type.String({ format: 'date-time', maxLength: 40, description }))

const FILTERS = {
  since: time('First seen at this time or later'),
  until: time('First seen before this time'),
  updated_since: time('Changed at this time or later'),
  sort: Type.Optional(choice(['first_seen', 'updated'], { default: 'first_seen' })),
  order: Type.Optional(choice(['desc', 'asc'], { default: 'desc' })),
  provider: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'Any identity of the customer' })),
  q: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'The beginning of name, username or e-mail, without regard to case' })),
  has_email: Type.Optional(Type.Boolean()),
  token_status: Type.Optional(choice(TOKEN_STATUSES))
}

const ListQuery = Type.Object({
  ...FILTERS,
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: DEFAULT_LIMIT })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 2000, description: 'next_cursor of the page before, with the same filters' }))
}, { additionalProperties: false })

const ExportQuery = Type.Object({
  ...FILTERS,
  format: choice(EXPORT_FORMATS),
  after: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: 'csv and ndjson, with sort=first_seen: continue behind the lead with this id, without the header' })),
  bom: Type.Optional(choice(['0', '1'], { description: 'csv: begin with a byte order mark, for Excel' }))
}, { additionalProperties: false })

const LeadPage = Type.Object({
  data: Type.Array(shared(Lead)),
  next_cursor: Type.Unsafe<string | null>({ type: ['string', 'null'], description: 'null at the end' })
})

type Filters = Omit<Static<typeof ListQuery>, 'limit' | 'cursor'>

const EXPORT_CONTENT = {
  'text/csv': { schema: Type.String() },
  'application/x-ndjson': { schema: Type.String({ description: 'One lead a line' }) },
  'application/json': { schema: Type.Object({ data: Type.Array(shared(Lead)) }) }
}

/** List and export leads. */
export const leadRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  const slots = createExportSlots()
  const running = new Set<Readable>()
  // An export may take longer than closing may; its reader goes on with `after` at another replica.
  app.addHook('preClose', async () => {
    for (const stream of running) stream.destroy(new Error('The service is closing.'))
  })

  app.get('/v1/leads', {
    config: { scope: 'leads:read' },
    schema: {
      operationId: 'listLeads',
      summary: 'Leads, page by page',
      querystring: ListQuery,
      response: { 200: LeadPage, ...problems(400, 401, 403) }
    }
  }, async (request) => {
    const { cursor = null, limit = DEFAULT_LIMIT } = request.query
    const page = await findLeadPage(parts, queryOf(keyOf(request).shopId, request.query), { cursor, limit })
    if (page === undefined) throw invalidMember('cursor', 'The member "cursor" is not one of this list with these filters.')
    return page
  })

  app.get('/v1/leads/export', {
    config: { scope: 'leads:read' },
    // A HEAD would read the whole shop for nothing.
    exposeHeadRoute: false,
    schema: {
      operationId: 'exportLeads',
      summary: 'All leads that match, streamed; a failure breaks the connection',
      querystring: ExportQuery,
      response: { 200: { description: 'The leads', content: EXPORT_CONTENT }, ...problems(400, 401, 403, 429) }
    }
  }, async (request, reply) => {
    const { query } = request
    const { shopId } = keyOf(request)
    const leads = queryOf(shopId, query)
    const after = await readAfter(parts, leads, query)
    if (query.bom !== undefined && query.format !== 'csv') throw invalidMember('bom', 'The member "bom" is for csv alone.')
    const format = LEAD_FORMATS[query.format]
    const release = slots.take(shopId)
    const stream = Readable.from(exportLeads(parts, leads, {
      format,
      after,
      hasByteOrderMark: query.bom === '1',
      checkAllowed: async () => {
        stall.refresh()
        await checkStillAllowed(parts, request, 'leads:read')
      }
    }))
    const stall = setTimeout(() => stream.destroy(new Error('The reader of an export stood still.')), STALL_LIMIT_MS)
    running.add(stream)
    // A reset rather than an end: over HTTP/1.0 an early end would look like a whole document.
    stream.once('error', () => { if (reply.raw.headersSent) reply.raw.socket?.resetAndDestroy() })
    const end = () => {
      clearTimeout(stall)
      running.delete(stream)
      release()
    }
    stream.once('close', end)
    // Also when the answer ends without the stream ever being taken up.
    reply.raw.once('close', end)
    return reply
      .type(format.mediaType)
      .header('content-disposition', `attachment; filename="leads-${formatTime(parts.now()).slice(0, 10)}.${query.format}"`)
      .send(stream)
  })
}

async function readAfter ({ database }: Pick<Parts, 'database'>, leads: LeadQuery, { after, format }: Static<typeof ExportQuery>): Promise<LeadPosition | null> {
  if (after === undefined) return null
  if (!LEAD_FORMATS[format].canResume) throw invalidMember('after', 'The member "after" is for csv and ndjson alone.')
  // By the order of first sight a row keeps its place; by that of changes it may have moved since.
  if (leads.sort !== 'first_seen') throw invalidMember('after', 'The member "after" goes with sort=first_seen alone.')
  const position = await findLeadPosition(database, leads.shopId, cleanText(after))
  if (position === undefined) throw invalidMember('after', 'The member "after" is not the id of a lead.')
  return position
}

function queryOf (shopId: string, filters: Filters): LeadQuery {
  return {
    shopId,
    sort: filters.sort ?? 'first_seen',
    order: filters.order ?? 'desc',
    sinceMs: timeOf(filters.since),
    untilMs: timeOf(filters.until),
    updatedSinceMs: timeOf(filters.updated_since),
    provider: filters.provider === undefined ? null : cleanText(filters.provider),
    search: filters.q === undefined ? null : searchRange(cleanText(filters.q)),
    hasEmail: filters.has_email ?? null,
    tokenStatus: filters.token_status ?? null
  }
}

// The schema's format has refused what does not parse.
function timeOf (text: string | undefined): number | null {
  return text === undefined ? null : parseTime(text) ?? null
}
