import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { openDatabase } from '../../src/store/open.ts'
import { listShops } from '../../src/store/shops.ts'
import { member, parse, runIn } from './edge.ts'

async function withShop (t: Test): Promise<{ folder: string, shopId: string }> {
  const folder = t.testdir({})
  return { folder, shopId: member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id') }
}

test('a backup holds what the database holds, and says that the keys are not inside', async (t) => {
  const { folder, shopId } = await withShop(t)
  const outcome = await runIn(folder, ['backup', 'copy.db'])
  t.match(outcome, { status: 0, stdout: /leadlatch\.key is not inside/, stderr: '' })
  const copy = openDatabase(`sqlite:${folder}/copy.db`)
  t.match(await listShops(copy), [{ id: shopId }])
  t.strictSame(await copy.all('pragma integrity_check'), [{ integrity_check: 'ok' }])
  await copy.close()
  const { bytes } = parse(await runIn(folder, ['backup', 'second.db', '--json']))
  t.equal(bytes, statSync(join(folder, 'second.db')).size)
})

test('T-70: a backup is its owner\'s alone, whatever the umask, and nothing else is left beside it', async (t) => {
  const { folder } = await withShop(t)
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  await runIn(folder, ['backup', 'copy.db'])
  t.equal(statSync(join(folder, 'copy.db')).mode & 0o777, 0o600)
  t.strictSame(readdirSync(folder).sort(), ['copy.db', 'data'])
})

test('T-71: a backup onto a file or through a symbolic link is refused and the target stays untouched', async (t) => {
  const { folder } = await withShop(t)
  writeFileSync(join(folder, 'target'), 'precious')
  symlinkSync('target', join(folder, 'link.db'))
  symlinkSync('nowhere', join(folder, 'dangling.db'))
  for (const file of ['target', 'link.db', 'dangling.db', 'data']) {
    t.match(await runIn(folder, ['backup', file]), { status: 1, stderr: /exists already/ }, file)
  }
  t.equal(readFileSync(join(folder, 'target'), 'utf8'), 'precious')
  t.notOk(existsSync(join(folder, 'nowhere')))
})

test('a backup into a folder that does not exist says so, and without a database nothing is made', async (t) => {
  const { folder } = await withShop(t)
  t.match(await runIn(folder, ['backup', 'none/copy.db']), { status: 1, stderr: /ENOENT.*folder that exists/ })
  const empty = t.testdir({ inner: {} })
  t.match(await runIn(join(empty, 'inner'), ['backup', 'copy.db']), { status: 1, stderr: /no database/ })
  t.strictSame(readdirSync(join(empty, 'inner')), [])
})

test('T-71: a name that the driver would shorten is refused, so that nothing is written through a link', async (t) => {
  const { folder } = await withShop(t)
  writeFileSync(join(folder, 'target'), 'precious')
  symlinkSync('target', join(folder, 'link.db'))
  t.match(await runIn(folder, ['backup', 'link.db ']), { status: 2, stderr: /must not end in a space/ })
  t.equal(readFileSync(join(folder, 'target'), 'utf8'), 'precious')
})

test('a backup that fails leaves no half copy', async (t) => {
  const folder = t.testdir({ data: { 'leadlatch.db': 'this is no database at all' } })
  t.match(await runIn(folder, ['backup', 'copy.db']), { status: 1 })
  t.notOk(existsSync(join(folder, 'copy.db')))
})

// Writes without pause into two rows that must stay equal, for ten seconds. The table beside them makes the copy
// take longer than the pauses between writes.
const WRITER = `
  import SQLite from 'better-sqlite3'
  const db = new SQLite(process.argv[1], { timeout: 5000 })
  db.pragma('synchronous = off')
  db.exec('create table pairs (id integer primary key, n integer); create table bulk (t text); insert into pairs values (1, 0), (2, 0)')
  const fill = db.prepare('insert into bulk values (?)')
  db.transaction(() => { for (let i = 0; i < 40000; i++) fill.run('x'.repeat(1000)) })()
  const step = db.transaction(() => db.exec('update pairs set n = n + 1'))
  step()
  console.log('writing')
  const end = Date.now() + 10_000
  while (Date.now() < end) {
    step()
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
  }`

test('a backup finishes while another process keeps writing, and holds one moment of it', async (t) => {
  const { folder } = await withShop(t)
  const path = join(folder, 'data', 'leadlatch.db')
  const writer: ChildProcess = spawn(process.execPath, ['--input-type=module', '-e', WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'], cwd: process.cwd() })
  t.teardown(() => writer.kill('SIGKILL'))
  if (writer.stdout === null) throw new Error('no pipe')
  await once(writer.stdout, 'data')
  t.match(await runIn(folder, ['backup', 'copy.db']), { status: 0 })
  t.equal(writer.exitCode, null, 'it still writes')
  const copy = openDatabase(`sqlite:${folder}/copy.db`)
  const [first, second] = await copy.all('select n from pairs order by id')
  t.strictSame(first, second)
  t.ok(Number(first?.n) > 0)
  t.strictSame(await copy.all('pragma integrity_check'), [{ integrity_check: 'ok' }])
  await copy.close()
})
