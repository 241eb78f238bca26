import { test } from 'tap'
import { text } from '../../src/store/database.ts'
import type { Database, Value } from '../../src/store/database.ts'
import { countSearchMatches, findLeadPosition, findWindowEnd, leadPosition, type LeadPosition, type LeadQuery, type LeadRecord, listLeads } from '../../src/store/leads.ts'
import { searchRange } from '../../src/text.ts'
import { buildParts, seedLogin, seedMany, seedShop, START_MS } from '../support/rest.ts'

const ANY: Omit<LeadQuery, 'shopId'> = {
  sort: 'first_seen', order: 'desc', sinceMs: null, untilMs: null, updatedSinceMs: null, provider: null, search: null, hasEmail: null, tokenStatus: null
}
const WHOLE = { after: null, end: null, limit: 1000, nowMs: START_MS, isSearchNarrow: false }

for (const sort of ['first_seen', 'updated'] as const) {
  for (const order of ['asc', 'desc'] as const) {
    test(`pages by ${sort} ${order} visit each lead once although many have the same time`, async (t) => {
      const parts = await buildParts(t)
      const { shopId } = await seedShop(parts)
      for (let i = 0; i < 23; i++) {
        if (i % 5 === 0) parts.clock.nowMs += 1
        await seedLogin(parts, shopId, { providerUserId: String(i) })
      }
      const query = { ...ANY, shopId, sort, order }
      const seen: LeadRecord[] = []
      let after: LeadPosition | null = null
      for (;;) {
        const page: LeadRecord[] = await listLeads(parts.database, query, { ...WHOLE, after, limit: 4 })
        seen.push(...page)
        const last = page.at(-1)
        if (last === undefined) break
        after = leadPosition(last, sort)
      }
      t.equal(new Set(seen.map(({ id }) => id)).size, 23)
      const keys = seen.map((lead) => `${lead.firstSeenAtMs} ${lead.id}`)
      t.strictSame(keys, order === 'asc' ? keys.toSorted() : keys.toSorted().reverse())
    })
  }
}

test('a window ends so many rows behind its beginning and holds them all', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await seedMany(parts, shopId, 10)
  for (const order of ['asc', 'desc'] as const) {
    const query = { ...ANY, shopId, order }
    const end = await findWindowEnd(parts.database, query, null, 4)
    if (end === undefined) return t.fail('a window of four of ten rows has an end')
    t.equal((await listLeads(parts.database, query, { ...WHOLE, end })).length, 4, order)
    t.equal((await listLeads(parts.database, query, { ...WHOLE, after: end })).length, 6, order)
    t.equal(await findWindowEnd(parts.database, query, end, 7), undefined, order)
  }
})

test('a place outside of the times asked for does not widen them', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const ids = await seedMany(parts, shopId, 6)
  const query = { ...ANY, shopId, sinceMs: START_MS + 2000, untilMs: START_MS + 5000 }
  for (const order of ['asc', 'desc'] as const) {
    for (const atMs of [START_MS - 9000, START_MS + 90_000]) {
      const leads = await listLeads(parts.database, { ...query, order }, { ...WHOLE, after: { atMs, id: 'cus' } })
      const isBefore = order === 'asc' ? atMs < START_MS : atMs > START_MS
      t.strictSame(leads.map(({ id }) => id).toSorted(), isBefore ? ids.slice(1, 4).toSorted() : [], `${order} ${atMs}`)
    }
  }
})

test('the two ways to search find the same leads', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const names = ['Ána', 'ana', 'ANABEL', 'Bo', null, '%', 'a_b', 'axb']
  for (const [i, name] of names.entries()) {
    await seedLogin(parts, shopId, { providerUserId: String(i), name, username: i % 2 === 0 ? `an${i}` : null })
  }
  for (const q of ['a', 'an', 'ana', 'án', 'b', '%', 'a_', 'AN4', 'zz']) {
    const query = { ...ANY, shopId, search: searchRange(q) }
    const walked = await listLeads(parts.database, query, WHOLE)
    const lookedUp = await listLeads(parts.database, query, { ...WHOLE, isSearchNarrow: true })
    t.strictSame(lookedUp, walked, q)
    t.ok(await countSearchMatches(parts.database, shopId, searchRange(q), 100) >= walked.length, q)
  }
})

test('T-50: a search that few match is a look-up in indexes, and no list scans a table', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const plans: string[] = []
  const explaining: Pick<Database, 'all'> = {
    all: async (sql: string, values: readonly Value[] = []) => {
      const rows = await parts.database.all(`explain query plan ${sql}`, values)
      plans.push(rows.map((row) => text(row, 'detail')).join('\n'))
      return []
    }
  }
  const database = { ...parts.database, ...explaining }
  const after = { atMs: START_MS, id: 'cus' }
  await listLeads(database, { ...ANY, shopId, search: searchRange('an') }, { ...WHOLE, after, isSearchNarrow: true })
  for (const sort of ['first_seen', 'updated'] as const) {
    for (const place of [after, null]) {
      await listLeads(database, { ...ANY, shopId, sort, provider: 'x', tokenStatus: 'active' }, { ...WHOLE, after: place })
      await listLeads(database, { ...ANY, shopId, sort, ...(sort === 'updated' ? { sinceMs: 1 } : { updatedSinceMs: 1 }) }, { ...WHOLE, after: place })
    }
  }
  const [narrow = '', ...walks] = plans
  t.match(narrow, /customers_by_name.*customers_by_email.*identities_by_username/s)
  t.match(narrow, /SEARCH c USING INDEX \S+ \(.*\bid=\?\)/)
  for (const plan of plans) t.notMatch(plan, /SCAN (?!found)/)
  for (const plan of walks) t.notMatch(plan, /TEMP B-TREE/, 'the index gives the order')
})

test('the place of a lead is known in its own shop alone', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const other = await seedShop(parts, { url: 'https://other.example' })
  const id = await seedLogin(parts, shopId)
  t.strictSame(await findLeadPosition(parts.database, shopId, id), { atMs: START_MS, id })
  t.equal(await findLeadPosition(parts.database, other.shopId, id), undefined)
})
