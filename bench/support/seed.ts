import { hash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import SQLite from 'better-sqlite3'
import { sealToken } from '../../src/flows/sealed-tokens.ts'
import { addShop } from '../../src/flows/shops.ts'
import { migrate, readMigrations } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { openVault } from '../../src/vault-keys.ts'
import type { Vault } from '../../src/vault.ts'
import { readVersion } from '../../src/version.ts'
import { personOf, STEP_MS } from './people.ts'

/** A database file with one shop, whose key is `key`; customer `i` first came at `startMs + i * STEP_MS`. */
export type Seeded = { path: string, shopId: string, key: string, startMs: number, rows: number }

const ROWS_A_TRANSACTION = 50_000
const DAY_MS = 86_400_000

const INSERT_CUSTOMER = `insert into customers (id, shop_id, external_id, email, email_key, email_source, name, name_key, phone,
    last_identity_id, source_page, source_campaign, first_seen_at_ms, last_login_at_ms, login_count, created_at_ms, updated_at_ms)
  values (@customerId, @shopId, @externalId, @email, @email, @emailSource, null, @nameKey, @phone,
    @identityId, @sourcePage, null, @firstSeenAtMs, @lastLoginAtMs, @loginCount, @firstSeenAtMs, @lastLoginAtMs)`
const INSERT_IDENTITY = `insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id,
    provider_account_id, username, username_key, name, picture_url, account_type, scopes, first_seen_at_ms, last_login_at_ms, login_count)
  values (@identityId, @shopId, @customerId, 'instagram', @appId, @providerUserId, @accountId, @username, @username, @name,
    @pictureURL, @accountType, 'instagram_business_basic', @firstSeenAtMs, @lastLoginAtMs, @loginCount)`
const INSERT_TOKEN = `insert into tokens (identity_id, access_token, obtained_at_ms, expires_at_ms)
  values (@identityId, @sealedToken, @lastLoginAtMs, @tokenExpiresAtMs)`

/**
 * A database with so many customers, each with an identity and a token. It stays in the temporary
 * folder of the system, by the checksum of the tables and of what is written into them.
 */
export async function seed (rows: number): Promise<Seeded> {
  const folder = join(tmpdir(), `leadlatch-bench-${checksum()}-${rows}`)
  const note = join(folder, 'seeded.json')
  if (!existsSync(note)) await build(folder, rows)
  return { ...JSON.parse(readFileSync(note, 'utf8')), path: join(folder, 'bench.db') }
}

// Built under another name and renamed when whole: a bench that was stopped leaves no half file behind.
async function build (folder: string, rows: number): Promise<void> {
  console.log(`Seeding ${rows.toLocaleString('en-US')} customers; the next run finds them.`)
  const draft = `${folder}-${process.pid}`
  mkdirSync(draft, { mode: 0o700 })
  const path = join(draft, 'bench.db')
  const { shopId, key, vault } = await prepare(path)
  const startMs = Date.now() - rows * STEP_MS - DAY_MS
  fill(path, { shopId, vault, startMs, rows })
  writeFileSync(join(draft, 'seeded.json'), JSON.stringify({ shopId, key, startMs, rows }), { mode: 0o600 })
  eraseOutdated(rows)
  renameSync(draft, folder)
}

// Two gigabytes each: those of another schema are of no use any more.
function eraseOutdated (rows: number): void {
  for (const name of readdirSync(tmpdir())) {
    if (/^leadlatch-bench-[0-9a-f]{12}-\d+$/.test(name) && name.endsWith(`-${rows}`)) rmSync(join(tmpdir(), name), { recursive: true })
  }
}

/** Makes a database of the present schema with one shop and its key. */
export async function prepare (path: string, redirectURI = 'https://shop.example/callback'): Promise<{ shopId: string, key: string, vault: Vault }> {
  const databaseURL = `sqlite:${path}`
  const database = openDatabase(databaseURL)
  try {
    await migrate(database, { version: readVersion(), nowMs: Date.now() })
    const vault = await openVault({ databaseURL, encryptionKeys: null }, database, Date.now)
    const { shop, key } = await addShop(database, { url: 'https://shop.example', redirectURIs: [redirectURI], nowMs: Date.now() })
    return { shopId: shop.id, key: key.key, vault }
  } finally {
    await database.close()
  }
}

function fill (path: string, { shopId, vault, startMs, rows }: { shopId: string, vault: Vault, startMs: number, rows: number }): void {
  const connection = new SQLite(path)
  connection.pragma('synchronous = OFF')
  connection.pragma('cache_size = -2000000')
  const statements = [INSERT_CUSTOMER, INSERT_IDENTITY, INSERT_TOKEN].map((sql) => connection.prepare(sql))
  const insert = connection.transaction((from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const person = personOf(i, startMs)
      const owner = { shopId, provider: 'instagram', providerAppId: person.appId, providerUserId: person.providerUserId }
      const row = { ...person, shopId, sealedToken: sealToken(vault, owner, person.accessToken) }
      for (const statement of statements) statement.run(row)
    }
  })
  for (let from = 0; from < rows; from += ROWS_A_TRANSACTION) insert(from, Math.min(rows, from + ROWS_A_TRANSACTION))
  connection.pragma('wal_checkpoint(TRUNCATE)')
  connection.close()
}

function checksum (): string {
  const sources = ['seed.ts', 'people.ts'].map((name) => readFileSync(fileURLToPath(new URL(name, import.meta.url)), 'utf8'))
  return hash('sha256', [...readMigrations().map(({ checksum }) => checksum), ...sources].join(' '), 'hex').slice(0, 12)
}
