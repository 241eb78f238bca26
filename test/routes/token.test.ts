import { test } from 'tap'
import { HANDOFF_LIFE_MS } from '../../src/flows/flow.ts'
import { revokeKey } from '../../src/store/shops.ts'
import { addKey } from '../../src/flows/shops.ts'
import { build, type Built } from '../support/build.ts'
import { approvedURL, logIn, openBrowser, parametersOf, reachHandoff, redeem, start, visit } from '../support/journey.ts'

const TABLES = ['customers', 'identities', 'tokens'] as const

async function countRows (built: Built): Promise<number> {
  const rows = await Promise.all(TABLES.map((table) => built.parts.database.all(`select 1 from ${table}`)))
  return rows.flat().length
}

function basic (id: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`).toString('base64')}` }
}

test('T-25: of twenty redemptions of one code at once, on two replicas, exactly one wins', async (t) => {
  const built = await build(t)
  const second = await built.replica()
  const { started, code } = await reachHandoff(built)
  const tries = await Promise.all(Array.from({ length: 20 }, (_, i) => redeem(built, started, code, { app: i % 2 === 0 ? built.app : second })))
  t.equal(tries.filter(({ status }) => status === 200).length, 1)
  t.equal(tries.filter(({ body }) => body.error === 'invalid_grant').length, 19)
  t.equal(built.emulator.control.count('token'), 1, 'one provider exchange')
  t.equal(await countRows(built), 3)
})

test('any hop of a login may reach any replica', async (t) => {
  const built = await build(t)
  const [a, b] = [await built.replica(), await built.replica()]
  const started = await start(built, { app: a })
  const code = parametersOf(await visit(built, started.browser, approvedURL(built, started), b)).get('code') ?? ''
  t.equal((await redeem(built, started, code, { app: a })).status, 200)
})

test('T-26: a code of shop A is not for shop B, whose try does not spend it', async (t) => {
  const built = await build(t)
  const other = await built.addShop({ url: 'https://other.example', redirectURIs: ['https://other.example/cb'] })
  const { started, code } = await reachHandoff(built)
  t.match(await redeem(built, started, code, { shop: other }), { status: 400, body: { error: 'invalid_grant' } })
  t.match(await redeem(built, started, code, { form: { client_id: built.shop.id, client_secret: other.key } }), { status: 401, body: { error: 'invalid_client' } })
  t.match(await redeem(built, started, code, { form: { client_secret: 'llk_' + 'x'.repeat(43) } }), { status: 401 })
  t.same(built.emulator.control.calls(), [], 'zero provider calls')
  t.equal((await redeem(built, started, code)).status, 200)
})

test('T-26, T-05: a wrong redirect URI or verifier by the own shop spends the code before the provider is asked', async (t) => {
  const built = await build(t)
  for (const [form, error] of [
    [{ redirect_uri: 'https://shop.example/auth/callback/' }, 'invalid_grant'],
    [{ redirect_uri: undefined }, 'invalid_request'],
    [{ code_verifier: 'a'.repeat(43) }, 'invalid_grant'],
    [{ code_verifier: 'short' }, 'invalid_grant'],
    [{ code_verifier: undefined }, 'invalid_grant'],
    [{ code_verifier: 'a'.repeat(129) }, 'invalid_grant']
  ] as const) {
    const { started, code } = await reachHandoff(built)
    t.match(await redeem(built, started, code, { form }), { status: 400, body: { error } }, JSON.stringify(form))
    t.match(await redeem(built, started, code), { status: 400, body: { error: 'invalid_grant' } }, 'spent')
  }
  t.same(built.emulator.control.calls(), [])
  t.equal(await countRows(built), 0)
})

test('T-05, T-06: a shop without PKCE may leave the challenge out; one that was sent is enforced', async (t) => {
  const built = await build(t)
  const shop = await built.addShop({ url: 'https://old.example', redirectURIs: ['https://old.example/cb'], requiresPKCE: false })
  const without = { code_challenge: undefined, code_challenge_method: undefined }
  const plain = await reachHandoff(built, { shop, parameters: without })
  const reply = await redeem(built, plain.started, plain.code, { form: { code_verifier: undefined } })
  t.equal(reply.status, 200)
  const downgraded = await reachHandoff(built, { shop, parameters: without })
  t.match(await redeem(built, downgraded.started, downgraded.code), { body: { error: 'invalid_grant' } }, 'a verifier without a challenge')
  const withChallenge = await reachHandoff(built, { shop })
  t.match(await redeem(built, withChallenge.started, withChallenge.code, { form: { code_verifier: undefined } }), { body: { error: 'invalid_grant' } })
})

test('T-27: the client authenticates by one method, in one place, in the standard form', async (t) => {
  const built = await build(t)
  const { id, key } = built.shop
  const noBody = { client_id: undefined, client_secret: undefined }
  const { started, code } = await reachHandoff(built)
  const cases: Array<[Record<string, string | undefined>, Record<string, string>, number, string]> = [
    [{}, basic(id, key), 400, 'invalid_request'],
    [{ client_secret: undefined, client_id: 'shop_other' }, basic(id, key), 400, 'invalid_request'],
    [noBody, {}, 401, 'invalid_client'],
    [noBody, { authorization: 'Basic !!!' }, 401, 'invalid_client'],
    [noBody, { authorization: `Basic ${Buffer.from(`${id}:`).toString('base64')}` }, 401, 'invalid_client'],
    [noBody, { authorization: `Basic ${Buffer.from(`${id}:%zz`).toString('base64')}` }, 401, 'invalid_client'],
    [noBody, { authorization: `Bearer ${key}` }, 401, 'invalid_client'],
    [{ client_secret: '' }, {}, 401, 'invalid_client'],
    [{ client_secret: 'llk_constructor' }, {}, 401, 'invalid_client']
  ]
  for (const [form, headers, status, error] of cases) {
    const reply = await redeem(built, started, code, { form, headers })
    t.match(reply, { status, body: { error } }, JSON.stringify([form, headers]).slice(0, 60))
    if (status === 401) t.match(reply.headers['www-authenticate'], /^Basic realm=/)
  }
  const query = await built.app.inject({
    method: 'POST', url: `/oauth/token?client_id=${id}&client_secret=${key}`, headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: `grant_type=authorization_code&code=${code}`
  })
  t.equal(query.statusCode, 401, 'a secret in the query is never read')
  t.same(built.emulator.control.calls(), [])
  t.equal((await redeem(built, started, code, { form: noBody, headers: basic(id, key) })).status, 200, 'client_secret_basic')
})

test('T-28: a key without the scope login, revoked, or of a removed shop is refused and spends nothing', async (t) => {
  const built = await build(t)
  const { parts: { database }, clock } = built
  const reader = await addKey(database, { shopId: built.shop.id, scopes: ['leads:read'], nowMs: clock.nowMs })
  const other = await addKey(database, { shopId: built.shop.id, scopes: ['login'], nowMs: clock.nowMs })
  const { started, code } = await reachHandoff(built)
  t.match(await redeem(built, started, code, { form: { client_secret: reader.key } }), { status: 400, body: { error: 'unauthorized_client' } })
  await revokeKey(database, other.id, clock.nowMs)
  t.match(await redeem(built, started, code, { form: { client_secret: other.key } }), { status: 401, body: { error: 'invalid_client' } })
  t.equal((await redeem(built, started, code)).status, 200)
  const later = await reachHandoff(built)
  await database.run('delete from shops where id = $1', [built.shop.id])
  t.match(await redeem(built, later.started, later.code), { status: 401, body: { error: 'invalid_client' } })
})

test('T-29: an unknown shop and a wrong key answer alike, and failures are limited without hurting a right key', async (t) => {
  const built = await build(t, { settings: { LEADLATCH_RATE_LIMIT: '3' } })
  const { started, code } = await reachHandoff(built)
  const wrongKey = await redeem(built, started, code, { form: { client_secret: `llk_${'w'.repeat(43)}` } })
  const unknown = await redeem(built, started, code, { form: { client_id: 'shop_unknown', client_secret: `llk_${'w'.repeat(43)}` } })
  t.same([wrongKey.status, wrongKey.body], [unknown.status, unknown.body])
  let last = wrongKey
  for (let i = 0; i < 4; i++) last = await redeem(built, started, code, { form: { client_secret: 'wrong' } })
  t.equal(last.status, 429)
  t.ok(Number(last.headers['retry-after']) > 0)
  t.equal((await redeem(built, started, code, { form: { client_id: 'shop_other', client_secret: 'wrong' } })).status, 401, 'another client from there is counted apart')
  t.equal((await redeem(built, started, code)).status, 200)
})

test('T-30: only a form is read at the token endpoint', async (t) => {
  const built = await build(t)
  const { started, code } = await reachHandoff(built)
  const members = { grant_type: 'authorization_code', code, redirect_uri: started.shop.redirectURI, code_verifier: started.verifier, client_id: built.shop.id, client_secret: built.shop.key }
  for (const type of ['application/json', 'multipart/form-data; boundary=x', 'text/plain', 'application/json\tx', 'application/x-www-form-urlencodedx', 'application/x-www-form-urlencoded;', 'application/x-www-form-urlencoded; charset=utf-16']) {
    const response = await built.app.inject({ method: 'POST', url: '/oauth/token', headers: { 'content-type': type }, payload: JSON.stringify(members) })
    t.ok([400, 415].includes(response.statusCode), `${type} ${response.statusCode}`)
    t.equal(response.json().error, 'invalid_request')
  }
  t.equal((await redeem(built, started, code)).status, 200)
})

test('T-04: a repeated parameter at the token endpoint is invalid_request and spends nothing', async (t) => {
  const built = await build(t)
  const { started, code } = await reachHandoff(built)
  const form = new URLSearchParams({ grant_type: 'authorization_code', redirect_uri: started.shop.redirectURI, code_verifier: started.verifier, client_id: built.shop.id, client_secret: built.shop.key })
  for (const extra of [`code=${code}&code=x`, `code=${code}&client_id=x`, `code=${code}&code_verifier=x`]) {
    const response = await built.app.inject({
      method: 'POST', url: '/oauth/token', headers: { 'content-type': 'application/x-www-form-urlencoded' }, payload: `${form}&${extra}`
    })
    t.match([response.statusCode, response.json()], [400, { error: 'invalid_request' }])
  }
  t.equal((await redeem(built, started, code, { form: { scope: 'openid', unknown: 'x' } })).status, 200, 'unknown parameters are ignored')
})

test('grant types other than authorization_code are refused', async (t) => {
  const built = await build(t)
  const { started, code } = await reachHandoff(built)
  t.match(await redeem(built, started, code, { form: { grant_type: 'client_credentials' } }), { status: 400, body: { error: 'unsupported_grant_type' } })
  t.match(await redeem(built, started, code, { form: { grant_type: undefined } }), { status: 400, body: { error: 'invalid_request' } })
  t.match(await redeem(built, started, code, { form: { code: undefined } }), { status: 400, body: { error: 'invalid_request' } })
})

test('a handoff code lives a minute and survives a restart', async (t) => {
  const built = await build(t)
  const late = await reachHandoff(built)
  built.clock.advance(HANDOFF_LIFE_MS + 1)
  t.match(await redeem(built, late.started, late.code), { body: { error: 'invalid_grant' } })
  const { started, code } = await reachHandoff(built)
  t.equal((await redeem(built, started, code, { app: await built.replica() })).status, 200, 'a process that never saw the flow')
})

test('T-35: two first logins of one person at once make one customer', async (t) => {
  const built = await build(t)
  const tabs = await Promise.all(Array.from({ length: 8 }, () => reachHandoff(built, { browser: openBrowser() })))
  const replies = await Promise.all(tabs.map(({ started, code }) => redeem(built, started, code)))
  t.strictSame(replies.map(({ status }) => status), Array(8).fill(200))
  const customers = replies.map(({ body }) => body.customer as { id: string, created: boolean })
  t.equal(new Set(customers.map(({ id }) => id)).size, 1)
  t.equal(customers.filter(({ created }) => created).length, 1)
  t.equal(await countRows(built), 3)
})

test('T-39: ids beyond 2^53 are exact, and neighbours are two people', async (t) => {
  const built = await build(t)
  const [huge, neighbour] = [await logIn(built, { persona: 'hugeid' }), await logIn(built, { persona: 'neighbour' })]
  const ids = [huge, neighbour].map(({ body }) => (body.customer as { identities: Array<{ provider_user_id: string }> }).identities[0]?.provider_user_id)
  t.same(ids, ['hugeid', 'neighbour'].map((id) => built.emulator.control.persona(id).appScopedId))
  t.not((huge.body.customer as { id: string }).id, (neighbour.body.customer as { id: string }).id)
})

test('source_page and source_campaign are kept from the first login, cut at 256 characters', async (t) => {
  const built = await build(t)
  const { body } = await logIn(built, { form: { source_page: `/p?${'x'.repeat(300)}`, source_campaign: 'spring\0' } })
  await logIn(built, { form: { source_page: '/later', source_campaign: 'autumn' } })
  const row = await built.parts.database.get('select source_page, source_campaign from customers where id = $1', [(body.customer as { id: string }).id])
  t.same({ ...row }, { source_page: `/p?${'x'.repeat(253)}`, source_campaign: 'spring\uFFFD' })
})

test('no id_token is made unless openid is asked for', async (t) => {
  const built = await build(t)
  const { body } = await logIn(built, { parameters: { scope: 'profile email' } })
  t.notOk('id_token' in body)
  t.equal(body.scope, 'profile email')
  t.same(await built.parts.database.all('select kid from signing_keys'), [])
})

test('codes and flows of a clock that was ahead are refused', async (t) => {
  const built = await build(t)
  built.clock.advance(3_600_000)
  const { started, code } = await reachHandoff(built)
  const url = approvedURL(built, started)
  built.clock.advance(-3_600_000)
  t.match(await redeem(built, started, code), { status: 400, body: { error: 'invalid_grant' } })
  t.equal((await visit(built, started.browser, url)).statusCode, 400)
})

test('customer_id, which is not in this version, is refused before the code is spent', async (t) => {
  const built = await build(t)
  const { started, code } = await reachHandoff(built)
  t.match(await redeem(built, started, code, { form: { customer_id: 'cus_1' } }), { status: 400, body: { error: 'invalid_request' } })
  t.equal((await redeem(built, started, code)).status, 200)
})

test('a database that is locked too long is temporarily_unavailable, and the process goes on meanwhile', async (t) => {
  const { openDatabase } = await import('../../src/store/open.ts')
  const url = `sqlite:${t.testdir({})}/leadlatch.db`
  const built = await build(t, { database: openDatabase(url) })
  const { started, code } = await reachHandoff(built)
  const { default: SQLite } = await import('better-sqlite3')
  const other = new SQLite(url.slice('sqlite:'.length))
  other.exec('begin immediate')
  const waiting = redeem(built, started, code)
  const startedAt = performance.now()
  t.equal((await built.app.inject('/health/live')).statusCode, 200)
  t.ok(performance.now() - startedAt < 2000, 'others are answered')
  const reply = await waiting
  t.match(reply, { status: 503, body: { error: 'temporarily_unavailable' } })
  t.equal(Number(reply.headers['retry-after']), 5)
  other.exec('rollback')
  other.close()
  t.equal((await redeem(built, started, code)).status, 200, 'nothing was spent')
})
