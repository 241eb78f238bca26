import { test, type Test } from 'tap'
import type { Database } from '../../src/store/database.ts'

/** Opens an empty database that is closed when the test ends. */
export type Opener = (t: Test) => Promise<Database>

async function openThings (t: Test, open: Opener): Promise<Database> {
  const database = await open(t)
  await database.run('create table owners (id text primary key)')
  await database.run(`create table things (id text primary key, n bigint, owner text,
    foreign key (owner) references owners (id) on delete cascade deferrable initially deferred)`)
  return database
}

const INSERT = 'insert into things (id, n) values ($1, $2)'
const LIST = 'select id, n from things order by id'

/** What every engine promises the rest of the service. */
export function databaseSuite (engine: string, open: Opener): void {
  test(`${engine}: get gives the first row or undefined, all gives every row`, async (t) => {
    const database = await openThings(t, open)
    t.equal(await database.get(LIST), undefined)
    t.strictSame(await database.all(LIST), [])
    await database.run(INSERT, ['b', 2])
    await database.run(INSERT, ['a', 1])
    t.strictSame({ ...await database.get(LIST) }, { id: 'a', n: 1 })
    t.strictSame((await database.all(LIST)).map((row) => ({ ...row })), [{ id: 'a', n: 1 }, { id: 'b', n: 2 }])
    t.strictSame((await database.all('select id from things where n >= $1 and id <> $2', [1, 'a'])).map((row) => ({ ...row })), [{ id: 'b' }])
  })

  test(`${engine}: text, whole numbers beyond 32 bits and null come back as they went in`, async (t) => {
    const database = await openThings(t, open)
    const values: Array<[string, number | null]> = [['ünïcødé 👍 \u202e\' " ; --', 1_793_491_200_000], ['', null], ['max', Number.MAX_SAFE_INTEGER], ['min', -1]]
    for (const [id, n] of values) {
      await database.run(INSERT, [id, n])
      t.strictSame({ ...await database.get('select id, n from things where id = $1', [id]) }, { id, n })
    }
  })

  test(`${engine}: a placeholder may stand in several places`, async (t) => {
    const database = await openThings(t, open)
    await database.run(INSERT, ['a', 1])
    t.strictSame({ ...await database.get('select id from things where id = $1 and id = $1 and n = $2', ['a', 1]) }, { id: 'a' })
  })

  test(`${engine}: run tells how many rows changed`, async (t) => {
    const database = await openThings(t, open)
    await database.batch(['a', 'b'].map((id) => ({ sql: INSERT, values: [id, 1] })))
    t.equal(await database.run('update things set n = 2 where n = 1'), 2)
    t.equal(await database.run('delete from things where id = $1', ['x']), 0)
  })

  test(`${engine}: a batch gives the rows that each statement returned`, async (t) => {
    const database = await openThings(t, open)
    const results = await database.batch([
      { sql: `${INSERT} returning id`, values: ['a', 1] },
      { sql: `${INSERT} on conflict (id) do nothing returning id`, values: ['a', 2] },
      { sql: 'update things set n = 3' },
      { sql: LIST }
    ])
    t.strictSame(results.map((rows) => rows.map((row) => ({ ...row }))), [[{ id: 'a' }], [], [], [{ id: 'a', n: 3 }]])
  })

  test(`${engine}: a batch that fails at any statement changes nothing`, async (t) => {
    const database = await openThings(t, open)
    await database.run(INSERT, ['taken', 0])
    const good = { sql: INSERT, values: ['a', 1] }
    await t.rejects(database.batch([good, { sql: INSERT, values: ['taken', 1] }]), { code: 'constraint' })
    await t.rejects(database.batch([good, { sql: 'update things set n = 9 where id = $1', values: ['none'], expect: 1 }]), { code: 'unexpected_row_count' })
    await t.rejects(database.batch([good, { sql: LIST, expect: 5 }]), { code: 'unexpected_row_count' })
    await t.rejects(database.batch([good, { sql: 'update things set owner = $1', values: ['nobody'] }]), { code: 'constraint' }, 'found out when it commits')
    t.strictSame((await database.all(LIST)).map((row) => ({ ...row })), [{ id: 'taken', n: 0 }])
  })

  test(`${engine}: an expected number of rows lets the batch through`, async (t) => {
    const database = await openThings(t, open)
    await database.batch([
      { sql: INSERT, values: ['a', 1], expect: 1 },
      { sql: 'update things set n = 2 where id = $1', values: ['x'], expect: 0 },
      { sql: 'update things set n = 2 returning id', expect: 1 }
    ])
    t.strictSame({ ...await database.get(LIST) }, { id: 'a', n: 2 })
  })

  test(`${engine}: of batches that arrive together, those that fail fail alone`, async (t) => {
    const database = await openThings(t, open)
    await database.run(INSERT, ['taken', 0])
    const results = await Promise.allSettled([
      database.batch([{ sql: INSERT, values: ['a', 1] }]),
      database.batch([{ sql: INSERT, values: ['b', 1] }, { sql: INSERT, values: ['taken', 1] }]),
      database.run(INSERT, ['c', 1]),
      database.batch([{ sql: INSERT, values: ['d', 1], expect: 2 }]),
      database.batch([{ sql: 'insert into things (id, owner) values ($1, $2)', values: ['e', 'nobody'] }]),
      database.batch([{ sql: 'insert into nowhere (id) values ($1)', values: ['f'] }]),
      database.batch([{ sql: INSERT, values: ['g', 1] }])
    ])
    t.strictSame(results.map(({ status }) => status), ['fulfilled', 'rejected', 'fulfilled', 'rejected', 'rejected', 'rejected', 'fulfilled'])
    t.strictSame((await database.all(LIST)).map(({ id }) => id), ['a', 'c', 'g', 'taken'])
  })

  test(`${engine}: batches that arrive together are applied each in whole`, async (t) => {
    const database = await openThings(t, open)
    await database.run(INSERT, ['counter', 0])
    await Promise.all(Array.from({ length: 50 }, () => database.batch([
      { sql: 'update things set n = n + 1 where id = $1', values: ['counter'] },
      { sql: 'update things set n = n + 1 where id = $1', values: ['counter'] }
    ])))
    t.strictSame({ ...await database.get(LIST) }, { id: 'counter', n: 100 })
  })

  test(`${engine}: of many that insert one key at once, one succeeds`, async (t) => {
    const database = await openThings(t, open)
    const results = await Promise.all(Array.from({ length: 20 }, (_, i) => database.batch([
      { sql: `${INSERT} on conflict (id) do nothing returning id`, values: ['once', i] }
    ])))
    t.equal(results.filter(([rows]) => rows?.length === 1).length, 1)
  })

  test(`${engine}: foreign keys cascade`, async (t) => {
    const database = await openThings(t, open)
    await database.batch([
      { sql: 'insert into things (id, owner) values ($1, $2)', values: ['a', 'o'] },
      { sql: 'insert into owners (id) values ($1)', values: ['o'] }
    ])
    await database.run('delete from owners')
    t.strictSame(await database.all(LIST), [])
  })

  test(`${engine}: an error names no value of a row`, async (t) => {
    const database = await openThings(t, open)
    await database.run(INSERT, ['hunter2', 1])
    const error = await database.run(INSERT, ['hunter2', 1]).catch((error: unknown) => error)
    t.match(error, { code: 'constraint' })
    t.notMatch(error instanceof Error ? error.message : '', 'hunter2')
  })

  test(`${engine}: text sorts and compares by bytes, whatever the language`, async (t) => {
    const database = await openThings(t, open)
    for (const id of ['b', 'B', 'ä', 'a', '\u{10ffff}', '\uffee', 'Z']) await database.run(INSERT, [id, 1])
    t.strictSame((await database.all(LIST)).map(({ id }) => id), ['B', 'Z', 'a', 'b', 'ä', '\uffee', '\u{10ffff}'])
  })

  test(`${engine}: a migration is applied once, and one that fails leaves neither tables nor its record`, async (t) => {
    const database = await openThings(t, open)
    const record = (id: string) => ({ sql: `${INSERT} on conflict (id) do nothing`, values: [id, 1] })
    const results = await Promise.all([1, 2].map(() => database.applyMigration(record('m1'), 'create table made (x text); create index made_x on made (x);')))
    t.strictSame(results.sort(), [false, true])
    await t.rejects(database.applyMigration(record('m2'), 'create table other (x text); create table made (x text);'))
    t.strictSame((await database.all(LIST)).map(({ id }) => id), ['m1'])
    await t.rejects(database.all('select x from other'))
  })

  test(`${engine}: what was asked before closing is done, what is asked after it is refused`, async (t) => {
    const database = await openThings(t, open)
    const pending = database.run(INSERT, ['a', 1])
    const closing = database.close()
    t.equal(await pending, 1)
    await closing
    await t.rejects(database.run(INSERT, ['b', 1]), { code: 'unavailable' })
    await t.rejects(database.batch([{ sql: LIST }]), { code: 'unavailable' })
    await database.close()
  })
}
