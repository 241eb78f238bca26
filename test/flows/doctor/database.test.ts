import { randomBytes } from 'node:crypto'
import { closeSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs'
import SQLite from 'better-sqlite3'
import { test, type Test } from 'tap'
import { sealToken } from '../../../src/flows/sealed-tokens.ts'
import type { Database } from '../../../src/store/database.ts'
import { migrate } from '../../../src/store/migrate.ts'
import { openDatabase } from '../../../src/store/open.ts'
import { openVault } from '../../../src/vault-keys.ts'
import type { Vault } from '../../../src/vault.ts'
import { seedLogin, seedShop } from '../../support/rest.ts'
import { examineIn, faults, found } from './patient.ts'

const DAY_MS = 86_400_000
const line = (id: string) => `${id}:${randomBytes(32).toString('base64')}`
const parseLine = (text: string) => ({ id: text.split(':')[0] ?? '', bytes: Buffer.from(text.split(':')[1] ?? '', 'base64') })

/** A folder with the database of a Leadlatch in use. */
async function withStore (t: Test, work: (store: { database: Database, vault: Vault, shopId: string, now: () => number }) => Promise<unknown> = async () => {}, keys?: string[]) {
  const folder = t.testdir({})
  const databaseURL = `sqlite:${folder}/leadlatch.db`
  const database = openDatabase(databaseURL)
  await migrate(database, { version: '0.1.0', nowMs: Date.now() })
  const vault = await openVault({ databaseURL, encryptionKeys: keys?.map(parseLine) ?? null }, database, Date.now)
  const { shopId } = await seedShop({ database, now: Date.now })
  await work({ database, vault, shopId, now: Date.now })
  await database.close()
  return folder
}

function edit (folder: string, sql: string, ...values: unknown[]): void {
  const connection = new SQLite(`${folder}/leadlatch.db`)
  connection.pragma('foreign_keys = OFF')
  connection.prepare(sql).run(...values)
  connection.close()
}

const seedPeople = (count: number) => async ({ database, vault, shopId, now }: Parameters<NonNullable<Parameters<typeof withStore>[1]>>[0]) => {
  for (let i = 0; i < count; i++) await seedLogin({ database, vault, now }, shopId, { providerUserId: String(i + 1), newIdentityId: `idn_${i}`, newCustomerId: `cus_${i}` })
}

test('a database in order is in order, and the doctor leaves every byte and name as it was', async (t) => {
  const folder = await withStore(t, seedPeople(3))
  const before = readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`)])
  const report = await examineIn(t, folder)
  for (const group of ['database', 'keys', 'tokens', 'files'] as const) t.strictSame(faults(report, group), [], group)
  t.match(found(report, 'sealed_rows'), [{ what: /3 stored values are sealed, and all open/ }])
  t.strictSame(readdirSync(folder).map((name) => [name, readFileSync(`${folder}/${name}`)]), before)
})

test('the doctor works beside a running service, and sees what that has not yet moved out of its log', async (t) => {
  const folder = await withStore(t)
  const database = openDatabase(`sqlite:${folder}/leadlatch.db`)
  t.teardown(() => database.close())
  const vault = await openVault({ databaseURL: `sqlite:${folder}/leadlatch.db`, encryptionKeys: null }, database, Date.now)
  const { shopId } = await seedShop({ database, now: Date.now }, { url: 'https://two.example' })
  await seedPeople(2)({ database, vault, shopId, now: Date.now })
  const report = await examineIn(t, folder)
  t.match(found(report, 'sealed_rows'), [{ what: /2 stored values/ }])
  t.match(found(report, 'shops_share_app'), [{ level: 'warning', what: /2 shops/ }], 'T-09: shops that share an app')
})

test('a damaged file is an error', async (t) => {
  const folder = await withStore(t, seedPeople(50))
  const file = openSync(`${folder}/leadlatch.db`, 'r+')
  for (let page = 4; page < 40; page++) writeSync(file, Buffer.alloc(300, 0xee), 0, 300, page * 4096 + 100)
  closeSync(file)
  const report = await examineIn(t, folder)
  t.ok(faults(report, 'database').some((fault) => /^error database_(damaged|unreadable)$/.test(fault)), faults(report).join(', '))
})

test('a file that is no database is an error, not a crash', async (t) => {
  const folder = t.testdir({})
  writeFileSync(`${folder}/leadlatch.db`, 'x'.repeat(10_000), { mode: 0o600 })
  t.match(found(await examineIn(t, folder), 'database_unreadable'), [{ level: 'error', what: /SQLITE_NOTADB/ }])
  const empty = t.testdir({ sub: {} })
  writeFileSync(`${empty}/sub/leadlatch.db`, '', { mode: 0o600 })
  t.match(found(await examineIn(t, `${empty}/sub`), 'database_unreadable'), [{ level: 'error' }])
})

test('rows that point nowhere are counted', async (t) => {
  const folder = await withStore(t, seedPeople(2))
  edit(folder, 'delete from customers where id = ?', 'cus_1')
  t.match(found(await examineIn(t, folder), 'dangling_rows'), [{ level: 'error', what: /^1 row / }])
})

test('a database of another version is named', async (t) => {
  const folder = await withStore(t)
  edit(folder, "insert into migrations (name, checksum, oldest_version, applied_at_ms) values ('9999_future.sql', 'x', '0.1.0', 0)")
  t.match(found(await examineIn(t, folder), 'migration_newer'), [{ level: 'warning', what: /9999_future/ }])
  edit(folder, "update migrations set checksum = 'x' where name = '0001_create_shops.sql'")
  t.match(found(await examineIn(t, folder), 'migration_changed'), [{ level: 'error', what: /0001_create_shops/ }])
  edit(folder, "delete from migrations where name = '0005_create_audit_entries.sql'")
  t.match(found(await examineIn(t, folder), 'migration_pending'), [{ level: 'warning', cure: /leadlatch migrate/ }])
})

test('little free disk, a network disk and a grown log are found', async (t) => {
  const folder = await withStore(t)
  for (const [freeBytes, fileSystem, expected] of [
    [5e9, 0xef53, []], [5e8, 0xef53, ['warning free_disk']], [5e7, 0xef53, ['error free_disk']], [5e9, 0x6969, ['error network_disk']]
  ] as const) {
    const report = await examineIn(t, folder, { disk: async () => ({ freeBytes, fileSystem }) })
    t.strictSame(faults(report, 'database'), expected)
  }
})

test('T-61: stored values that do not open are counted by what is wrong with them', async (t) => {
  const folder = await withStore(t, async (store) => {
    await seedPeople(8)(store)
    const { database, vault, shopId } = store
    const set = (i: number, text: string) => database.run('update tokens set access_token = $2 where identity_id = $1', [`idn_${i}`, text])
    const sealed = sealToken(vault, { shopId, provider: 'instagram', providerAppId: 'app-1', providerUserId: '3' }, 'x')
    await set(0, 'IGAAplain')
    await set(1, '')
    await set(2, sealed.replace(/^1/, '0'))
    await set(3, sealed)
    await set(4, `1.gone.${sealed.split('.')[2]}`)
    await set(5, `${sealed.slice(0, sealed.lastIndexOf('.'))}.AAAA`)
  })
  const report = await examineIn(t, folder)
  t.match(found(report, 'sealed_malformed'), [{ level: 'error', what: /^3 stored values/ }])
  t.match(found(report, 'sealed_unknown_key'), [{ level: 'error', what: /^1 stored value /, cure: /gone/ }])
  t.match(found(report, 'sealed_altered'), [{ level: 'error', what: /^2 stored values of 4/ }])
  t.notMatch(JSON.stringify(report), /IGAA/)
})

test('values under an older key ask for a rotation; a listed key without use may go', async (t) => {
  const [older, newer, spare] = [line('older'), line('newer'), line('spare')]
  const folder = await withStore(t, seedPeople(2), [older])
  const report = await examineIn(t, folder, { settings: { LEADLATCH_ENCRYPTION_KEYS: [newer, older, spare].join(',') } })
  t.match(found(report, 'rotation_due'), [{ level: 'warning', what: /^2 stored values/, cure: 'Run: leadlatch vault rotate' }])
  t.match(found(report, 'key_unused'), [{ level: 'ok', what: /"spare"/ }])
  t.notMatch(JSON.stringify(report), older.split(':')[1] ?? 'unset')
})

test('T-62: a key that is missing, or has other bytes, or another file, is named', async (t) => {
  const older = line('older')
  const folder = await withStore(t, seedPeople(1), [older])
  const under = (...keys: string[]) => examineIn(t, folder, { settings: { LEADLATCH_ENCRYPTION_KEYS: keys.join(',') } })
  t.match(found(await under(line('newer')), 'key_wrong'), [{ level: 'error', what: /"older" is missing/ }])
  t.match(found(await under(line('older')), 'key_wrong'), [{ level: 'error', what: /"older" is not the one/ }])
  t.match(found(await examineIn(t, folder), 'key_missing'), [{ level: 'error', what: /key file is missing/ }])
  writeFileSync(`${folder}/leadlatch.key`, older, { mode: 0o644 })
  t.match(found(await examineIn(t, folder), 'key_file'), [{ level: 'error', what: /chmod 600/ }])
})

test('tokens that expire soon, are expired or revoked are counted', async (t) => {
  const folder = await withStore(t, seedPeople(6))
  const nowMs = Date.now()
  for (const [i, days] of [[0, 3], [1, 6], [2, -1], [3, 20]] as const) edit(folder, 'update tokens set expires_at_ms = ? where identity_id = ?', nowMs + days * DAY_MS, `idn_${i}`)
  edit(folder, 'update tokens set revoked_at_ms = 1, expires_at_ms = ? where identity_id = ?', nowMs, 'idn_4')
  const report = await examineIn(t, folder)
  t.match(found(report, 'tokens_expiring'), [{ level: 'warning', what: /^2 tokens of 6/ }])
  t.match(found(report, 'tokens_expired'), [{ level: 'warning', what: /^1 token of 6/ }])
  t.match(found(report, 'tokens_revoked'), [{ level: 'ok', what: /^1 token of 6/ }])
})
