import { test } from 'tap'
import type { LeadView } from '../../src/flows/leads.ts'
import { buildParts, buildRest, DAY_MS, seedLogin, seedMany, seedShop, START_MS } from '../support/rest.ts'

async function build (t: Parameters<typeof buildParts>[0]) {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const shop = await seedShop(parts)
  const { headers } = shop
  return {
    ...shop,
    parts,
    app,
    get: (url: string) => app.inject({ url, headers }),
    list: async (query: string): Promise<LeadView[]> => (await app.inject({ url: `/v1/leads?${query}`, headers })).json().data,
    patch: (id: string, payload: object) => app.inject({ method: 'PATCH', url: `/v1/customers/${id}`, headers, payload })
  }
}

test('a lead has exactly the members of the contract', async (t) => {
  const { parts, shopId, list, patch } = await build(t)
  const id = await seedLogin(parts, shopId, { providerUserId: '90071992547409931', sourcePage: '/shop/', sourceCampaign: 'spring' })
  parts.clock.nowMs += 1000
  await patch(id, { external_id: '7', email: 'Ana@b.c', phone: '1' })
  t.strictSame(await list(''), [{
    id,
    external_id: '7',
    provider: 'instagram',
    provider_user_id: '90071992547409931',
    username: 'ana',
    name: 'Ana Lima',
    picture_url: null,
    account_type: 'BUSINESS',
    email: 'Ana@b.c',
    email_verified: false,
    email_source: 'typed',
    phone: '1',
    consents: {},
    token: { status: 'active', expires_at: '2026-03-16T12:00:00.000Z' },
    source: { page: '/shop/', campaign: 'spring' },
    orders: { count: 0, totals: [] },
    first_seen_at: '2026-01-15T12:00:00.000Z',
    last_login_at: '2026-01-15T12:00:00.000Z',
    login_count: 1,
    updated_at: '2026-01-15T12:00:01.000Z'
  }])
})

test('a lead shows its own name before that of the identity used last', async (t) => {
  const { parts, shopId, list, patch } = await build(t)
  const id = await seedLogin(parts, shopId, { name: 'Ana Lima' })
  await patch(id, { name: 'Own Name' })
  t.match(await list('q=own'), [{ name: 'Own Name' }])
  t.strictSame(await list('q=ana%20l'), [], 'the hidden name does not match')
  await patch(id, { name: null })
  t.match(await list('q=ana%20l'), [{ name: 'Ana Lima' }])
})

test('the newest first seen come first, fifty of them, unless said', async (t) => {
  const { parts, shopId, get } = await build(t)
  const ids = await seedMany(parts, shopId, 60)
  const page = (await get('/v1/leads')).json()
  t.strictSame(page.data.map(({ id }: LeadView) => id), ids.toReversed().slice(0, 50))
  const rest = (await get(`/v1/leads?cursor=${page.next_cursor}&limit=500`)).json()
  t.strictSame(rest.data.map(({ id }: LeadView) => id), ids.toReversed().slice(50))
  t.equal(rest.next_cursor, null)
})

test('each filter keeps exactly the leads that it names', async (t) => {
  const { parts, shopId, list, patch } = await build(t)
  const ana = await seedLogin(parts, shopId, { providerUserId: '1', username: 'ana', name: 'Ána', tokenExpiresAtMs: START_MS + DAY_MS })
  parts.clock.nowMs += 1000
  const bea = await seedLogin(parts, shopId, { providerUserId: '2', username: 'bea_', name: null, provider: 'facebook', tokenExpiresAtMs: null })
  parts.clock.nowMs += 1000
  const cleo = await seedLogin(parts, shopId, { providerUserId: '3', username: null, name: '100%', tokenExpiresAtMs: START_MS + 1 })
  parts.clock.nowMs += 1000
  await patch(ana, { email: 'Zoe@b.c' })
  const cases: ReadonlyArray<[query: string, wanted: string[]]> = [
    ['since=2026-01-15T12:00:01Z', [bea, cleo]], ['since=2026-01-15T12:00:01.001Z', [cleo]], ['until=2026-01-15T12:00:01Z', [ana]],
    ['since=2026-01-15T14:00:01%2B02:00&until=2026-01-15T12:00:02Z', [bea]], ['updated_since=2026-01-15T12:00:02Z', [ana, cleo]],
    ['provider=facebook', [bea]], ['provider=google', []], ['has_email=true', [ana]], ['has_email=false', [bea, cleo]],
    ['token_status=expiring', [ana]], ['token_status=active', [bea]], ['token_status=expired', [cleo]], ['token_status=revoked', []], ['token_status=none', []],
    ['q=%C3%A1n', [ana]], ['q=AN', [ana]], ['q=zoe@', [ana]], ['q=bea_', [bea]], ['q=_', []], ['q=%25', []], ['q=100%25', [cleo]], ['q=0', []],
    ['q=a&has_email=false', []], ['provider=facebook&token_status=active&q=b', [bea]]
  ]
  for (const sort of ['first_seen', 'updated']) {
    for (const [query, wanted] of cases) {
      t.strictSame((await list(`${query}&sort=${sort}`)).map(({ id }) => id).toSorted(), wanted.toSorted(), `${query} by ${sort}`)
    }
  }
  t.strictSame((await list('sort=updated&order=asc')).map(({ id }) => id), [bea, cleo, ana])
})

test('the filter on a provider matches any identity, and the lead shows the one used last', async (t) => {
  const { parts, shopId, list } = await build(t)
  const id = await seedLogin(parts, shopId, { providerUserId: '1' })
  parts.clock.nowMs += 1
  const attached = await seedLogin(parts, shopId, { providerUserId: '2', provider: 'facebook', username: 'fb' })
  await parts.database.run('update identities set customer_id = $1 where customer_id = $2', [id, attached])
  await parts.database.run('delete from customers where id = $1', [attached])
  for (const provider of ['instagram', 'facebook']) t.match(await list(`provider=${provider}`), [{ id, provider: 'instagram' }])
  t.match(await list('q=fb'), [{ id }], 'as does the search for a username')
})

const REFUSED: ReadonlyArray<[query: string, member: string]> = [
  ['limit=-1', 'limit'], ['limit=0', 'limit'], ['limit=501', 'limit'], ['limit=1e9', 'limit'], ['limit=1.5', 'limit'], ['limit=', 'limit'], ['limit=ten', 'limit'],
  ['limit=1&limit=2', 'limit'], ['cursor=', 'cursor'], ['cursor=x', 'cursor'], [`cursor=${'A'.repeat(3000)}`, 'cursor'], ['q=', 'q'], [`q=${'a'.repeat(101)}`, 'q'],
  ['since=2026-02-30T00:00:00Z', 'since'], ['since=0', 'since'], ['until=now', 'until'], ['updated_since=2026-01-15', 'updated_since'],
  ['since=2026-01-15T12:00:00+02:00', 'since'], ['sort=name', 'sort'], ['order=up', 'order'], ['order=asc&order=desc', 'order'], ['has_email=1', 'has_email'],
  ['has_email=yes', 'has_email'], ['token_status=good', 'token_status'], ['provider=', 'provider'], ['consent=news', 'consent'], ['offset=5', 'offset'],
  ['shop_id=x', 'shop_id'], ['__proto__=1', '__proto__'], ['q[]=a', 'q[]'], ['format=csv', 'format']
]

for (const [query, member] of REFUSED) {
  test(`T-50: a list with ${query.slice(0, 50)} is refused, naming ${member}`, async (t) => {
    const { get } = await build(t)
    const response = await get(`/v1/leads?${query}`)
    t.equal(response.statusCode, 400)
    t.match(response.json(), { code: 'invalid_request', member })
    t.match(response.json().detail, `"${member}"`)
  })
}

for (const [name, q, stored] of [
  ['NUL', '%00a', '\0A'], ['a surrogate, which no UTF-8 has', '%ED%A0%80', '%ed%a0%80x'], ['a backslash', '%5C', '\\'], ['%', '%25', '%a'], ['_', '_', '_a'], ['the last code point', '%F4%8F%BF%BF', '\u{10ffff}']
] as const) {
  test(`T-50: a search for ${name} is literal`, async (t) => {
    const { parts, shopId, list, patch } = await build(t)
    const id = await seedLogin(parts, shopId, { providerUserId: '1', name: 'Ana', username: 'ana' })
    await seedLogin(parts, shopId, { providerUserId: '2', name: 'xA', username: 'xa' })
    await patch(id, { name: stored })
    t.strictSame((await list(`q=${q}`)).map((lead) => lead.id), [id])
  })
}

test('T-50: a cursor of another shop or other filters is refused', async (t) => {
  const { parts, shopId, get, app } = await build(t)
  const other = await seedShop(parts, { url: 'https://other.example' })
  await seedMany(parts, shopId, 3)
  await seedMany(parts, other.shopId, 3)
  const { next_cursor: cursor } = (await get('/v1/leads?limit=1')).json()
  t.equal((await get(`/v1/leads?limit=2&cursor=${cursor}`)).statusCode, 200, 'the limit may change')
  t.equal((await get(`/v1/leads?limit=1&cursor=${cursor}&order=asc`)).statusCode, 400)
  t.equal((await app.inject({ url: `/v1/leads?limit=1&cursor=${cursor}`, headers: other.headers })).statusCode, 400)
  t.notMatch(cursor, shopId)
})
