import { EventEmitter, once } from 'node:events'
import { get as httpGet, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { connect } from 'node:net'
import papaparse from 'papaparse'
import { test } from 'tap'
import { CSV_COLUMNS, undoDefuse } from '../../src/flows/export/csv.ts'
import type { Parts } from '../../src/parts.ts'
import { revokeKey } from '../../src/store/shops.ts'
import { buildParts, buildRest, seedLogin, seedMany, seedShop } from '../support/rest.ts'

async function build (t: Parameters<typeof buildParts>[0]) {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const shop = await seedShop(parts)
  return { ...shop, parts, app, get: (query: string) => app.inject({ url: `/v1/leads/export?${query}`, headers: shop.headers }) }
}

// Parts whose lead pages call something first: the place to stop an export in the middle.
function atEachPage (parts: Parts, act: (page: number) => Promise<void>): Parts {
  let page = 0
  const all: Parts['database']['all'] = async (sql, values) => {
    if (sql.includes('from customers c')) await act(++page)
    return parts.database.all(sql, values)
  }
  return { ...parts, database: { ...parts.database, all } }
}

function open (app: FastifyInstance, headers: { authorization: string }, query = 'format=csv', signal?: AbortSignal): Promise<IncomingMessage> {
  const { port } = app.server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    httpGet({ host: '127.0.0.1', port, path: `/v1/leads/export?${query}`, headers, agent: false, ...(signal !== undefined && { signal }) }, resolve).on('error', reject)
  })
}

function readCSV (text: string): Array<Record<string, string>> {
  return papaparse.parse<Record<string, string>>(text, { header: true, skipEmptyLines: true, delimiter: ',', newline: '\r\n' }).data
}

test('each format has its type and a file name, and is told apart from a page', async (t) => {
  const { parts, shopId, get } = await build(t)
  await seedLogin(parts, shopId)
  for (const [format, type] of [['csv', 'text/csv; charset=utf-8'], ['ndjson', 'application/x-ndjson'], ['json', 'application/json']]) {
    const response = await get(`format=${format}`)
    t.equal(response.statusCode, 200)
    t.equal(response.headers['content-type'], type)
    t.equal(response.headers['content-disposition'], `attachment; filename="leads-2026-01-15.${format}"`)
  }
})

test('CSV has the documented columns, ends lines by CRLF and begins with a byte order mark when asked', async (t) => {
  const { parts, shopId, get } = await build(t)
  await seedMany(parts, shopId, 3)
  const plain = (await get('format=csv&bom=0')).payload
  t.equal(plain.split('\r\n')[0], CSV_COLUMNS.join(','))
  t.equal(plain.replaceAll('\r\n', '').search(/[\r\n]/), -1)
  t.ok(plain.endsWith('\r\n'))
  const marked = (await get('format=csv&bom=1')).rawPayload
  t.strictSame([...marked.subarray(0, 3)], [0xef, 0xbb, 0xbf])
  t.equal(marked.subarray(3).toString(), plain)
})

test('the formats say the same as the list', async (t) => {
  const { parts, shopId, get, app, headers } = await build(t)
  await seedMany(parts, shopId, 20)
  const list = (await app.inject({ url: '/v1/leads?order=asc&q=person1', headers })).json().data
  t.equal(list.length, 11)
  t.strictSame((await get('format=json&order=asc&q=person1')).json().data, list)
  t.strictSame((await get('format=ndjson&order=asc&q=person1')).payload.split('\n').filter(Boolean).map((line) => JSON.parse(line)), list)
  t.strictSame(readCSV((await get('format=csv&order=asc&q=person1')).payload).map((row) => [row['id'], row['username'], row['token.status']]),
    list.map((lead: { id: string, username: string, token: { status: string } }) => [lead.id, lead.username, lead.token.status]))
})

test('T-53: formulas are defused in CSV, told exactly in NDJSON and JSON, and undone by the rule', async (t) => {
  const { parts, shopId, get, app, headers } = await build(t)
  const id = await seedLogin(parts, shopId, { providerUserId: '90071992547409931', username: '@ana', sourceCampaign: '=HYPERLINK("https://evil.example";"x")' })
  await app.inject({ method: 'PATCH', url: `/v1/customers/${id}`, headers, payload: { name: '\'=1+1\r,"x', phone: '+43 660 1', email: '-a@b.c' } })
  const wanted = { username: '@ana', name: '\'=1+1\r,"x', phone: '+43 660 1', email: '-a@b.c', 'source.campaign': '=HYPERLINK("https://evil.example";"x")' }
  const [row = {}] = readCSV((await get('format=csv')).payload)
  for (const [column, text] of Object.entries(wanted)) {
    t.equal(row[column], `'${text}`)
    t.equal(undoDefuse(row[column] ?? ''), text)
  }
  t.equal(row['provider_user_id'], '90071992547409931')
  for (const lead of [JSON.parse((await get('format=ndjson')).payload), (await get('format=json')).json().data[0]]) {
    t.match(lead, { username: '@ana', name: wanted.name, phone: wanted.phone, provider_user_id: '90071992547409931', source: { campaign: wanted['source.campaign'] } })
  }
})

for (const format of ['csv', 'ndjson']) {
  for (const order of ['asc', 'desc']) {
    test(`a broken ${format} export in ${order} order is continued behind its last whole row`, async (t) => {
      const { parts, shopId, get } = await build(t)
      const ids = await seedMany(parts, shopId, 7)
      const whole = (await get(`format=${format}&order=${order}`)).payload
      const inOrder = order === 'asc' ? ids : ids.toReversed()
      const lines = whole.split('\n')
      const kept = lines.slice(0, format === 'csv' ? 4 : 3).join('\n') + '\n'
      const rest = await get(`format=${format}&order=${order}&after=${inOrder[2]}`)
      t.equal(kept + rest.payload, whole)
      t.equal((await get(`format=${format}&order=${order}&after=${inOrder[6]}`)).payload, '')
    })
  }
}

const REFUSED: ReadonlyArray<[query: string, member: string]> = [
  ['', 'format'], ['format=xlsx', 'format'], ['format=csv&format=json', 'format'], ['format=csv&after=cus_none', 'after'], ['format=json&after=cus_none', 'after'],
  ['format=json&bom=1', 'bom'], ['format=csv&bom=true', 'bom'], ['format=csv&limit=5', 'limit'], ['format=csv&cursor=x', 'cursor'], ['format=csv&consent=x', 'consent'],
  ['format=csv&since=x', 'since'], ['format=csv&sort=updated&after=cus_none', 'after'], ['format=csv&after=', 'after']
]

for (const [query, member] of REFUSED) {
  test(`an export with "${query}" is refused, naming ${member}`, async (t) => {
    const { get } = await build(t)
    const response = await get(query)
    t.equal(response.statusCode, 400)
    t.match(response.json(), { member })
    t.equal(response.headers['content-disposition'], undefined)
  })
}

test('T-28: an export stops at its next page when its key is revoked, and the connection breaks', async (t) => {
  const parts = await buildParts(t)
  const { shopId, keyId, headers } = await seedShop(parts)
  await seedMany(parts, shopId, 1200)
  const { app } = await buildRest(t, atEachPage(parts, async (page) => {
    if (page === 1) await revokeKey(parts.database, keyId, parts.now())
    if (page > 1) t.fail('a page was read with a revoked key')
  }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const response = await open(app, headers)
  let text = ''
  await t.rejects(async () => { for await (const chunk of response) text += String(chunk) }, { code: 'ECONNRESET' })
  t.equal(text.split('\r\n').length, 502, 'the first page came whole')
  t.equal(response.complete, false)
})

test('a failure of the database breaks the connection instead of ending the file', async (t) => {
  const parts = await buildParts(t)
  const { shopId, headers } = await seedShop(parts)
  await seedMany(parts, shopId, 600)
  const { app } = await buildRest(t, atEachPage(parts, async (page) => { if (page === 2) throw new Error('disk') }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const response = await open(app, headers, 'format=json')
  await t.rejects(async () => { for await (const chunk of response) t.ok(chunk) }, { code: 'ECONNRESET' })
})

test('a failure is told from an end over HTTP/1.0 too, where an answer has no other end than the connection’s', async (t) => {
  const parts = await buildParts(t)
  const { shopId, headers } = await seedShop(parts)
  await seedMany(parts, shopId, 600)
  const { app } = await buildRest(t, atEachPage(parts, async (page) => { if (page === 2) throw new Error('disk') }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = connect((app.server.address() as AddressInfo).port, '127.0.0.1')
  socket.write(`GET /v1/leads/export?format=csv HTTP/1.0\r\nAuthorization: ${headers.authorization}\r\n\r\n`)
  let text = ''
  await t.rejects(async () => { for await (const chunk of socket) text += String(chunk) }, { code: 'ECONNRESET' })
  t.match(text, 'HTTP/1.1 200')
})

test('closing breaks off an export whose reader stands still', { timeout: 20_000 }, async (t) => {
  const parts = await buildParts(t)
  const { shopId, headers } = await seedShop(parts)
  await seedMany(parts, shopId, 3000)
  await parts.database.run('update customers set source_page = $1', ['x'.repeat(4000)])
  const { app } = await buildRest(t, parts)
  await app.listen({ host: '127.0.0.1', port: 0 })
  const response = await open(app, headers)
  response.on('error', () => {})
  await app.close()
  t.equal(app.server.listening, false)
})

test('a failure before the first page is a problem document and gives the slot back', async (t) => {
  const parts = await buildParts(t)
  const { headers } = await seedShop(parts)
  const { app } = await buildRest(t, atEachPage(parts, async () => { throw new Error('disk') }))
  for (let i = 0; i < 6; i++) {
    const response = await app.inject({ url: '/v1/leads/export?format=csv', headers })
    t.equal(response.statusCode, 500)
    t.match(response.headers['content-type'], 'application/problem+json')
    t.equal(response.json().code, 'internal_error')
  }
})

test('T-54: the fifth export of a shop at once is told to wait, another shop\'s is not, and a reader that goes makes room', async (t) => {
  const parts = await buildParts(t)
  const { shopId, headers } = await seedShop(parts)
  const other = await seedShop(parts, { url: 'https://other.example' })
  await seedMany(parts, shopId, 3)
  const { promise: gate, resolve: openGate } = Promise.withResolvers<void>()
  const asked = new EventEmitter()
  const { app } = await buildRest(t, atEachPage(parts, async (page) => { asked.emit(String(page)); await gate }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  const { promise: gone, resolve: goes } = Promise.withResolvers<void>()
  app.server.once('request', (_request, response: ServerResponse) => response.once('close', goes))
  const abort = new AbortController()
  const firstAsks = once(asked, '1')
  const aborted = t.rejects(async () => { await open(app, headers, 'format=csv', abort.signal) }, { code: 'ABORT_ERR' })
  await firstAsks
  const fourAsk = once(asked, '4')
  const readers = Array.from({ length: 3 }, () => open(app, headers))
  await fourAsk

  const refused = await app.inject({ url: '/v1/leads/export?format=csv', headers })
  t.equal(refused.statusCode, 429)
  t.match(refused.headers['retry-after'], /^\d+$/)
  t.match(refused.json(), { code: 'too_many_exports' })
  const foreignAsks = once(asked, '5')
  const foreign = app.inject({ url: '/v1/leads/export?format=csv', headers: other.headers })
  await foreignAsks

  abort.abort()
  await aborted
  await gone
  const next = app.inject({ url: '/v1/leads/export?format=csv', headers })
  openGate()
  t.equal((await foreign).statusCode, 200)
  t.equal((await next).statusCode, 200)
  for (const reader of await Promise.all(readers)) {
    reader.resume()
    await once(reader, 'end')
  }
  for (let i = 0; i < 6; i++) t.equal((await app.inject({ url: '/v1/leads/export?format=csv', headers })).statusCode, 200, 'every slot came back')
})

test('T-54: a reader that does not read keeps no page but the next in memory', async (t) => {
  const parts = await buildParts(t)
  const { shopId, headers } = await seedShop(parts)
  await seedMany(parts, shopId, 3000)
  let pages = 0
  const { app } = await buildRest(t, atEachPage(parts, async (page) => { pages = page }))
  await app.listen({ host: '127.0.0.1', port: 0 })
  // Names so long that a page is larger than what the sockets between us hold.
  await parts.database.run('update customers set name = $1 where shop_id = $2', ['x'.repeat(10_000), shopId])
  const response = await open(app, headers)
  response.pause()
  for (let turns = 0; turns < 2000; turns++) await new Promise(setImmediate)
  t.ok(pages < 7, `${pages} pages of 7`)
  response.on('error', () => {}).destroy()
})

test('HEAD of an export reads nothing', async (t) => {
  const { app, headers } = await build(t)
  t.equal((await app.inject({ method: 'HEAD', url: '/v1/leads/export?format=csv', headers })).statusCode, 404)
})
