import { randomBytes } from 'node:crypto'
import { test, type Test } from 'tap'
import { type RotateOptions, rotateVault } from '../../src/flows/rotate.ts'
import { openSealedRow } from '../../src/flows/sealed-rows.ts'
import { sealToken } from '../../src/flows/sealed-tokens.ts'
import { createSigningKeys } from '../../src/flows/signing-keys.ts'
import type { Database, Statement } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { replaceToken, takeToken } from '../../src/store/renewals.ts'
import { listSealedRows, SEALED_COLUMNS } from '../../src/store/sealed-values.ts'
import { createVault, keyIdOf, type Vault, VaultError, type VaultKey } from '../../src/vault.ts'
import { openVault } from '../../src/vault-keys.ts'
import { seedLogin, seedShop } from '../support/rest.ts'

const NOW_MS = Date.UTC(2026, 10, 1)
const noPause: RotateOptions = { pause: () => new Promise((resolve) => setImmediate(resolve)) }

type Store = { database: Database, older: VaultKey, newer: VaultKey, under: (...keys: VaultKey[]) => Promise<Vault>, now: () => number, shopId: string }

/** A database that was in use under one key. */
async function openStore (t: Test, { databaseURL = 'sqlite::memory:' } = {}): Promise<Store> {
  const database = openDatabase(databaseURL)
  t.teardown(() => database.close())
  await migrate(database, { version: '0.1.0', nowMs: NOW_MS })
  const now = () => NOW_MS
  const [older, newer] = [{ id: 'older', bytes: randomBytes(32) }, { id: 'newer', bytes: randomBytes(32) }]
  const under = (...encryptionKeys: VaultKey[]) => openVault({ databaseURL, encryptionKeys }, database, now)
  await under(older)
  const { shopId } = await seedShop({ database, now })
  return { database, older, newer, under, now, shopId }
}

const providerUserId = (i: number) => String(20_000_000_000_000_000n + BigInt(i))
const identityId = (i: number) => `idn_${String(i).padStart(7, '0')}`

/** So many tokens of one customer, written past everything that a login does. */
async function seedTokens ({ database, shopId, now }: Store, vault: Vault, count: number): Promise<void> {
  await seedLogin({ database, vault, now }, shopId, { newCustomerId: 'cus_many' })
  await database.run(`with recursive n(i) as (select 0 union all select i + 1 from n where i < $1 - 1)
    insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id, scopes, first_seen_at_ms, login_count)
    select 'idn_' || substr('0000000' || i, -7), $2, 'cus_many', 'instagram', 'app-1', cast(20000000000000000 + i as text), '', 0, 0 from n`, [count, shopId])
  for (let from = 0; from < count; from += 10_000) {
    const statements: Statement[] = []
    for (let i = from; i < Math.min(count, from + 10_000); i++) {
      const sealed = sealToken(vault, { shopId, provider: 'instagram', providerAppId: 'app-1', providerUserId: providerUserId(i) }, `IGAA${i}`)
      statements.push({ sql: 'insert into tokens (identity_id, access_token, obtained_at_ms) values ($1, $2, 0)', values: [identityId(i), sealed] })
    }
    await database.batch(statements)
  }
}

/** Opens every stored value, as a reader would, and counts them by key; a value that does not open throws. */
async function openAll (database: Database, vault: Vault): Promise<{ values: Set<string>, byKey: Record<string, number> }> {
  const values = new Set<string>()
  const byKey: Record<string, number> = {}
  for (const column of SEALED_COLUMNS) {
    for (const row of await listSealedRows(database, column, { afterId: '', limit: 1_000_000 })) {
      values.add(openSealedRow(vault, row))
      const keyId = keyIdOf(row.sealed) ?? 'none'
      byKey[keyId] = (byKey[keyId] ?? 0) + 1
    }
  }
  return { values, byKey }
}

const keyIds = async (database: Database) => (await database.all('select key_id from vault_keys order by key_id')).map((row) => row['key_id'])

// Every text column of the schema that is not sealed. Whoever adds a column decides here, once, which it is.
const PLAIN_COLUMNS = new Set([
  'api_keys.hash', 'api_keys.id', 'api_keys.last_four', 'api_keys.scopes', 'api_keys.shop_id',
  'audit_entries.action', 'audit_entries.actor', 'audit_entries.customer_id', 'audit_entries.id', 'audit_entries.shop_id', 'audit_entries.subject',
  'claims.flow_id', 'claims.shop_id',
  'customers.email', 'customers.email_key', 'customers.email_source', 'customers.external_id', 'customers.id', 'customers.last_identity_id',
  'customers.name', 'customers.name_key', 'customers.phone', 'customers.shop_id', 'customers.source_campaign', 'customers.source_page',
  'deletion_requests.code', 'deletion_requests.fingerprint',
  'guide_links.attempt', 'guide_links.browser_hash', 'guide_links.hash', 'guide_links.identity_id', 'guide_links.provider', 'guide_links.shop_id',
  'identities.account_type', 'identities.customer_id', 'identities.id', 'identities.name', 'identities.picture_url', 'identities.provider',
  'identities.provider_account_id', 'identities.provider_app_id', 'identities.provider_user_id', 'identities.scopes', 'identities.shop_id',
  'identities.username', 'identities.username_key',
  'migrations.checksum', 'migrations.name', 'migrations.oldest_version',
  'provider_pauses.provider', 'provider_pauses.provider_app_id',
  'redirect_uris.redirect_uri', 'redirect_uris.shop_id',
  'shops.id', 'shops.id_token_alg', 'shops.name', 'shops.url',
  'signing_keys.alg', 'signing_keys.kid', 'signing_keys.public_jwk',
  'tokens.identity_id', 'tokens.provider', 'tokens.revoked_reason', 'tokens.work',
  // Sealed, but each under the key that its row names.
  'vault_keys.check_value', 'vault_keys.key_id'
])

test('every text column of the schema is either on the list of sealed columns or known to be plain', async (t) => {
  const { database } = await openStore(t)
  const rows = await database.all(`select m.name as table_name, c.name as column_name from sqlite_master m, pragma_table_info(m.name) c
    where m.type = 'table' and lower(c.type) = 'text' order by 1, 2`)
  const columns = rows.map((row) => `${row['table_name']}.${row['column_name']}`)
  const sealed = SEALED_COLUMNS.map(({ table, name }) => `${table}.${name}`)
  t.strictSame(columns.filter((column) => !PLAIN_COLUMNS.has(column) && !sealed.includes(column)), [],
    'add it to SEALED_COLUMNS in src/store/sealed-values.ts if it is sealed, else to the list here')
  t.strictSame(sealed.filter((column) => !columns.includes(column)), [])
  t.strictSame(sealed.filter((column) => PLAIN_COLUMNS.has(column)), [])
})

test('rotation seals tokens and signing keys under the newest key, lets the older one go, and a second run does nothing', async (t) => {
  const store = await openStore(t)
  const { database, older, newer, now } = store
  const before = await store.under(older)
  await seedTokens(store, before, 30)
  const kid = (await createSigningKeys({ database, vault: before, now }).current('RS256')).kid
  await database.run('update tokens set previous_token = $2 where identity_id = $1', [identityId(3), sealToken(before, {
    shopId: store.shopId, provider: 'instagram', providerAppId: 'app-1', providerUserId: providerUserId(3)
  }, 'IGAA3 before')])
  const { values } = await openAll(database, before)
  const vault = await store.under(newer, older)
  t.strictSame(await keyIds(database), ['newer', 'older'])
  const progress: number[] = []
  t.strictSame(await rotateVault({ database, vault }, { ...noPause, batchRows: 10, onProgress: ({ resealed }) => progress.push(resealed) }), {
    keyId: 'newer', resealed: 33, unreadable: 0, left: 0, retiredKeyIds: ['older']
  })
  t.ok(progress.length > 4 && progress.at(-1) === 33)
  const after = await openAll(database, createVault([newer]))
  t.strictSame(after, { values, byKey: { newer: 33 } })
  t.strictSame(await keyIds(database), ['newer'])
  const alone = await store.under(newer)
  t.equal((await createSigningKeys({ database, vault: alone, now }).current('RS256')).kid, kid, 'the same key signs on')
  t.strictSame(await rotateVault({ database, vault: alone }, noPause), { keyId: 'newer', resealed: 0, unreadable: 0, left: 0, retiredKeyIds: [] })
})

test('an older key that nothing was ever sealed under goes as well, and a page that is exactly full is not the last', async (t) => {
  const store = await openStore(t)
  const vault = await store.under(store.newer, store.older)
  await seedTokens(store, vault, 9)
  t.match(await rotateVault({ ...store, vault }, { ...noPause, batchRows: 5 }), { resealed: 0, retiredKeyIds: ['older'] })
  t.match((await openAll(store.database, vault)).byKey, { newer: 10 })
})

test('T-63: 100,000 tokens are rotated while logins go on: none lost, each opens with a listed key at any moment', { timeout: 60_000 }, async (t) => {
  const store = await openStore(t, { databaseURL: `sqlite:${t.testdir({})}/leadlatch.db` })
  const { database, older, newer, now, shopId } = store
  await seedTokens(store, await store.under(older), 100_000)
  const vault = await store.under(newer, older)
  const service = openDatabase(`sqlite:${t.testdirName}/leadlatch.db`)
  t.teardown(() => service.close())
  const rotation = { isOver: false }
  let [logins, reads] = [0, 0]
  // Half of them new people, half people whose token is replaced while it is rotated.
  const shoppers = async (first: number) => {
    for (let i = first; !rotation.isOver || logins < 50; i += 2) {
      const person = i % 4 < 2 ? { providerUserId: providerUserId(1_000_000 + i) } : { providerUserId: providerUserId((i * 7919) % 100_000) }
      await seedLogin({ database: service, vault, now }, shopId, { ...person, accessToken: `login ${i}`, newCustomerId: `cus_l${i}`, newIdentityId: `idn_l${i}` })
      logins++
    }
  }
  const reader = async () => {
    for (let i = 0; !rotation.isOver; i = (i + 613) % 100_000) {
      for (const column of SEALED_COLUMNS) {
        for (const row of await listSealedRows(service, column, { afterId: identityId(i), limit: 20 })) {
          openSealedRow(vault, row)
          reads++
        }
      }
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const rotated = rotateVault({ database, vault }, noPause).finally(() => { rotation.isOver = true })
  const [outcome] = await Promise.all([rotated, shoppers(0), shoppers(1), reader()])
  t.match(outcome, { keyId: 'newer', unreadable: 0, left: 0, retiredKeyIds: ['older'] })
  const { values, byKey } = await openAll(database, createVault([newer]))
  t.strictSame(Object.keys(byKey), ['newer'])
  t.ok(logins >= 50 && reads > 1000, `${logins} logins and ${reads} reads beside it`)
  const latest = new Map<string, string>()
  for (let i = 0; i < 100_000; i++) latest.set(providerUserId(i), `IGAA${i}`)
  const lost = [...latest].filter(([, token]) => !values.has(token)).length
  t.ok(lost <= logins / 2 + 1, 'only tokens that a login replaced are gone')
  t.equal(values.size + lost, 100_001 + [...values].filter((value) => value.startsWith('login')).length)
})

test('T-63: a token that is replaced between reading and writing keeps its new value, which is seen again', async (t) => {
  const store = await openStore(t)
  const { database, older, newer, now, shopId } = store
  const stale = await store.under(older)
  await seedLogin({ database, vault: stale, now }, shopId, { accessToken: 'before' })
  const vault = await store.under(newer, older)
  let isReplaced = false
  const beside: Database = {
    ...database,
    batch: async (statements) => {
      if (!isReplaced) await seedLogin({ database, vault: stale, now }, shopId, { accessToken: 'after' })
      isReplaced = true
      return database.batch(statements)
    }
  }
  t.match(await rotateVault({ database: beside, vault }, noPause), { resealed: 1, left: 0, retiredKeyIds: ['older'] })
  t.strictSame((await openAll(database, createVault([newer]))).values, new Set(['after']))
})

test('T-63: a person who is erased meanwhile does not come back', async (t) => {
  const store = await openStore(t)
  const { database, older, newer, now, shopId } = store
  await seedLogin({ database, vault: await store.under(older), now }, shopId)
  const vault = await store.under(newer, older)
  const beside: Database = {
    ...database,
    batch: async (statements) => {
      await database.run('delete from identities')
      return database.batch(statements)
    }
  }
  t.match(await rotateVault({ database: beside, vault }, noPause), { resealed: 0, left: 0, retiredKeyIds: ['older'] })
  t.strictSame(await database.all('select identity_id from tokens'), [])
})

test('T-63: the token that a refresh brings while rotation runs is not lost, and the one before it is kept', async (t) => {
  const store = await openStore(t)
  const { database, older, newer, now, shopId } = store
  const stale = await store.under(older)
  await seedLogin({ database, vault: stale, now }, shopId, { accessToken: 'before', newIdentityId: 'idn_1' })
  const vault = await store.under(newer, older)
  const taken = await takeToken(database, 'idn_1', { nowMs: NOW_MS, leaseUntilMs: NOW_MS + 60_000 })
  if (taken === undefined) throw new Error('nobody has this token')
  // The whole rotation passes between the worker's question and the provider's answer.
  t.match(await rotateVault({ database, vault }, noPause), { resealed: 1, retiredKeyIds: ['older'] })
  const owner = { shopId, provider: taken.provider, providerAppId: taken.providerAppId, providerUserId: taken.providerUserId }
  const next = { work: null, dueAtMs: null, failures: 0, unsureAtMs: null }
  t.ok(await replaceToken(database, taken, { sealed: sealToken(vault, owner, 'after'), nowMs: NOW_MS, expiresAtMs: null }, { next, keepsPrevious: true }))
  t.strictSame((await openAll(database, createVault([newer]))).values, new Set(['before', 'after']))
})

test('a process that keeps writing under the older key does not keep a rotation busy for ever, and the key stays', async (t) => {
  const store = await openStore(t)
  const { database, older, newer, now, shopId } = store
  const stale = await store.under(older)
  const write = () => seedLogin({ database, vault: stale, now }, shopId, { accessToken: 'again' })
  await write()
  const vault = await store.under(newer, older)
  const beside: Database = {
    ...database,
    batch: async (statements) => {
      await write()
      return database.batch(statements)
    }
  }
  t.match(await rotateVault({ database: beside, vault }, noPause), { resealed: 0, left: 1, retiredKeyIds: [] })
  t.strictSame(await keyIds(database), ['newer', 'older'])
  t.match(await rotateVault({ database, vault }, noPause), { resealed: 1, left: 0, retiredKeyIds: ['older'] })
})

test('a key under which something appears at the last moment is not let go', async (t) => {
  const store = await openStore(t)
  const { database, older, newer, now, shopId } = store
  const stale = await store.under(older)
  const vault = await store.under(newer, older)
  const late: Database = {
    ...database,
    all: async (sql, values) => {
      if (sql.includes('from vault_keys')) await seedLogin({ database, vault: stale, now }, shopId)
      return database.all(sql, values)
    }
  }
  t.match(await rotateVault({ database: late, vault }, noPause), { resealed: 0, retiredKeyIds: [] })
  t.strictSame(await keyIds(database), ['newer', 'older'])
})

test('T-61: a value that does not open is counted, left as it is, and keeps its key listed', async (t) => {
  const store = await openStore(t)
  const { database, older, newer } = store
  const before = await store.under(older)
  await seedTokens(store, before, 6)
  const swapped = sealToken(before, { shopId: 'another', provider: 'instagram', providerAppId: 'app-1', providerUserId: providerUserId(0) }, 'x')
  const texts = ['', 'IGAAplain', swapped, '0.older.AAAA', before.seal('state', 'x', 'y')]
  for (const [i, text] of texts.entries()) await database.run('update tokens set access_token = $2 where identity_id = $1', [identityId(i), text])
  const vault = await store.under(newer, older)
  t.strictSame(await rotateVault({ database, vault }, noPause), { keyId: 'newer', resealed: 2, unreadable: 5, left: 0, retiredKeyIds: [] })
  const rows = await database.all('select access_token from tokens where identity_id < $1 order by identity_id', [identityId(5)])
  t.strictSame(rows.map((row) => row['access_token']), texts)
})

test('a failing database ends the rotation, and what was not done is done by the next run', async (t) => {
  const store = await openStore(t)
  const { database, older, newer } = store
  await seedTokens(store, await store.under(older), 50)
  const vault = await store.under(newer, older)
  let batches = 0
  const failing: Database = {
    ...database,
    batch: async (statements) => {
      if (++batches === 3) throw new VaultError('malformed', 'stands for any failure')
      return database.batch(statements)
    }
  }
  await t.rejects(rotateVault({ database: failing, vault }, { ...noPause, batchRows: 10 }))
  t.match((await openAll(database, vault)).byKey, { older: 31, newer: 20 })
  t.match(await rotateVault({ database, vault }, noPause), { resealed: 31, retiredKeyIds: ['older'] })
})
