import { test } from 'tap'
import { findLeadPage } from '../../src/flows/leads.ts'
import type { LeadQuery } from '../../src/store/leads.ts'
import { searchRange } from '../../src/text.ts'
import { createVault } from '../../src/vault.ts'
import { buildParts, seedLogin, seedMany, seedShop } from '../support/rest.ts'

const ANY: Omit<LeadQuery, 'shopId'> = {
  sort: 'first_seen', order: 'desc', sinceMs: null, untilMs: null, updatedSinceMs: null, provider: null, search: null, hasEmail: null, tokenStatus: null
}

test('a list stays stable while rows arrive: none twice, none left out', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const ids = await seedMany(parts, shopId, 10)
  const seen: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof findLeadPage>> = await findLeadPage(parts, { ...ANY, shopId }, { cursor, limit: 3 })
    seen.push(...page?.data.map(({ id }) => id) ?? [])
    cursor = page?.next_cursor ?? null
    parts.clock.nowMs += 1000
    await seedLogin(parts, shopId, { providerUserId: `new ${seen.length}` })
  } while (cursor !== null)
  t.strictSame(seen, ids.toReversed())
})

test('the last page has no cursor, even when it is full', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await seedMany(parts, shopId, 4)
  const first = await findLeadPage(parts, { ...ANY, shopId }, { cursor: null, limit: 2 })
  const second = await findLeadPage(parts, { ...ANY, shopId }, { cursor: first?.next_cursor ?? '', limit: 2 })
  t.equal(second?.data.length, 2)
  t.equal(second?.next_cursor, null)
})

const QUERIES: ReadonlyArray<[name: string, query: Partial<LeadQuery>]> = [
  ['another order', { order: 'asc' }],
  ['another sort', { sort: 'updated' }],
  ['since', { sinceMs: 0 }],
  ['until', { untilMs: 9e15 }],
  ['updated_since', { updatedSinceMs: 0 }],
  ['provider', { provider: 'instagram' }],
  ['q', { search: searchRange('p') }],
  ['has_email', { hasEmail: false }],
  ['token_status', { tokenStatus: 'active' }]
]

for (const [name, query] of QUERIES) {
  test(`T-50: a cursor does not open for a list with ${name}, but does for its own`, async (t) => {
    const parts = await buildParts(t)
    const { shopId } = await seedShop(parts)
    await seedMany(parts, shopId, 3)
    const plain = await findLeadPage(parts, { ...ANY, shopId }, { cursor: null, limit: 1 })
    const filtered = await findLeadPage(parts, { ...ANY, ...query, shopId }, { cursor: null, limit: 1 })
    t.equal(await findLeadPage(parts, { ...ANY, ...query, shopId }, { cursor: plain?.next_cursor ?? '', limit: 1 }), undefined)
    t.equal((await findLeadPage(parts, { ...ANY, ...query, shopId }, { cursor: filtered?.next_cursor ?? '', limit: 1 }))?.data.length, 1)
  })
}

test('T-50: a forged cursor, another shop\'s and one sealed for another purpose are none', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const other = await seedShop(parts, { url: 'https://other.example' })
  await seedMany(parts, shopId, 2)
  await seedMany(parts, other.shopId, 2)
  const cursor = (await findLeadPage(parts, { ...ANY, shopId }, { cursor: null, limit: 1 }))?.next_cursor ?? ''
  const stranger = createVault([{ id: 'test', bytes: Buffer.alloc(32, 8) }])
  const forged = (await findLeadPage({ ...parts, vault: stranger }, { ...ANY, shopId }, { cursor: null, limit: 1 }))?.next_cursor ?? ''
  for (const wrong of ['', 'x', `${cursor}A`, cursor.slice(0, -2), forged, parts.vault.seal('state', '', '[1,"a"]')]) {
    t.equal(await findLeadPage(parts, { ...ANY, shopId }, { cursor: wrong, limit: 1 }), undefined, wrong.slice(0, 10))
  }
  t.equal(await findLeadPage(parts, { ...ANY, shopId: other.shopId }, { cursor, limit: 1 }), undefined)
})

test('a filter that hardly anything matches is walked in pieces, and finds what is far behind', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const id = await seedLogin(parts, shopId, { provider: 'facebook', providerUserId: '1' })
  // 25,000 rows as one statement: so many logins would take longer than the test is worth.
  await parts.database.run(`insert into customers (id, shop_id, first_seen_at_ms, login_count, created_at_ms, updated_at_ms)
    with recursive n(i) as (select 1 union all select i + 1 from n where i < 25000)
    select 'cus_f' || i, $1, $2 + i, 0, $2, $2 + i from n`, [shopId, parts.now()])
  let statements = 0
  const database = { ...parts.database, all: (...call: Parameters<typeof parts.database.all>) => { statements++; return parts.database.all(...call) } }
  for (const sort of ['first_seen', 'updated'] as const) {
    statements = 0
    const page = await findLeadPage({ ...parts, database }, { ...ANY, sort, shopId, provider: 'facebook' }, { cursor: null, limit: 50 })
    t.strictSame(page?.data.map((lead) => lead.id), [id])
    t.equal(page?.next_cursor, null)
    t.equal(statements, 3, 'ten thousand rows at a time')
  }
})
