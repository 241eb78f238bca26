import { strict as assert } from 'node:assert'
import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, type KeyObject, randomBytes } from 'node:crypto'
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as yieldTurn, setTimeout as pause } from 'node:timers/promises'
import SQLite from 'better-sqlite3'
import { rotateVault } from '../src/flows/rotate.ts'
import { openSealedRow } from '../src/flows/sealed-rows.ts'
import { openDatabase } from '../src/store/open.ts'
import { listSealedRows, SEALED_COLUMNS } from '../src/store/sealed-values.ts'
import { readKeys } from '../src/vault-keys.ts'
import { createVault, keyIdOf, type VaultKey } from '../src/vault.ts'
import { CORES, pinLoad } from './support/cores.ts'
import { parseOptions } from './support/options.ts'
import { formatCount, printTable, printTarget } from './support/report.ts'
import { seed } from './support/seed.ts'
import { median } from './support/statistics.ts'

const BATCH_ROWS = 250
const NONCE_BYTES = 12
const TAG_BYTES = 16

type Contestant = { name: string, rotate: (path: string, keys: { older: VaultKey, newer: VaultKey }) => Promise<void> }

const options = parseOptions({ rounds: 5, seconds: 1, rows: 100_000, concurrency: 1 })
pinLoad()
const seeded = await seed(options.rows)
const older = readKeys({ databaseURL: `sqlite:${seeded.path}`, encryptionKeys: null })?.[0]
assert(older !== undefined, 'the seeded database has no key file')
const folder = mkdtempSync(join(tmpdir(), 'leadlatch-bench-vault-'))

const FLOOR: Contestant = { name: 'bare AES-GCM + UPDATE', rotate: rotateBare }
const CONTESTANTS: readonly Contestant[] = [
  FLOOR,
  { name: 'Leadlatch, without rests', rotate: (path, keys) => rotateWith(path, keys, () => yieldTurn()) },
  { name: 'Leadlatch', rotate: (path, keys) => rotateWith(path, keys, (ms) => pause(ms)) }
]

try {
  const rates = new Map<string, number[]>(CONTESTANTS.map(({ name }) => [name, []]))
  for (let round = 0; round <= options.rounds; round++) {
    for (const contestant of round % 2 === 0 ? CONTESTANTS : CONTESTANTS.toReversed()) {
      const rate = await measure(contestant)
      if (round > 0) rates.get(contestant.name)?.push(rate)
    }
  }
  report(rates)
} finally {
  rmSync(folder, { recursive: true })
}

// Each round has a copy of its own: all of its rows are under the older key.
async function measure ({ rotate }: Contestant): Promise<number> {
  assert(older !== undefined)
  const path = join(folder, 'round.db')
  copyFileSync(seeded.path, path)
  const newer = { id: 'newer', bytes: randomBytes(32) }
  const startedMs = performance.now()
  await rotate(path, { older, newer })
  const elapsedMs = performance.now() - startedMs
  await check(path, newer)
  for (const suffix of ['', '-wal', '-shm']) rmSync(path + suffix, { force: true })
  return options.rows / elapsedMs * 1000
}

async function rotateWith (path: string, keys: { older: VaultKey, newer: VaultKey }, rest: (ms: number) => Promise<unknown>): Promise<void> {
  const database = openDatabase(`sqlite:${path}`)
  const outcome = await rotateVault({ database, vault: createVault([keys.newer, keys.older]) }, { pause: rest })
  await database.close()
  assert.deepEqual([outcome.resealed, outcome.unreadable, outcome.left], [options.rows, 0, 0])
}

// The least that a rotation can do: read a page, decrypt and encrypt, update under the old text, commit.
// The texts are the vault's, so that the rows open afterwards; nothing else is checked, nobody gets a turn.
async function rotateBare (path: string, keys: { older: VaultKey, newer: VaultKey }): Promise<void> {
  const connection = new SQLite(path)
  connection.pragma('journal_mode = WAL')
  connection.pragma('synchronous = FULL')
  const list = connection.prepare<[string, number], { id: string, sealed: string, shop_id: string, provider: string, app: string, user: string }>(
    `select t.identity_id as id, t.access_token as sealed, i.shop_id, i.provider, i.provider_app_id as app, i.provider_user_id as user
     from tokens t join identities i on i.id = t.identity_id where t.identity_id > ? order by t.identity_id limit ?`)
  const update = connection.prepare('update tokens set access_token = ? where identity_id = ? and access_token = ?')
  const [from, to] = [subkeyOf(keys.older), subkeyOf(keys.newer)]
  const commit = connection.transaction((changes: ReadonlyArray<readonly [string, string, string]>) => {
    for (const change of changes) update.run(...change)
  }).immediate
  for (let rows = list.all('', BATCH_ROWS); rows.length > 0; rows = list.all(rows.at(-1)?.id ?? '', BATCH_ROWS)) {
    commit(rows.map((row) => {
      const context = JSON.stringify([row.shop_id, row.provider, row.app, row.user])
      const body = Buffer.from(row.sealed.slice(row.sealed.lastIndexOf('.') + 1), 'base64url')
      const plain = decrypt(from, `1.${keys.older.id}.${context}`, body)
      return [`1.${keys.newer.id}.${encrypt(to, `1.${keys.newer.id}.${context}`, plain)}`, row.id, row.sealed] as const
    }))
  }
  connection.close()
}

function subkeyOf ({ bytes }: VaultKey): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', bytes, '', 'leadlatch token', 32)))
}

function decrypt (key: KeyObject, context: string, body: Buffer): string {
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(body.subarray(-TAG_BYTES))
  return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
}

function encrypt (key: KeyObject, context: string, plain: string): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

// Whoever left a row out, or spoilt one, would win.
async function check (path: string, newer: VaultKey): Promise<void> {
  const database = openDatabase(`sqlite:${path}`)
  const vault = createVault([newer])
  let opened = 0
  for (const column of SEALED_COLUMNS) {
    for (const row of await listSealedRows(database, column, { afterId: '', limit: options.rows + 1 })) {
      assert.equal(keyIdOf(row.sealed), newer.id)
      assert.notEqual(openSealedRow(vault, row), '')
      opened++
    }
  }
  assert.equal(opened, options.rows)
  await database.close()
}

function report (rates: ReadonlyMap<string, readonly number[]>): void {
  const floor = rates.get(FLOOR.name) ?? []
  const ratiosOf = (own: readonly number[]) => own.map((rate, i) => rate / (floor[i] ?? NaN))
  console.log(`\nRotation of ${formatCount(options.rows)} tokens, ${options.rounds} rounds${CORES.load === null ? ', core not pinned' : ', on one core'}; ` +
    'Leadlatch reads everything twice and leaves the database to others between its batches')
  printTable(Array.from(rates, ([name, own]) => ({
    contestant: name,
    'rows/s': formatCount(median(own)),
    ratio: median(ratiosOf(own)).toFixed(2),
    'of rounds': `${Math.min(...ratiosOf(own)).toFixed(2)}–${Math.max(...ratiosOf(own)).toFixed(2)}`
  })))
  printTarget('Leadlatch without rests, share of the floor', median(ratiosOf(rates.get('Leadlatch, without rests') ?? [])), { atLeast: 0.7 })
}
