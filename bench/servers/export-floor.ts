import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import SQLite from 'better-sqlite3'
import Fastify from 'fastify'
import { announce, readSetting, readSettings } from '../support/in-child.ts'

// The floor of an export: pages by key, each row joined by hand. It quotes and defuses nothing, so it
// serves for cells that need neither.

type Row = {
  id: string,
  external_id: string | null,
  provider: string,
  provider_user_id: string,
  username: string,
  name: string
  picture_url: string,
  account_type: string,
  email: string | null,
  email_verified_at_ms: number | null,
  email_source: string | null
  phone: string | null,
  expires_at_ms: number,
  source_page: string | null,
  source_campaign: string | null
  first_seen_at_ms: number,
  last_login_at_ms: number,
  login_count: number,
  updated_at_ms: number
}

const PAGE_ROWS = 500
const EXPIRING_WITHIN_MS = 7 * 86_400_000
const HEADER = 'id,external_id,provider,provider_user_id,username,name,picture_url,account_type,email,email_verified,email_source,phone,' +
  'consents,token.status,token.expires_at,source.page,source.campaign,orders.count,orders.totals,first_seen_at,last_login_at,login_count,updated_at\r\n'

const settings = readSettings()
const shopId = readSetting(settings, 'shopId')
const connection = new SQLite(readSetting(settings, 'path'))
connection.pragma('journal_mode = WAL')
const listPage = connection.prepare<[string, number, string, number], Row>(`select c.id, c.external_id, i.provider, i.provider_user_id,
    i.username, case when c.name is null then i.name else c.name end as name, i.picture_url, i.account_type,
    c.email, c.email_verified_at_ms, c.email_source, c.phone, t.expires_at_ms,
    c.source_page, c.source_campaign, c.first_seen_at_ms, c.last_login_at_ms, c.login_count, c.updated_at_ms
  from customers c left join identities i on i.id = c.last_identity_id left join tokens t on t.identity_id = i.id
  where c.shop_id = ? and (c.first_seen_at_ms, c.id) < (?, ?) order by c.first_seen_at_ms desc, c.id desc limit ?`)

const app = Fastify()

app.get('/v1/leads/export', async (_request, reply) => reply.type('text/csv; charset=utf-8').send(Readable.from(pages())))

const address = await app.listen({ host: '127.0.0.1', port: 0 })
announce(address, () => app.close())

async function * pages (): AsyncGenerator<string, void, undefined> {
  yield HEADER
  let atMs = Number.MAX_SAFE_INTEGER
  let id = ''
  for (;;) {
    const rows = listPage.all(shopId, atMs, id, PAGE_ROWS)
    const last = rows.at(-1)
    if (last === undefined) return
    const nowMs = Date.now()
    let text = ''
    for (const row of rows) text += lineOf(row, nowMs)
    yield text
    await setImmediate()
    atMs = last.first_seen_at_ms
    id = last.id
  }
}

function lineOf (row: Row, nowMs: number): string {
  const expiresAtMs = row.expires_at_ms
  const status = expiresAtMs <= nowMs ? 'expired' : expiresAtMs <= nowMs + EXPIRING_WITHIN_MS ? 'expiring' : 'active'
  return `${row.id},${row.external_id ?? ''},${row.provider},${row.provider_user_id},${row.username},${row.name},${row.picture_url},${
    row.account_type},${row.email ?? ''},${row.email_verified_at_ms !== null},${row.email_source ?? ''},${row.phone ?? ''},{},${status},${
    new Date(expiresAtMs).toISOString()},${row.source_page ?? ''},${row.source_campaign ?? ''},0,,${
    new Date(row.first_seen_at_ms).toISOString()},${new Date(row.last_login_at_ms).toISOString()},${row.login_count},${
    new Date(row.updated_at_ms).toISOString()}\r\n`
}
