import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, lstatSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { createKeyFile, keyFilePath, readKeyFile } from '../src/key-file.ts'
import { openDatabase } from '../src/store/open.ts'
import { migrate } from '../src/store/migrate.ts'
import type { Database } from '../src/store/database.ts'
import { createVault, type VaultKey } from '../src/vault.ts'
import { openVault } from '../src/vault-keys.ts'

const now = () => 1_000
const key = (id: string, fill?: number): VaultKey => ({ id, bytes: fill === undefined ? randomBytes(32) : Buffer.alloc(32, fill) })

async function openStore (t: Test, url: string): Promise<Database> {
  const database = openDatabase(url)
  t.teardown(() => database.close())
  await migrate(database, { version: '0.1.0', nowMs: 0 })
  return database
}

async function withFile (t: Test) {
  const folder = t.testdir({})
  const databaseURL = `sqlite:${folder}/leadlatch.db`
  const config = { databaseURL, encryptionKeys: null }
  return { folder, keyPath: join(folder, 'leadlatch.key'), config, database: await openStore(t, databaseURL) }
}

test('the key file lies beside the database under its name', async (t) => {
  t.equal(keyFilePath('/d/leadlatch.db'), '/d/leadlatch.key')
  t.equal(keyFilePath('/d/leads.sqlite'), '/d/leads.sqlite.key')
})

test('a new database gets a key file, with a warning, and the next start opens what was sealed', async (t) => {
  const { config, database, keyPath } = await withFile(t)
  const warnings: string[] = []
  const first = await openVault(config, database, now, (warning) => warnings.push(warning))
  t.match(readFileSync(keyPath, 'utf8'), /^[\w-]{1,32}:[A-Za-z0-9+/]{43}=\n$/)
  t.equal(warnings.length, 1)
  t.match(warnings[0], keyPath)
  t.notMatch(warnings[0], readFileSync(keyPath, 'utf8').split(':')[1]?.trim() ?? 'unset')
  const sealed = first.seal('token', 'row', 'secret')
  const second = await openVault(config, database, now, (warning) => warnings.push(warning))
  t.equal(second.unseal('token', 'row', sealed), 'secret')
  t.equal(warnings.length, 1)
})

test('T-70: the key file is its owner\'s alone, whatever the umask', async (t) => {
  const { config, database, keyPath, folder } = await withFile(t)
  const before = process.umask(0)
  t.teardown(() => process.umask(before))
  await openVault(config, database, now)
  t.equal(statSync(keyPath).mode & 0o777, 0o600)
  t.strictSame(readdirSync(folder).filter((name) => name.startsWith('leadlatch.key')), ['leadlatch.key'], 'no draft stays behind')
})

test('T-70: a key file that others can read is refused', async (t) => {
  for (const mode of [0o640, 0o604, 0o644, 0o620]) {
    const { config, database, keyPath } = await withFile(t)
    await openVault(config, database, now)
    chmodSync(keyPath, mode)
    await t.rejects(openVault(config, database, now), { code: 'unsafe', message: new RegExp(`${keyPath}.*chmod 600`) })
  }
})

test('T-71: a key file that is a symbolic link is refused and its target stays untouched', async (t) => {
  const { config, database, keyPath, folder } = await withFile(t)
  const target = join(folder, 'target')
  writeFileSync(target, `k:${randomBytes(32).toString('base64')}\n`, { mode: 0o600 })
  const before = readFileSync(target)
  symlinkSync(target, keyPath)
  await t.rejects(openVault(config, database, now), { code: 'unsafe', message: /symbolic link/ })
  t.same(readFileSync(target), before)
})

test('T-71: a dangling link in the place of the key file is not written through', async (t) => {
  const { config, database, keyPath, folder } = await withFile(t)
  symlinkSync(join(folder, 'elsewhere'), keyPath)
  await t.rejects(openVault(config, database, now), { code: 'unsafe' })
  t.notOk(existsSync(join(folder, 'elsewhere')))
  t.ok(lstatSync(keyPath).isSymbolicLink())
})

test('T-62: a missing key file beside a database that was in use stops the start and names the file', async (t) => {
  const { config, database, keyPath } = await withFile(t)
  await openVault(config, database, now)
  rmSync(keyPath)
  await t.rejects(openVault(config, database, now), { code: 'missing', message: new RegExp(keyPath) })
  t.notOk(existsSync(keyPath), 'no new key is made')
})

test('T-62: another key under the same name stops the start and names the key', async (t) => {
  const { config, database, keyPath } = await withFile(t)
  const { newestKeyId } = await openVault(config, database, now)
  writeFileSync(keyPath, `${newestKeyId}:${randomBytes(32).toString('base64')}\n`)
  await t.rejects(openVault(config, database, now), { code: 'not_authentic', message: new RegExp(newestKeyId) })
})

test('a key file that holds something else is refused', async (t) => {
  for (const text of ['', 'x', 'k:short=', `k:${randomBytes(32).toString('base64')}\nmore`]) {
    const { config, database, keyPath } = await withFile(t)
    writeFileSync(keyPath, text, { mode: 0o600 })
    await t.rejects(openVault(config, database, now), { code: 'malformed', message: new RegExp(keyPath) }, JSON.stringify(text))
  }
})

test('of two processes that make the key file at once, both use the one that is there', async (t) => {
  const path = join(t.testdir({}), 'leadlatch.key')
  const [first, second] = [createKeyFile(path), createKeyFile(path)]
  t.same(second, first)
  t.same(readKeyFile(path), first)
})

test('a folder in which no key file can be made is named', async (t) => {
  t.throws(() => createKeyFile(join(t.testdir({}), 'none', 'leadlatch.key')), { code: 'unwritable', message: /LEADLATCH_ENCRYPTION_KEYS/ })
})

test('with configured keys no key file is made', async (t) => {
  const { config, database, keyPath } = await withFile(t)
  const vault = await openVault({ ...config, encryptionKeys: [key('b'), key('a')] }, database, now)
  t.equal(vault.newestKeyId, 'b')
  t.notOk(existsSync(keyPath))
})

test('an in-memory database gets a random key', async (t) => {
  const config = { databaseURL: 'sqlite::memory:', encryptionKeys: null }
  const sealed = (await openVault(config, await openStore(t, config.databaseURL), now)).seal('token', 'row', 'x')
  const other = await openVault(config, await openStore(t, config.databaseURL), now)
  t.throws(() => other.unseal('token', 'row', sealed), { code: 'not_authentic' })
})

test('a key may be added in front, and none that was in use may be left out', async (t) => {
  const databaseURL = 'sqlite::memory:'
  const database = await openStore(t, databaseURL)
  const [older, newer] = [key('older'), key('newer')]
  await openVault({ databaseURL, encryptionKeys: [older] }, database, now)
  t.equal((await openVault({ databaseURL, encryptionKeys: [newer, older] }, database, now)).newestKeyId, 'newer')
  await t.rejects(openVault({ databaseURL, encryptionKeys: [newer] }, database, now), { code: 'unknown_key', message: /"older"/ })
  await t.rejects(openVault({ databaseURL, encryptionKeys: [older] }, database, now), { code: 'unknown_key', message: /"newer"/ })
})

test('a key that is listed and was never the newest leaves no check value', async (t) => {
  const databaseURL = 'sqlite::memory:'
  const database = await openStore(t, databaseURL)
  await openVault({ databaseURL, encryptionKeys: [key('a'), key('spare')] }, database, now)
  t.strictSame(await database.all('select key_id from vault_keys'), [{ key_id: 'a' }])
})

test('other bytes under the name of a key that was in use are refused', async (t) => {
  const databaseURL = 'sqlite::memory:'
  const database = await openStore(t, databaseURL)
  await openVault({ databaseURL, encryptionKeys: [key('a', 1)] }, database, now)
  await t.rejects(openVault({ databaseURL, encryptionKeys: [key('a', 2)] }, database, now), { code: 'not_authentic', message: /"a"/ })
  await t.rejects(openVault({ databaseURL, encryptionKeys: [key('b'), key('a', 2)] }, database, now), { code: 'not_authentic' })
})

test('of two replicas with different bytes under one name, the second is refused even when they start at once', async (t) => {
  const databaseURL = 'sqlite::memory:'
  const database = await openStore(t, databaseURL)
  const results = await Promise.allSettled([1, 2].map((fill) => openVault({ databaseURL, encryptionKeys: [key('a', fill)] }, database, now)))
  t.strictSame(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
})

test('a check value of another row does not count', async (t) => {
  const databaseURL = 'sqlite::memory:'
  const database = await openStore(t, databaseURL)
  const [a, b] = [key('a'), key('b')]
  const moved = createVault([b]).seal('check', 'b', 'leadlatch')
  await database.run('insert into vault_keys (key_id, check_value, created_at_ms) values ($1, $2, $3)', ['a', moved, 0])
  await t.rejects(openVault({ databaseURL, encryptionKeys: [a, b] }, database, now), { code: 'not_authentic', message: /"a"/ })
})
