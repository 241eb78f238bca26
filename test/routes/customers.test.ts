import { test } from 'tap'
import { buildParts, buildRest, seedLogin, seedShop } from '../support/rest.ts'
import type { RegisteredRoute } from '../support/rest.ts'
import type { Parts } from '../../src/parts.ts'

async function build (t: Parameters<typeof buildParts>[0]) {
  const parts = await buildParts(t)
  const { app, routes } = await buildRest(t, parts)
  const shop = await seedShop(parts)
  const { headers } = shop
  return {
    ...shop,
    parts,
    app,
    routes,
    get: (url: string) => app.inject({ url, headers }),
    patch: (id: string, payload: object | string) => app.inject({
      method: 'PATCH', url: `/v1/customers/${id}`, headers: { ...headers, 'content-type': 'application/json' }, payload
    })
  }
}

async function dump ({ database }: Parts): Promise<unknown[]> {
  return [
    await database.all('select * from customers order by id'),
    await database.all('select * from identities order by id'),
    await database.all('select * from audit_entries order by id')
  ]
}

test('a customer has exactly the members of the contract', async (t) => {
  const { parts, shopId, get } = await build(t)
  const id = await seedLogin(parts, shopId, { providerAccountId: '9', pictureURL: 'https://cdn.example/a.jpg' })
  const response = await get(`/v1/customers/${id}`)
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), {
    id,
    external_id: null,
    email: null,
    email_verified: false,
    email_source: null,
    name: null,
    phone: null,
    identities: [{
      provider: 'instagram',
      provider_user_id: '17841400000000001',
      provider_account_id: '9',
      username: 'ana',
      name: 'Ana Lima',
      picture_url: 'https://cdn.example/a.jpg',
      account_type: 'BUSINESS',
      scopes: ['instagram_business_basic'],
      token: { status: 'active', expires_at: '2026-03-16T12:00:00.000Z' },
      first_seen_at: '2026-01-15T12:00:00.000Z',
      last_login_at: '2026-01-15T12:00:00.000Z',
      login_count: 1
    }],
    consents: {},
    orders: { count: 0, totals: [] },
    created_at: '2026-01-15T12:00:00.000Z',
    updated_at: '2026-01-15T12:00:00.000Z'
  })
})

test('each look-up finds by exactly its value, an e-mail address in any case', async (t) => {
  const { parts, shopId, get, patch } = await build(t)
  const id = await seedLogin(parts, shopId, { providerUserId: '90071992547409931', providerAccountId: '5', username: 'Ana.Lima' })
  await seedLogin(parts, shopId, { providerUserId: '90071992547409932', username: 'ana.lima2' })
  await patch(id, { external_id: '42', email: 'Ána@Mail.example' })
  const cases: ReadonlyArray<[query: string, isFound: boolean]> = [
    ['external_id=42', true], ['external_id=4', false], ['external_id=042', false],
    ['email=%C3%A1NA@mail.EXAMPLE', true], ['email=ana@mail.example', false],
    ['username=Ana.Lima', true], ['username=ana.lima', false], ['username=Ana.', false],
    ['provider=instagram&provider_user_id=90071992547409931', true], ['provider=instagram&provider_user_id=5', true],
    ['provider=facebook&provider_user_id=5', false], ['provider=instagram&provider_user_id=90071992547409933', false]
  ]
  for (const [query, isFound] of cases) {
    const response = await get(`/v1/customers?${query}`)
    t.equal(response.statusCode, 200, query)
    t.strictSame(response.json().data.map((customer: { id: string }) => customer.id), isFound ? [id] : [], query)
  }
})

test('a look-up by nothing, by two things or by half a thing is refused, naming the member', async (t) => {
  const { get } = await build(t)
  const cases: ReadonlyArray<[query: string, member: string]> = [
    ['', 'external_id'], ['email=a@b.c&username=x', 'username'], ['external_id=1&provider=x&provider_user_id=2', 'provider_user_id'],
    ['provider=instagram', 'provider_user_id'], ['provider_user_id=1', 'provider'], ['email=', 'email'], ['mail=a', 'mail'],
    ['email=a@b.c&email=d@e.f', 'email'], ['external_id[]=1', 'external_id[]'], ['__proto__=1', '__proto__'], ['constructor=1', 'constructor']
  ]
  for (const [query, member] of cases) {
    const response = await get(`/v1/customers?${query}`)
    t.equal(response.statusCode, 400, query)
    t.match(response.json(), { code: 'invalid_request', member, status: 400 }, query)
    t.match(response.json().detail, member, query)
  }
})

test('external_id is set when empty or equal, cleared by null, and refused with two codes', async (t) => {
  const { parts, shopId, patch } = await build(t)
  const first = await seedLogin(parts, shopId, { providerUserId: '1' })
  const second = await seedLogin(parts, shopId, { providerUserId: '2' })
  t.match((await patch(first, { external_id: '7' })).json(), { external_id: '7' })
  t.equal((await patch(first, { external_id: '7' })).statusCode, 200)
  const differs = await patch(first, { external_id: '8', phone: '1' })
  t.equal(differs.statusCode, 409)
  t.match(differs.json(), { code: 'external_id_differs', member: 'external_id' })
  const held = await patch(second, { external_id: '7', phone: '1' })
  t.equal(held.statusCode, 409)
  t.match(held.json(), { code: 'external_id_held' })
  t.match((await patch(second, {})).json(), { external_id: null, phone: null }, 'a refused change changes nothing')
  t.match((await patch(first, { external_id: null })).json(), { external_id: null, phone: null })
  t.match((await patch(second, { external_id: '7' })).json(), { external_id: '7' })
})

test('two changes that give one external_id to two customers at once: exactly one wins', async (t) => {
  const { parts, shopId, patch } = await build(t)
  const ids = [await seedLogin(parts, shopId, { providerUserId: '1' }), await seedLogin(parts, shopId, { providerUserId: '2' })]
  const responses = await Promise.all(ids.map((id) => patch(id, { external_id: '7' })))
  t.strictSame(responses.map(({ statusCode }) => statusCode).toSorted(), [200, 409])
})

test('a new e-mail address is unverified and typed unless said, and null clears it', async (t) => {
  const { parts, shopId, patch } = await build(t)
  const id = await seedLogin(parts, shopId)
  t.match((await patch(id, { email: 'a@b.c' })).json(), { email: 'a@b.c', email_verified: false, email_source: 'typed' })
  t.match((await patch(id, { email: 'a@b.c', email_source: 'confirmed' })).json(), { email_source: 'confirmed' })
  t.match((await patch(id, { email: 'a@b.c' })).json(), { email_source: 'confirmed' }, 'the same address is no change')
  t.match((await patch(id, { email: 'd@e.f' })).json(), { email: 'd@e.f', email_source: 'typed' })
  t.match((await patch(id, { email: null })).json(), { email: null, email_verified: false, email_source: null })
})

test('T-34: a shop\'s address is never verified, and a provider\'s stays the provider\'s while it is the same', async (t) => {
  const { parts, shopId, patch } = await build(t)
  const id = await seedLogin(parts, shopId)
  await parts.database.run('update customers set email = $1, email_key = $1, email_source = \'provider\', email_verified_at_ms = $2', ['a@b.c', 1])
  for (const payload of [{ email: 'a@b.c' }, { email: 'a@b.c', email_source: 'typed' }, { phone: '1' }]) {
    t.match((await patch(id, payload)).json(), { email_verified: true, email_source: 'provider' })
  }
  t.match((await patch(id, { email: 'A@b.c', email_source: 'confirmed' })).json(), { email_verified: false, email_source: 'confirmed' })
  t.match((await patch(id, { email: 'a@b.c', email_source: 'confirmed' })).json(), { email_verified: false, email_source: 'confirmed' })
})

test('name and phone are set within their lengths and cleared by null', async (t) => {
  const { parts, shopId, patch } = await build(t)
  const id = await seedLogin(parts, shopId)
  const name = '😀'.repeat(10_000)
  t.equal((await patch(id, { name, phone: '+43 660 1234567' })).json().name, name)
  t.equal((await patch(id, `{"name":"${'\\ud83d\\ude00'.repeat(10_000)}"}`)).statusCode, 200, 'also when escaped')
  t.match((await patch(id, { name: null, phone: null })).json(), { name: null, phone: null })
  t.match((await patch(id, { name: 'a\0b\ud800' })).json(), { name: 'a\ufffdb\ufffd' }, 'what no column can carry is replaced')
})

const REFUSED: ReadonlyArray<[payload: object, member: string]> = [
  [{ external_id: '' }, 'external_id'], [{ external_id: 7 }, 'external_id'], [{ external_id: 'x'.repeat(201) }, 'external_id'],
  [{ email: '' }, 'email'], [{ email: 'a' }, 'email'], [{ email: 'a@' }, 'email'], [{ email: '@b' }, 'email'], [{ email: 'a@b@c' }, 'email'],
  [{ email: 'a b@c.d' }, 'email'], [{ email: 'a@b\r\nBcc: c' }, 'email'], [{ email: 'a@b\0' }, 'email'], [{ email: `${'a'.repeat(250)}@b.cd` }, 'email'],
  [{ email: ['a@b.c'] }, 'email'], [{ email: 'a@b.c', email_source: 'provider' }, 'email_source'], [{ email: 'a@b.c', email_source: null }, 'email_source'],
  [{ email_source: 'typed' }, 'email_source'], [{ email: null, email_source: 'typed' }, 'email_source'],
  [{ name: '' }, 'name'], [{ name: 'x'.repeat(10_001) }, 'name'], [{ name: true }, 'name'], [{ phone: 'x'.repeat(41) }, 'phone'], [{ phone: 1 }, 'phone']
]

for (const [payload, member] of REFUSED) {
  test(`the change ${JSON.stringify(payload).slice(0, 60)} is refused, naming ${member}`, async (t) => {
    const { parts, shopId, patch } = await build(t)
    const id = await seedLogin(parts, shopId)
    const before = await dump(parts)
    const response = await patch(id, payload)
    t.equal(response.statusCode, 400)
    t.match(response.json(), { code: 'invalid_request', member })
    t.strictSame(await dump(parts), before)
  })
}

for (const member of ['shop_id', 'id', 'email_verified', 'email_verified_at_ms', 'token', 'created_at', 'last_identity_id', 'name_key', 'constructor', 'toString']) {
  test(`T-47: a change with the member ${member} is refused, naming it, and writes nothing`, async (t) => {
    const { parts, shopId, patch } = await build(t)
    const id = await seedLogin(parts, shopId)
    const before = await dump(parts)
    const response = await patch(id, { phone: '1', [member]: true })
    t.equal(response.statusCode, 400)
    t.match(response.json(), { member })
    t.strictSame(await dump(parts), before)
  })
}

test('T-45: every route with an id answers another shop\'s exactly like one that never was', async (t) => {
  const { parts, app, routes, headers, shopId } = await build(t)
  const other = await seedShop(parts, { url: 'https://other.example' })
  const foreign = await seedLogin(parts, other.shopId)
  await seedLogin(parts, shopId, { providerUserId: '2' })
  const unknown = foreign.replace(/.{4}$/, (end) => end === 'ffff' ? '0000' : 'ffff')
  const withId = routes.filter(({ url }) => url.startsWith('/v1/') && url.includes(':id'))
  t.ok(withId.length >= 4)
  const before = await dump(parts)
  const ask = async ({ method, url }: RegisteredRoute, id: string) => {
    const response = await app.inject({
      method: method as 'GET',
      url: url.replace(':id', id).replace(':provider', 'instagram'),
      headers,
      ...(method === 'PATCH' && { payload: { external_id: '7', name: 'x' } })
    })
    return { status: response.statusCode, payload: response.payload.replace(/"request_id":"[^"]*"/, ''), type: response.headers['content-type'] }
  }
  for (const route of withId) {
    const answer = await ask(route, foreign)
    t.equal(answer.status, 404, `${route.method} ${route.url}`)
    t.strictSame(answer, await ask(route, unknown), `${route.method} ${route.url}`)
  }
  t.strictSame(await dump(parts), before)
})

test('T-45: a query with another shop\'s value answers exactly like one with an unknown value', async (t) => {
  const { parts, app, headers, shopId } = await build(t)
  const other = await seedShop(parts, { url: 'https://other.example' })
  const foreign = await seedLogin(parts, other.shopId, { username: 'bea', name: 'Bea' })
  await app.inject({ method: 'PATCH', url: `/v1/customers/${foreign}`, headers: other.headers, payload: { external_id: '7', email: 'bea@b.c' } })
  await seedLogin(parts, shopId, { providerUserId: '2' })
  const pairs: ReadonlyArray<[foreign: string, unknown: string]> = [
    ['/v1/customers?external_id=7', '/v1/customers?external_id=8'],
    ['/v1/customers?email=bea@b.c', '/v1/customers?email=nobody@b.c'],
    ['/v1/customers?username=bea', '/v1/customers?username=nobody'],
    ['/v1/customers?provider=instagram&provider_user_id=17841400000000001', '/v1/customers?provider=instagram&provider_user_id=1'],
    ['/v1/leads?q=bea', '/v1/leads?q=nobody'],
    ['/v1/leads?has_email=true', '/v1/leads?q=nobody'],
    [`/v1/leads/export?format=csv&after=${foreign}`, '/v1/leads/export?format=csv&after=cus_none']
  ]
  for (const urls of pairs) {
    const [one, two] = await Promise.all(urls.map(async (url) => {
      const { statusCode, payload } = await app.inject({ url, headers })
      return { statusCode, payload: payload.replace(/"request_id":"[^"]*"/, '') }
    }))
    t.strictSame(one, two, urls[0])
    t.notMatch(one?.payload, /bea/)
  }
})
