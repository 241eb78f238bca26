import { test, type Test } from 'tap'
import {
  bindGuideLink, endGuideAttempt, eraseGuideLinks, findGuideLink, findGuideResult, saveGuideLink, spendGuideLink, takeGuideAttempt
} from '../../src/store/guide-links.ts'
import { buildParts, seedLogin, seedShop, START_MS } from '../support/rest.ts'

const LINK = { hash: 'h', browserHash: 'b' }

async function build (t: Test) {
  const parts = await buildParts(t)
  const { database } = parts
  const { shopId } = await seedShop(parts)
  await database.batch([saveGuideLink({ hash: 'h', shopId, provider: 'instagram', nowMs: START_MS, expiresAtMs: START_MS + 1000 })])
  const take = (id: string, nowMs: number) => takeGuideAttempt(database, LINK, { id, nowMs, untilMs: nowMs + 100 })
  const spend = (id: string) => database.batch([spendGuideLink('h', id, START_MS, {
    shopId, provider: 'instagram', providerAppId: 'app-1', providerUserId: '17841400000000001'
  })])
  return { parts, database, shopId, take, spend }
}

test('a link is bound once, while it lives', async (t) => {
  const { database } = await build(t)
  t.match(await findGuideLink(database, 'h'), { browserHash: null, spentAtMs: null, identityId: null })
  t.equal(await findGuideLink(database, 'other'), undefined)
  t.equal(await bindGuideLink(database, 'h', 'b', START_MS + 1000), false, 'expired')
  t.equal(await bindGuideLink(database, 'h', 'b', START_MS + 999), true)
  t.equal(await bindGuideLink(database, 'h', 'c', START_MS), false)
  t.match(await findGuideLink(database, 'h'), { browserHash: 'b' })
})

test('one try at a time has a link, until its time is over or it is given back', async (t) => {
  const { database, take } = await build(t)
  t.equal(await take('first', START_MS), false, 'no browser has opened it')
  await bindGuideLink(database, 'h', 'b', START_MS)
  t.same((await Promise.all([take('first', START_MS), take('second', START_MS)])).sort(), [false, true])
  t.equal(await takeGuideAttempt(database, { hash: 'h', browserHash: 'c' }, { id: 'x', nowMs: START_MS + 200, untilMs: START_MS + 300 }), false)
  t.equal(await take('third', START_MS + 101), true)
  await endGuideAttempt(database, 'h', 'first')
  t.equal(await take('fourth', START_MS + 102), false, 'given back by one that lost it')
  await endGuideAttempt(database, 'h', 'third')
  t.equal(await take('fourth', START_MS + 102), true)
  t.equal(await take('fifth', START_MS + 1000), false, 'expired')
})

test('a link is spent once, by the try that has it, and then shows whose token it took', async (t) => {
  const { parts, database, shopId, take, spend } = await build(t)
  await seedLogin(parts, shopId)
  await bindGuideLink(database, 'h', 'b', START_MS)
  await take('first', START_MS)
  await t.rejects(spend('other'), { code: 'unexpected_row_count' })
  await spend('first')
  await t.rejects(spend('first'), { code: 'unexpected_row_count' })
  t.equal(await take('second', START_MS + 500), false)
  t.match(await findGuideResult(database, 'h'), { providerUserId: '17841400000000001', username: 'ana', name: 'Ana Lima' })
})

test('erasing the person empties the result, and removing the shop erases the link', async (t) => {
  const { parts, database, shopId, take, spend } = await build(t)
  const customerId = await seedLogin(parts, shopId)
  await bindGuideLink(database, 'h', 'b', START_MS)
  await take('first', START_MS)
  await spend('first')
  await database.run('delete from customers where id = $1', [customerId])
  t.match(await findGuideLink(database, 'h'), { identityId: null, spentAtMs: START_MS })
  t.equal(await findGuideResult(database, 'h'), undefined)
  await database.run('delete from shops where id = $1', [shopId])
  t.equal(await findGuideLink(database, 'h'), undefined)
})

test('old links are erased, and no others', async (t) => {
  const { database, shopId } = await build(t)
  await database.batch([saveGuideLink({ hash: 'new', shopId, provider: 'instagram', nowMs: START_MS, expiresAtMs: START_MS + 2000 }), eraseGuideLinks(START_MS + 1001)])
  t.equal(await findGuideLink(database, 'h'), undefined)
  t.ok(await findGuideLink(database, 'new'))
})
