import { test } from 'tap'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { Writable } from 'node:stream'
import { addKey } from '../../src/flows/shops.ts'
import { StoreError } from '../../src/store/database.ts'
import { openDatabase } from '../../src/store/open.ts'
import { build, type Built } from '../support/build.ts'
import { logIn } from '../support/journey.ts'

const CALLBACKS = ['/meta/deauthorize', '/meta/data-deletion']
const FORM = 'application/x-www-form-urlencoded'

function post (app: FastifyInstance, url: string, payload: string, options: { type?: string, remoteAddress?: string } = {}): Promise<LightMyRequestResponse> {
  const { type = FORM, remoteAddress = '192.0.2.1' } = options
  return app.inject({ method: 'POST', url, payload, remoteAddress, headers: { 'content-type': type } })
}

function formOf (signedRequest: string): string {
  return new URLSearchParams({ signed_request: signedRequest }).toString()
}

async function dump ({ parts: { database } }: Built): Promise<string> {
  const tables = await database.all("select name from sqlite_master where type = 'table' order by name")
  return JSON.stringify(await Promise.all(tables.map(({ name }) => database.all(`select * from ${String(name)}`))))
}

/** What the shop's own key shows. */
async function readers (built: Built) {
  const { key } = await addKey(built.parts.database, { shopId: built.shop.id, scopes: ['leads:read', 'tokens:read'], nowMs: built.clock.nowMs })
  const headers = { authorization: `Bearer ${key}` }
  return (url: string) => built.app.inject({ url, headers })
}

test('a person who removes the app has a revoked token, and an active one after the next login', async (t) => {
  const built = await build(t)
  const get = await readers(built)
  const { body } = await logIn(built)
  const { id } = body.customer as { id: string }
  t.match((await get(`/v1/customers/${id}`)).json(), { identities: [{ token: { status: 'active' } }] })
  built.clock.advance(5000)
  const response = await post(built.app, '/meta/deauthorize', formOf(built.emulator.control.signedRequest('creator')))
  t.equal(response.statusCode, 200)
  t.same(response.json(), { status: 'ok' })
  t.equal(response.headers['cache-control'], 'no-store')
  t.match((await get(`/v1/customers/${id}`)).json(), { identities: [{ token: { status: 'revoked' } }] })
  t.equal((await get('/v1/leads?token_status=revoked')).json().data.length, 1)
  built.clock.advance(5000)
  await logIn(built)
  t.match((await get(`/v1/customers/${id}`)).json(), { identities: [{ token: { status: 'active' } }] })
})

test('a person who asks for deletion is in no answer and no export, and reads the state on the page', async (t) => {
  const built = await build(t)
  const get = await readers(built)
  const { body } = await logIn(built)
  await logIn(built, { persona: 'business' })
  const { id } = body.customer as { id: string }
  const { appScopedId, username, userId } = built.emulator.control.persona('creator')
  t.match((await get('/v1/leads/export?format=csv')).payload, username)
  built.clock.advance(5000)
  const response = await post(built.app, '/meta/data-deletion', formOf(built.emulator.control.signedRequest('creator')))
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], 'application/json')
  t.equal(response.headers['cache-control'], 'no-store')
  const { url, confirmation_code: code } = response.json()
  t.same(Object.keys(response.json()), ['url', 'confirmation_code'])
  t.match(code, /^[0-9a-zA-Z]{22,}$/)
  t.equal(url, `https://login.example/meta/data-deletion/${code}`)

  t.equal((await get(`/v1/customers/${id}`)).statusCode, 404)
  t.equal((await get(`/v1/customers/${id}/tokens/instagram`)).statusCode, 404)
  t.equal((await get(`/v1/customers?username=${username}`)).json().data.length, 0)
  t.equal((await get(`/v1/leads?q=${username}`)).json().data.length, 0)
  t.equal((await get('/v1/leads')).json().data.length, 1)
  for (const format of ['csv', 'ndjson', 'json']) t.notMatch((await get(`/v1/leads/export?format=${format}`)).payload, username)
  const userinfo = await built.app.inject({ url: '/oauth/userinfo', headers: { authorization: `Bearer ${String(body.access_token)}` } })
  t.equal(userinfo.statusCode, 401, 'nor does the session of the login go on')
  const rows = await dump(built)
  for (const trace of [appScopedId, username, userId]) t.notOk(rows.includes(trace))

  const page = await built.app.inject(new URL(url).pathname)
  t.equal(page.statusCode, 200)
  t.match(page.headers['content-type'], 'text/html')
  t.match(page.payload, 'completed')
  for (const trace of [appScopedId, username, userId, id, built.shop.id, 'shop.example', code]) t.notOk(page.payload.includes(trace), trace)
})

test('T-65: forged, cut off, foreign, misplaced or repeated, a signed request is answered alike and changes nothing', async (t) => {
  const built = await build(t)
  await logIn(built)
  built.clock.advance(5000)
  const { control } = built.emulator
  const genuine = control.signedRequest('creator')
  const before = await dump(built)
  const bodies: ReadonlyArray<[body: string, why: string]> = [
    [formOf(control.signedRequest('creator', { secret: 'forged' })), 'forged'],
    [formOf(genuine.slice(0, -3)), 'cut off'],
    [formOf(control.signedRequest('creator', { flavour: 'basicDisplay' })), 'of an app that is not configured'],
    [formOf(control.signedRequest('creator', { issuedAt: Math.floor(built.clock.nowMs / 1000) + 3600 })), 'from the future'],
    [`${formOf(genuine)}&${formOf(genuine)}`, 'twice'],
    ['', 'nothing'], ['signed_request=', 'empty'], [`signed_requests=${genuine}`, 'another name'], [`signed_request[]=${genuine}`, 'a list']
  ]
  for (const url of CALLBACKS) {
    const answers = new Set<string>()
    for (const [body, why] of bodies) {
      const response = await post(built.app, url, body)
      t.equal(response.statusCode, 400, `${url} ${why}`)
      t.match(response.headers['content-type'], 'application/problem+json')
      const { request_id: requestId, ...rest } = response.json()
      t.type(requestId, 'string')
      answers.add(JSON.stringify(rest))
    }
    t.equal(answers.size, 1, 'no answer tells what was wrong')
    t.equal((await post(built.app, `${url}?${formOf(genuine)}`, '')).statusCode, 400, 'in the query it is not looked for')
  }
  t.equal(await dump(built), before)
})

test('other types, large bodies and other methods are refused', async (t) => {
  const built = await build(t)
  await logIn(built)
  built.clock.advance(5000)
  const before = await dump(built)
  const signedRequest = built.emulator.control.signedRequest('creator')
  for (const url of CALLBACKS) {
    for (const type of ['application/json', 'text/plain', 'multipart/form-data; boundary=x']) {
      const response = await post(built.app, url, JSON.stringify({ signed_request: signedRequest }), { type })
      t.equal(response.statusCode, 415, `${url} ${type}`)
      t.match(response.json(), { code: 'unsupported_media_type', detail: /x-www-form-urlencoded/ })
    }
    t.equal((await post(built.app, url, `${formOf(signedRequest)}&more=${'x'.repeat(17_000)}`)).statusCode, 413, url)
    for (const method of ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS'] as const) {
      const response = await built.app.inject({ method, url: `${url}?${formOf(signedRequest)}`, headers: { origin: 'https://evil.example' } })
      t.equal(response.statusCode, 405, `${method} ${url}`)
      t.equal(response.headers.allow, 'POST')
      t.equal(response.headers['access-control-allow-origin'], undefined)
    }
  }
  t.equal(await dump(built), before)
  const { confirmation_code: code } = (await post(built.app, '/meta/data-deletion', formOf(signedRequest))).json()
  const page = await built.app.inject({ method: 'POST', url: `/meta/data-deletion/${code}` })
  t.equal(page.statusCode, 405)
  t.equal(page.headers.allow, 'GET')
})

test('T-67: the page is neither listed nor stored, whether there is one or not, and no other code opens one', async (t) => {
  const built = await build(t)
  const { confirmation_code: code } = (await post(built.app, '/meta/data-deletion', formOf(built.emulator.control.signedRequest('creator')))).json()
  const cases: ReadonlyArray<[code: string, status: number]> = [
    [code, 200], [code.slice(0, -1), 404], ['0'.repeat(32), 404], [code.toUpperCase() + '0', 404], ['%00', 404], ["' or 1=1 --", 404], ['x'.repeat(5000), 404]
  ]
  for (const [candidate, status] of cases) {
    const response = await built.app.inject({ url: `/meta/data-deletion/${candidate === '%00' ? candidate : encodeURIComponent(candidate)}`, headers: { origin: 'https://evil.example' } })
    t.equal(response.statusCode, status, candidate)
    t.match(response.headers['content-type'], 'text/html')
    t.equal(response.headers['x-robots-tag'], 'noindex')
    t.equal(response.headers['cache-control'], 'no-store')
    t.equal(response.headers['access-control-allow-origin'], undefined)
    t.match(response.payload, '<meta name="robots" content="noindex">')
  }
})

test('T-67: two codes of two requests have nothing in common', async (t) => {
  const built = await build(t)
  const codes = new Set<string>()
  for (let i = 0; i < 50; i++) {
    built.clock.advance(1000)
    const reply = await post(built.app, '/meta/data-deletion', formOf(built.emulator.control.signedRequest('creator')))
    codes.add(reply.json().confirmation_code)
  }
  t.equal(codes.size, 50)
  t.equal(new Set(Array.from(codes, (code) => code.slice(0, 8))).size, 50)
})

test('the page can be guessed at so often a minute; a genuine callback is taken however many were not', async (t) => {
  const built = await build(t, { settings: { LEADLATCH_RATE_LIMIT: '3' } })
  const { control } = built.emulator
  const forged = () => post(built.app, '/meta/deauthorize', formOf(control.signedRequest('creator', { secret: 'forged' })))
  for (let i = 0; i < 3; i++) t.equal((await forged()).statusCode, 400)
  const limited = await forged()
  t.equal(limited.statusCode, 429)
  t.match(limited.headers['retry-after'], /^\d+$/)
  t.equal((await post(built.app, '/meta/deauthorize', formOf(control.signedRequest('creator')))).statusCode, 200)
  const elsewhere = await post(built.app, '/meta/deauthorize', 'x=1', { remoteAddress: '192.0.2.2' })
  t.equal(elsewhere.statusCode, 400, 'counted by address')

  const guess = () => built.app.inject({ url: `/meta/data-deletion/${'0'.repeat(32)}`, remoteAddress: '192.0.2.3' })
  for (let i = 0; i < 3; i++) t.equal((await guess()).statusCode, 404)
  const page = await guess()
  t.equal(page.statusCode, 429)
  t.match(page.headers['retry-after'], /^\d+$/)
  t.equal(page.headers['x-robots-tag'], 'noindex')
})

test('without a configured app every callback is refused', async (t) => {
  const built = await build(t, { flavours: [] })
  for (const url of CALLBACKS) t.equal((await post(built.app, url, formOf(built.emulator.control.signedRequest('creator')))).statusCode, 400)
})

test('the addresses carry the path of the public URL', async (t) => {
  const built = await build(t, { publicURL: 'https://shop.example/login' })
  const reply = await post(built.app, '/login/meta/data-deletion', formOf(built.emulator.control.signedRequest('creator')))
  const { url } = reply.json()
  t.match(url, /^https:\/\/shop\.example\/login\/meta\/data-deletion\/[0-9a-f]{32}$/)
  t.equal((await built.app.inject(new URL(url).pathname)).statusCode, 200)
})

test('a database that cannot write is a 503, so that the caller knows to come again, and then all is done', async (t) => {
  const database = openDatabase('sqlite::memory:')
  let isWritable = true
  const built = await build(t, {
    database: {
      ...database,
      batch: async (statements) => {
        if (!isWritable) throw new StoreError('unavailable', 'The disk is full.')
        return database.batch(statements)
      }
    }
  })
  await logIn(built)
  built.clock.advance(5000)
  const signedRequest = built.emulator.control.signedRequest('creator')
  isWritable = false
  for (const url of CALLBACKS) {
    const response = await post(built.app, url, formOf(signedRequest))
    t.equal(response.statusCode, 503, url)
    t.ok(response.headers['retry-after'])
  }
  t.match(await database.all('select revoked_at_ms from tokens'), [{ revoked_at_ms: null }])
  isWritable = true
  for (const url of CALLBACKS) t.equal((await post(built.app, url, formOf(signedRequest))).statusCode, 200, url)
  t.same(await database.all('select id from customers'), [])
})

test('T-75: neither request nor code, nor whose it was, reaches the log', async (t) => {
  let log = ''
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      log += String(chunk)
      done()
    }
  })
  const built = await build(t, { logger: { level: 'trace', stream } })
  await logIn(built)
  built.clock.advance(5000)
  const { control } = built.emulator
  const secrets: string[] = []
  for (const options of [{}, { secret: 'forged' as const }, { issuedAt: 4_000_000_000 }]) {
    for (const url of CALLBACKS) {
      const signedRequest = control.signedRequest('creator', options)
      secrets.push(signedRequest.slice(0, 43), signedRequest.slice(44))
      const response = await post(built.app, url, formOf(signedRequest))
      if (response.statusCode === 200 && url.endsWith('deletion')) {
        secrets.push(response.json().confirmation_code)
        await built.app.inject(new URL(response.json().url).pathname)
      }
    }
  }
  const { appScopedId, userId, username } = control.persona('creator')
  t.match(log, 'a signed request was refused')
  t.match(log, '/meta/data-deletion/:code')
  for (const secret of [...secrets, appScopedId, userId, username]) t.notOk(log.includes(secret), secret)
})
