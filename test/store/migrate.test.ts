import { createHash } from 'node:crypto'
import { test, type Test } from 'tap'
import type { Database } from '../../src/store/database.ts'
import { type Migration, migrate, readMigrations } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'

function open (t: Test, url = 'sqlite::memory:'): Database {
  const database = openDatabase(url)
  t.teardown(() => database.close())
  return database
}

function migration (name: string, text: string, oldestVersion = '0.1.0'): Migration {
  return { name, text, oldestVersion, checksum: createHash('sha256').update(text).digest('base64url') }
}

const FIRST = migration('0001_create_a.sql', 'create table a (x text);')
const SECOND = migration('0002_create_b.sql', 'create table b (x text); insert into b select x from a;')

test('an empty database gets all tables, in order, and a second run has nothing to do', async (t) => {
  const database = open(t)
  const applied = await migrate(database, { version: '0.1.0', nowMs: 5 })
  t.strictSame(applied, readMigrations().map(({ name }) => name))
  t.strictSame(applied, [...applied].sort())
  t.strictSame(await migrate(database, { version: '0.1.0', nowMs: 6 }), [])
  t.strictSame(await database.all('select distinct applied_at_ms from migrations'), [{ applied_at_ms: 5 }])
})

test('the files are named NNNN_verb_noun.sql without gap or double, and each names its oldest version', async (t) => {
  const migrations = readMigrations()
  t.ok(migrations.length > 0)
  migrations.forEach(({ name, oldestVersion }, i) => {
    t.match(name, new RegExp(`^${String(i + 1).padStart(4, '0')}_[a-z]+_[a-z_]+\\.sql$`))
    t.match(oldestVersion, /^\d+\.\d+\.\d+$/)
  })
})

test('the tables know no types but text and bigint, which both engines have', async (t) => {
  for (const { name, text } of readMigrations()) t.notMatch(text, /\b(integer|int|boolean|timestamp|json|real|blob|autoincrement|serial)\b/i, name)
})

test('a database with rows keeps them through a newer migration', async (t) => {
  const database = open(t)
  await migrate(database, { version: '0.1.0', nowMs: 0, migrations: [FIRST] })
  await database.run('insert into a values ($1)', ['kept'])
  t.strictSame(await migrate(database, { version: '0.2.0', nowMs: 1, migrations: [FIRST, SECOND] }), [SECOND.name])
  t.strictSame(await database.all('select x from b'), [{ x: 'kept' }])
})

test('a recorded migration whose file changed stops the start and is named', async (t) => {
  const database = open(t)
  await migrate(database, { version: '0.1.0', nowMs: 0, migrations: [FIRST] })
  const changed = migration(FIRST.name, `${FIRST.text} -- changed`)
  await t.rejects(migrate(database, { version: '0.1.0', nowMs: 0, migrations: [changed, SECOND] }), { code: 'migration', message: new RegExp(FIRST.name) })
  await t.rejects(database.all('select x from b'), 'nothing further was applied')
})

test('a recorded migration that is missing among ours stops the start', async (t) => {
  const database = open(t)
  await migrate(database, { version: '0.1.0', nowMs: 0, migrations: [FIRST, SECOND] })
  await t.rejects(migrate(database, { version: '0.1.0', nowMs: 0, migrations: [SECOND] }), { code: 'migration', message: /0001_create_a\.sql, which this version lacks/ })
})

test('an older version runs on a newer database as long as its migrations allow it', async (t) => {
  const database = open(t)
  const allowed = migration('0002_create_b.sql', 'create table b (x text);', '0.9.0')
  const tooNew = migration('0003_create_c.sql', 'create table c (x text);', '0.10.0')
  await migrate(database, { version: '0.10.0', nowMs: 0, migrations: [FIRST, allowed] })
  t.strictSame(await migrate(database, { version: '0.9.0', nowMs: 0, migrations: [FIRST] }), [])
  await migrate(database, { version: '0.10.0', nowMs: 0, migrations: [FIRST, allowed, tooNew] })
  await t.rejects(migrate(database, { version: '0.9.9', nowMs: 0, migrations: [FIRST] }), { code: 'migration', message: /needs Leadlatch 0\.10\.0 or newer, this is 0\.9\.9/ })
  t.strictSame(await migrate(database, { version: '1.0.0', nowMs: 0, migrations: [FIRST] }), [], 'compared as numbers')
})

test('a migration that fails leaves the ones before it and can be tried again', async (t) => {
  const database = open(t)
  const broken = migration(SECOND.name, 'create table b (x text); create table a (x text);')
  await t.rejects(migrate(database, { version: '0.1.0', nowMs: 0, migrations: [FIRST, broken] }))
  t.strictSame(await database.all('select name from migrations'), [{ name: FIRST.name }])
  t.strictSame(await migrate(database, { version: '0.1.0', nowMs: 0, migrations: [FIRST, SECOND] }), [SECOND.name])
})

test('several processes that start at once apply each migration once', async (t) => {
  const url = `sqlite:${t.testdir({})}/a.db`
  const databases = Array.from({ length: 4 }, () => open(t, url))
  const applied = await Promise.all(databases.map((database) => migrate(database, { version: '0.1.0', nowMs: 0 })))
  t.strictSame(applied.flat().sort(), readMigrations().map(({ name }) => name))
})
