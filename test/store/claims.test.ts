import { test, type Test } from 'tap'
import { eraseExpiredClaims, isClaimLive, markReplayed, takeClaim } from '../../src/store/claims.ts'
import type { Database } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'

async function openStore (t: Test, url = 'sqlite::memory:'): Promise<Database> {
  const database = openDatabase(url)
  t.teardown(() => database.close())
  await migrate(database, { version: '0.1.0', nowMs: 0 })
  await database.run('insert into shops (id, name, url, id_token_alg, created_at_ms) values (\'s1\', \'\', \'\', \'RS256\', 0) on conflict do nothing')
  return database
}

const claim = { flowId: 'f1', shopId: 's1', nowMs: 100, expiresAtMs: 1_000 }

test('T-25: of many who claim one flow at once, over two connections, one gets it', async (t) => {
  const url = `sqlite:${t.testdir({})}/a.db`
  const [first, second] = [await openStore(t, url), await openStore(t, url)]
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => takeClaim(i % 2 === 0 ? first : second, claim)))
  t.equal(results.filter(Boolean).length, 1)
})

test('a claimed flow stays claimed, even long after', async (t) => {
  const database = await openStore(t)
  t.equal(await takeClaim(database, claim), true)
  t.equal(await takeClaim(database, { ...claim, nowMs: 999, expiresAtMs: 9_999 }), false)
  t.equal(await takeClaim(database, { ...claim, flowId: 'f2' }), true)
})

test('a claim survives a restart', async (t) => {
  const url = `sqlite:${t.testdir({})}/a.db`
  const before = await openStore(t, url)
  t.equal(await takeClaim(before, claim), true)
  await before.close()
  t.equal(await takeClaim(await openStore(t, url), claim), false)
})

test('a claim lives until its flow is presented again', async (t) => {
  const database = await openStore(t)
  t.equal(await isClaimLive(database, 'f1'), false)
  await takeClaim(database, claim)
  t.equal(await isClaimLive(database, 'f1'), true)
  await markReplayed(database, 'f2', 200)
  t.equal(await isClaimLive(database, 'f1'), true)
  await markReplayed(database, 'f1', 200)
  await markReplayed(database, 'f1', 300)
  t.equal(await isClaimLive(database, 'f1'), false)
  t.strictSame(await database.all('select replayed_at_ms from claims'), [{ replayed_at_ms: 200 }], 'the first time is kept')
})

test('only claims whose time is over are erased', async (t) => {
  const database = await openStore(t)
  await takeClaim(database, claim)
  await takeClaim(database, { ...claim, flowId: 'f2', expiresAtMs: 1_001 })
  await database.batch([eraseExpiredClaims(1_000)])
  t.strictSame((await database.all('select flow_id from claims order by flow_id')).map((row) => row['flow_id']), ['f1', 'f2'])
  await database.batch([eraseExpiredClaims(1_001)])
  t.strictSame((await database.all('select flow_id from claims')).map((row) => row['flow_id']), ['f2'])
})

test('no claim is taken for a shop that is gone', async (t) => {
  await t.rejects(takeClaim(await openStore(t), { ...claim, shopId: 'gone' }), { code: 'constraint' })
})
