import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import SQLite from 'better-sqlite3'
import { test, type Test } from 'tap'
import { sealToken, unsealToken } from '../../src/flows/sealed-tokens.ts'
import { createVault, type VaultKey } from '../../src/vault.ts'
import { openVault } from '../../src/vault-keys.ts'
import { openDatabase } from '../../src/store/open.ts'
import { member, NOW_MS, parse, runIn } from './edge.ts'

const BIN = fileURLToPath(new URL('../../bin/leadlatch.js', import.meta.url))
const ROWS = 20_000

const newKey = (id: string): VaultKey => ({ id, bytes: randomBytes(32) })
const listOf = (...keys: VaultKey[]) => keys.map(({ id, bytes }) => `${id}:${bytes.toString('base64')}`).join(',')

/** A folder whose database holds tokens sealed under one key, which is in the environment or in the key file. */
async function withTokens (t: Test, { rows = 3, key = newKey('older') }: { rows?: number, key?: VaultKey | null } = {}) {
  const folder = t.testdir({})
  const environment: Record<string, string> = key === null ? {} : { LEADLATCH_ENCRYPTION_KEYS: listOf(key) }
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json'], { environment }), 'id')
  const path = `${folder}/data/leadlatch.db`
  const databaseURL = `sqlite:${path}`
  const database = openDatabase(databaseURL)
  const vault = await openVault({ databaseURL, encryptionKeys: key === null ? null : [key] }, database, () => NOW_MS)
  await database.close()
  const connection = new SQLite(path)
  connection.prepare(`insert into customers (id, shop_id, first_seen_at_ms, login_count, created_at_ms, updated_at_ms)
    values ('cus_1', ?, 0, 0, 0, 0)`).run(shopId)
  const identity = connection.prepare(`insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id, scopes, first_seen_at_ms, login_count)
    values (?, ?, 'cus_1', 'instagram', '42', ?, '', 0, 0)`)
  const token = connection.prepare('insert into tokens (identity_id, access_token, obtained_at_ms) values (?, ?, 0)')
  connection.transaction(() => {
    for (let i = 0; i < rows; i++) {
      identity.run(`idn_${i}`, shopId, String(i))
      token.run(`idn_${i}`, sealToken(vault, { shopId, provider: 'instagram', providerAppId: '42', providerUserId: String(i) }, `IGAA${i}`))
    }
  })()
  connection.close()
  return { folder, path, shopId, key, keyIds: () => readColumn(path, 'select key_id from vault_keys order by key_id') }
}

function readColumn (path: string, sql: string): string[] {
  const connection = new SQLite(path, { readonly: true })
  const values = connection.prepare<[], string>(sql).pluck().all()
  connection.close()
  return values
}

/** Opens every token with these keys; how many are sealed under the first. */
function openEach (path: string, shopId: string, keys: VaultKey[]): number {
  const vault = createVault(keys)
  const sealed = readColumn(path, 'select access_token from tokens t join identities i on i.id = t.identity_id order by cast(i.provider_user_id as integer)')
  sealed.forEach((text, i) => {
    const plain = unsealToken(vault, { shopId, provider: 'instagram', providerAppId: '42', providerUserId: String(i) }, text)
    if (plain !== `IGAA${i}`) throw new Error(`token ${i} is another`)
  })
  return sealed.filter((text) => text.startsWith(`1.${keys[0]?.id}.`)).length
}

test('vault rotate tells what it did, and when the older key may be taken out of the list', async (t) => {
  const key = newKey('older')
  const { folder, path, shopId, keyIds } = await withTokens(t, { key })
  const newer = newKey('newer')
  const environment = { LEADLATCH_ENCRYPTION_KEYS: listOf(newer, key) }
  const first = await runIn(folder, ['vault', 'rotate'], { environment })
  t.match(first, { status: 0, stderr: '', stdout: /Sealed 3 stored values under the key "newer"/ })
  t.match(first.stdout, /Nothing is stored under the key "older" any more.*LEADLATCH_ENCRYPTION_KEYS after 2026-11-01T00:15:00\.000Z/)
  t.equal(openEach(path, shopId, [newer]), 3)
  t.strictSame(keyIds(), ['newer'])
  t.strictSame(parse(await runIn(folder, ['vault', 'rotate', '--json'], { environment: { LEADLATCH_ENCRYPTION_KEYS: listOf(newer) } })), {
    key_id: 'newer', resealed: 0, unreadable: 0, left: 0, retired_key_ids: [], removable_at: null
  })
  t.match(await runIn(folder, ['vault', 'rotate'], { environment: { LEADLATCH_ENCRYPTION_KEYS: listOf(key) } }), { status: 1, stderr: /"newer" is missing/ })
})

test('T-69: vault rotate shows progress on a terminal only, and never a key', async (t) => {
  const key = newKey('older')
  const newer = newKey('newer')
  const { folder } = await withTokens(t, { key })
  const shown = await runIn(folder, ['vault', 'rotate'], { environment: { LEADLATCH_ENCRYPTION_KEYS: listOf(newer, key) }, isTTY: true })
  t.match(shown.stderr, /\r3 values seen, 3 sealed anew \n$/)
  for (const { bytes } of [key, newer]) t.notMatch(shown.stdout + shown.stderr, bytes.toString('base64'))
})

test('from a key file one rotates by listing the new key and the line of the file', async (t) => {
  const { folder, path, shopId, keyIds } = await withTokens(t, { key: null })
  t.match((await runIn(folder, ['vault', 'rotate'])).stdout, /only key.*LEADLATCH_ENCRYPTION_KEYS.*the line in the key file/)
  const newer = newKey('newer')
  const line = readFileSync(`${folder}/data/leadlatch.key`, 'utf8').trim()
  const environment = { LEADLATCH_ENCRYPTION_KEYS: `${listOf(newer)},${line}` }
  t.match(await runIn(folder, ['vault', 'rotate', '--json'], { environment }), { status: 0 })
  t.equal(openEach(path, shopId, [newer]), 3)
  t.strictSame(keyIds(), ['newer'])
})

test('T-61: values that do not open end vault rotate with status 1, after the rest was done', async (t) => {
  const key = newKey('older')
  const { folder, path, keyIds } = await withTokens(t, { key })
  const connection = new SQLite(path)
  connection.exec("update tokens set access_token = 'IGAAplain' where identity_id = 'idn_1'")
  connection.close()
  const outcome = await runIn(folder, ['vault', 'rotate', '--json'], { environment: { LEADLATCH_ENCRYPTION_KEYS: listOf(newKey('newer'), key) } })
  t.match(outcome, { status: 1, stderr: /1 stored values open with none of the keys.*doctor/ })
  t.match(parse(outcome), { resealed: 2, unreadable: 1 })
  t.strictSame(keyIds(), ['newer'], 'a text without a key keeps none')
})

test('a new key is not used while a process that was started without it is running', async (t) => {
  const key = newKey('older')
  const newer = newKey('newer')
  const { folder, path, shopId } = await withTokens(t, { key })
  const environment = { LEADLATCH_ENCRYPTION_KEYS: listOf(newer, key) }
  const running = openDatabase(`sqlite:${path}`)
  t.teardown(() => running.close())
  t.match(await runIn(folder, ['vault', 'rotate'], { environment }), { status: 1, stdout: '', stderr: /"newer" is new.*Restart it/ })
  t.equal(openEach(path, shopId, [newer, key]), 0)
  // It restarts with the list, and says so in the database.
  await openVault({ databaseURL: `sqlite:${path}`, encryptionKeys: [newer, key] }, running, () => NOW_MS)
  t.match(await runIn(folder, ['vault', 'rotate'], { environment }), { status: 0 })
  t.equal(openEach(path, shopId, [newer]), 3)
})

test('vault rotate without a database makes none', async (t) => {
  const folder = t.testdir({})
  t.match(await runIn(folder, ['vault', 'rotate']), { status: 1, stderr: /There is no database/ })
})

test('T-63: a rotation that is killed leaves every token readable, and the next one finishes', { timeout: 60_000 }, async (t) => {
  const key = newKey('older')
  const newer = newKey('newer')
  const { folder, path, shopId, keyIds } = await withTokens(t, { rows: ROWS, key })
  const env = { PATH: process.env.PATH, LEADLATCH_ENCRYPTION_KEYS: listOf(newer, key), LEADLATCH_PUBLIC_URL: 'https://login.example' }
  for (const atLeast of [1, 5000]) {
    const child = spawn(process.execPath, [BIN, 'vault', 'rotate'], { cwd: folder, env, stdio: 'ignore' })
    const gone = once(child, 'exit')
    while (child.exitCode === null && openEach(path, shopId, [newer, key]) < atLeast) await new Promise((resolve) => setImmediate(resolve))
    child.kill('SIGKILL')
    t.strictSame(await gone, [null, 'SIGKILL'], 'it was still at work')
    const done = openEach(path, shopId, [newer, key])
    t.ok(done >= atLeast && done < ROWS, `${done} of ${ROWS} were done`)
    t.strictSame(keyIds(), ['newer', 'older'])
  }
  // Two at once: both finish, and neither undoes the other.
  const both = [0, 1].map(() => once(spawn(process.execPath, [BIN, 'vault', 'rotate'], { cwd: folder, env, stdio: 'ignore' }), 'exit'))
  t.strictSame(await Promise.all(both), [[0, null], [0, null]])
  t.equal(openEach(path, shopId, [newer]), ROWS)
  t.strictSame(keyIds(), ['newer'])
})
