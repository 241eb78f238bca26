import papaparse from 'papaparse'
import { test } from 'tap'
import { exportLeads } from '../../../src/flows/export/export-leads.ts'
import { EXPORT_FORMATS, LEAD_FORMATS } from '../../../src/flows/export/formats.ts'
import { type LeadQuery } from '../../../src/store/leads.ts'
import { buildParts, seedLogin, seedMany, seedShop } from '../../support/rest.ts'

const ANY: Omit<LeadQuery, 'shopId'> = {
  sort: 'first_seen', order: 'asc', sinceMs: null, untilMs: null, updatedSinceMs: null, provider: null, search: null, hasEmail: null, tokenStatus: null
}

for (const count of [0, 1, 500, 1001]) {
  test(`an export of ${count} leads is whole in every format, one text a page`, async (t) => {
    const parts = await buildParts(t)
    const { shopId } = await seedShop(parts)
    const ids = await seedMany(parts, shopId, count)
    for (const name of EXPORT_FORMATS) {
      const chunks = await Array.fromAsync(exportLeads(parts, { ...ANY, shopId }, { format: LEAD_FORMATS[name] }))
      const text = chunks.join('')
      const read = {
        csv: () => papaparse.parse<{ id: string }>(text, { header: true, skipEmptyLines: true }).data,
        ndjson: () => text.split('\n').filter(Boolean).map((line) => JSON.parse(line)),
        json: () => JSON.parse(text).data
      }[name]()
      t.strictSame(read.map(({ id }: { id: string }) => id), ids, name)
      t.ok(chunks.length <= Math.floor(count / 500) + 1, `${chunks.length} chunks`)
    }
  })
}

test('ids beyond 2^53 are exact in every format', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await seedLogin(parts, shopId, { providerUserId: '90071992547409931' })
  for (const name of EXPORT_FORMATS) {
    const text = (await Array.fromAsync(exportLeads(parts, { ...ANY, shopId }, { format: LEAD_FORMATS[name] }))).join('')
    t.match(text, name === 'csv' ? ',90071992547409931,' : '"provider_user_id":"90071992547409931"', name)
  }
})

test('other work gets its turn between two pages', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await seedMany(parts, shopId, 1100)
  const seen: string[] = []
  for await (const page of exportLeads(parts, { ...ANY, shopId }, { format: LEAD_FORMATS.ndjson })) {
    setImmediate(() => seen.push('other'))
    seen.push(page.endsWith('\n') ? 'page' : 'half a page')
  }
  t.strictSame(seen, ['page', 'other', 'page', 'other', 'page', 'other'])
})

test('a piece of an export does not grow with the number of leads', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await seedMany(parts, shopId, 2100)
  for (const name of EXPORT_FORMATS) {
    let longest = 0
    for await (const chunk of exportLeads(parts, { ...ANY, shopId }, { format: LEAD_FORMATS[name] })) longest = Math.max(longest, chunk.length)
    t.ok(longest < 500 * 1000, name)
  }
})
