import { chmodSync, mkdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import SQLite from 'better-sqlite3'
import { integer, integerOrNull, text, textOrNull } from '../../src/store/database.ts'
import { openDatabase, sqlitePath } from '../../src/store/open.ts'
import { databaseSuite } from './database-suite.ts'

databaseSuite('SQLite in memory', async (t) => {
  const database = openDatabase('sqlite::memory:')
  t.teardown(() => database.close())
  return database
})

databaseSuite('SQLite file', async (t) => {
  const database = openDatabase(`sqlite:${t.testdir({})}/leadlatch.db`)
  t.teardown(() => database.close())
  return database
})

test('a column of another type than expected is an error', async (t) => {
  t.equal(text({ a: 'x' }, 'a'), 'x')
  t.equal(integer({ a: 1 }, 'a'), 1)
  t.equal(textOrNull({ a: null }, 'a'), null)
  t.equal(integerOrNull({ a: null }, 'a'), null)
  for (const read of [() => text({ a: 1 }, 'a'), () => text({ a: null }, 'a'), () => text({}, 'a'), () => integer({ a: '1' }, 'a'), () => textOrNull({}, 'a'), () => integerOrNull({ a: 'x' }, 'a')]) {
    t.throws(read, { code: 'unexpected_value', message: /column a/ })
  }
})

test('an address that is not SQLite\'s is unsupported', async (t) => {
  t.throws(() => openDatabase('postgres://db/leadlatch'), { code: 'unsupported' })
  t.equal(sqlitePath('postgres://db'), undefined)
  t.equal(sqlitePath('sqlite::memory:'), ':memory:')
  t.equal(sqlitePath('sqlite:/a/../b.db'), '/b.db')
})

test('T-70: a new database, its log and its folder are their owner\'s alone, whatever the umask', async (t) => {
  const folder = join(t.testdir({}), 'new', 'deep')
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  const database = openDatabase(`sqlite:${folder}/a.db`)
  await database.run('create table t (x text)')
  for (const name of ['a.db', 'a.db-wal', 'a.db-shm']) t.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
  t.equal(statSync(folder).mode & 0o777, 0o700)
  await database.close()
})

test('a file that is no database, and a place where none can be, are unavailable', async (t) => {
  const folder = t.testdir({ 'a.db': 'this is no database, and long enough to be looked at '.repeat(100), file: '' })
  t.throws(() => openDatabase(`sqlite:${folder}/a.db`), { code: 'unavailable', message: /a\.db/ })
  t.throws(() => openDatabase(`sqlite:${folder}/file/a.db`), { code: 'unavailable', message: /cannot be opened or made/ })
  mkdirSync(join(folder, 'dir.db'))
  t.throws(() => openDatabase(`sqlite:${folder}/dir.db`), { code: 'unavailable' })
})

test('an existing file keeps its mode', async (t) => {
  const path = join(t.testdir({}), 'a.db')
  writeFileSync(path, '')
  chmodSync(path, 0o640)
  await openDatabase(`sqlite:${path}`).close()
  t.equal(statSync(path).mode & 0o777, 0o640)
})

test('an acknowledged write survives a power cut: every commit is synced', async (t) => {
  const database = openDatabase(`sqlite:${t.testdir({})}/a.db`)
  t.strictSame(await database.all('pragma synchronous'), [{ synchronous: 2 }])
  t.strictSame(await database.all('pragma journal_mode'), [{ journal_mode: 'wal' }])
  await database.close()
})

test('two processes\' connections see each other\'s writes', async (t) => {
  const url = `sqlite:${t.testdir({})}/a.db`
  const [first, second] = [openDatabase(url), openDatabase(url)]
  await first.run('create table t (x text)')
  await Promise.all(Array.from({ length: 40 }, (_, i) => [first, second][i % 2]?.run('insert into t values ($1)', [String(i)])))
  t.equal((await second.all('select x from t')).length, 40)
  await Promise.all([first.close(), second.close()])
})

test('when another process holds the lock, all that waits is refused after one wait, and works again later', async (t) => {
  const path = `${t.testdir({})}/a.db`
  const database = openDatabase(`sqlite:${path}`)
  await database.run('create table t (x text)')
  const other = new SQLite(path)
  other.exec('begin immediate')
  const started = performance.now()
  const results = await Promise.allSettled([1, 2, 3].map((n) => database.run('insert into t values ($1)', [String(n)])))
  t.ok(performance.now() - started < 9_000, 'not once for each')
  for (const result of results) t.match(result, { status: 'rejected', reason: { code: 'unavailable', message: /SQLITE_BUSY/ } })
  other.exec('commit')
  other.close()
  t.equal(await database.run('insert into t values ($1)', ['4']), 1)
  t.strictSame(await database.all('select x from t'), [{ x: '4' }])
  await database.close()
})

test('a backup that cannot be written is an error of the store', async (t) => {
  const folder = t.testdir({ 'no-database': 'x'.repeat(5000) })
  const database = openDatabase(`sqlite:${folder}/a.db`)
  await database.run('create table t (x text)')
  await t.rejects(database.backup(join(folder, 'no-database')), { code: 'unavailable' })
  await database.close()
})
