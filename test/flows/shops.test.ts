import fc from 'fast-check'
import { test, type Test } from 'tap'
import { authenticateKey, hashKey } from '../../src/flows/api-keys.ts'
import { checkRedirectURI, parseShopURL } from '../../src/flows/shop-addresses.ts'
import { addKey, addShop, endKey, formatConnectionString, previewRemoval, removeShop, updateShop } from '../../src/flows/shops.ts'
import type { Database } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { countShops, findShop, listKeys } from '../../src/store/shops.ts'

const NOW_MS = 1_700_000_000_000

async function openStore (t: Test): Promise<Database> {
  const database = openDatabase('sqlite::memory:')
  t.teardown(() => database.close())
  await migrate(database, { version: '0.1.0', nowMs: 0 })
  return database
}

test('a new shop has its host as name, the plugin\'s redirect URI and a key with all scopes but the two for tokens', async (t) => {
  const database = await openStore(t)
  const { shop, key } = await addShop(database, { url: 'https://shop.example:8443/store/', nowMs: NOW_MS })
  t.match(shop, {
    id: /^shop_[0-9a-f]{32}$/,
    name: 'shop.example:8443',
    url: 'https://shop.example:8443/store',
    redirectURIs: ['https://shop.example:8443/store/?leadlatch=callback'],
    requiresPKCE: true,
    idTokenAlg: 'RS256'
  })
  t.strictSame(await findShop(database, shop.id), shop)
  t.match(await authenticateKey(database, key.key), {
    id: key.id, shopId: shop.id, scopes: ['login', 'leads:read', 'leads:write', 'customers:erase']
  })
})

test('a key is stored only as its hash and its last four characters', async (t) => {
  const database = await openStore(t)
  const { shop, key } = await addShop(database, { url: 'https://shop.example', nowMs: NOW_MS })
  t.match(key.key, /^llk_[\w-]{43}$/)
  const rows = await database.all('select * from api_keys')
  t.match(rows, [{ id: key.id, shop_id: shop.id, hash: hashKey(key.key), last_four: key.key.slice(-4) }])
  t.notMatch(JSON.stringify(rows), key.key.slice(4, 20))
})

test('the connection string is the public URL with shop id and key', async (t) => {
  const key = { id: 'key_1', shopId: 'shop_1', key: 'llk_abc', scopes: [] }
  t.equal(formatConnectionString('https://login.example:444/path', key), 'https://shop_1:llk_abc@login.example:444/path')
  t.equal(formatConnectionString('http://localhost:8787', key), 'http://shop_1:llk_abc@localhost:8787')
})

test('given redirect URIs take the place of the default one, each once', async (t) => {
  const redirectURIs = ['https://shop.example/b', 'https://shop.example/a', 'https://shop.example/b']
  const { shop } = await addShop(await openStore(t), { url: 'https://shop.example', redirectURIs, nowMs: NOW_MS })
  t.strictSame(shop.redirectURIs, ['https://shop.example/b', 'https://shop.example/a'])
})

test('an update changes what it names and keeps the rest', async (t) => {
  const database = await openStore(t)
  const { shop } = await addShop(database, { url: 'https://shop.example', nowMs: NOW_MS })
  const updated = { ...shop, name: 'Ana\'s', requiresPKCE: false, idTokenAlg: 'ES256' }
  await updateShop(database, shop.id, { name: ' Ana\'s ', requiresPKCE: false, idTokenAlg: 'ES256' })
  t.strictSame(await findShop(database, shop.id), updated)
  await updateShop(database, shop.id, { redirectURIs: ['http://localhost:1/cb'], requiresPKCE: true })
  t.strictSame(await findShop(database, shop.id), { ...updated, redirectURIs: ['http://localhost:1/cb'], requiresPKCE: true })
})

test('an update that names a trap changes nothing', async (t) => {
  const database = await openStore(t)
  const { shop } = await addShop(database, { url: 'https://shop.example', nowMs: NOW_MS })
  await t.rejects(updateShop(database, shop.id, { name: 'new', redirectURIs: ['http://shop.example/'] }), { code: 'invalid_address' })
  t.strictSame(await findShop(database, shop.id), shop)
})

test('an update cannot bring back a shop that is removed meanwhile', async (t) => {
  const database = await openStore(t)
  const { shop } = await addShop(database, { url: 'https://shop.example', nowMs: NOW_MS })
  const racing: Database = {
    ...database,
    batch: async (statements) => {
      await removeShop(database, shop.id, 1)
      return database.batch(statements)
    }
  }
  await t.rejects(updateShop(racing, shop.id, { name: 'new' }), { code: 'unexpected_row_count' })
  t.equal(await countShops(database), 0)
})

test('what does not exist is said to be unknown', async (t) => {
  const database = await openStore(t)
  await t.rejects(updateShop(database, 'shop_x', { name: 'new' }), { code: 'unknown_shop' })
  await t.rejects(addKey(database, { shopId: 'shop_x', scopes: [], nowMs: NOW_MS }), { code: 'unknown_shop' })
  await t.rejects(previewRemoval(database, 'shop_x'), { code: 'unknown_shop' })
  await t.rejects(removeShop(database, 'shop_x', 1), { code: 'unknown_shop' })
  t.strictSame(await endKey(database, 'key_x', { actor: 'cli', nowMs: NOW_MS }), { isDone: false, key: undefined })
})

test('a name is refused when it is empty, too long or holds control characters', async (t) => {
  const database = await openStore(t)
  for (const name of ['', '  ', 'x'.repeat(201), 'a\nb', 'a\u001b[2Jb', 'a\ud800']) {
    await t.rejects(addShop(database, { url: 'https://shop.example', name, nowMs: NOW_MS }), { code: 'invalid_name' }, JSON.stringify(name))
  }
  t.equal(await countShops(database), 0)
})

test('a further key has the scopes that were named, in the order of the contract', async (t) => {
  const database = await openStore(t)
  const { shop } = await addShop(database, { url: 'https://shop.example', nowMs: NOW_MS })
  const key = await addKey(database, { shopId: shop.id, scopes: ['tokens:read', 'login', 'login'], nowMs: NOW_MS })
  t.strictSame((await authenticateKey(database, key.key))?.scopes, ['login', 'tokens:read'])
  await t.rejects(addKey(database, { shopId: shop.id, scopes: ['leads:read', 'admin'], nowMs: NOW_MS }), { code: 'invalid_scope' })
  t.equal((await listKeys(database)).length, 2)
})

test('a revoked key is refused at once, and the others of its shop are not', async (t) => {
  const database = await openStore(t)
  const { shop, key } = await addShop(database, { url: 'https://shop.example', nowMs: NOW_MS })
  const other = await addKey(database, { shopId: shop.id, scopes: [], nowMs: NOW_MS })
  t.match(await endKey(database, key.id, { actor: 'cli', nowMs: NOW_MS + 1 }), { isDone: true })
  t.equal(await authenticateKey(database, key.key), undefined)
  t.ok(await authenticateKey(database, other.key))
  t.match(await endKey(database, key.id, { actor: 'cli', nowMs: NOW_MS + 2 }), { isDone: false, key: { revokedAtMs: NOW_MS + 1 } })
})

test('a removed shop leaves no row of its own and all of its neighbour\'s', async (t) => {
  const database = await openStore(t)
  const [doomed, neighbour] = await Promise.all(['https://a.example', 'https://b.example'].map((url) => addShop(database, { url, nowMs: NOW_MS, actor: 'cli' })))
  if (doomed === undefined || neighbour === undefined) throw new Error('two shops were made')
  for (const { shop } of [doomed, neighbour]) await saveCustomer(database, shop.id)
  t.strictSame((await previewRemoval(database, doomed.shop.id)).contents, { customers: 1, identities: 1, liveKeys: 1 })
  await removeShop(database, doomed.shop.id, 1)
  for (const table of ['redirect_uris', 'api_keys', 'customers', 'identities', 'claims', 'audit_entries']) {
    t.strictSame(await database.all(`select distinct shop_id from ${table}`), [{ shop_id: neighbour.shop.id }], table)
  }
  t.equal((await database.all('select identity_id from tokens')).length, 1)
})

test('changes by an actor are in the audit log', async (t) => {
  const database = await openStore(t)
  const author = { actor: 'cli', nowMs: NOW_MS }
  const { shop, key } = await addShop(database, { url: 'https://shop.example', ...author })
  const second = await addKey(database, { shopId: shop.id, scopes: [], ...author })
  await updateShop(database, shop.id, { name: 'new' }, author)
  await endKey(database, key.id, author)
  t.same((await database.all('select actor, action, subject from audit_entries')).sort((a, b) => String(a.action).localeCompare(String(b.action))), [
    { actor: 'cli', action: 'key.added', subject: second.id },
    { actor: 'cli', action: 'key.revoked', subject: key.id },
    { actor: 'cli', action: 'shop.added', subject: null },
    { actor: 'cli', action: 'shop.changed', subject: null }
  ])
})

const traps: Array<[uri: string, fault: RegExp]> = [
  ['https://shop.example/#', /fragment/],
  ['https://shop.example/cb#_=_', /fragment/],
  ['https://user@shop.example/', /names a user/],
  ['https://user:pass@shop.example/', /names a user/],
  ['https://*.shop.example/cb', /wildcard/],
  ['https://shop.example/cb*', /wildcard/],
  ['https://shop.example/\ncb', /control character/],
  ['https://shop.example/cb\u0000', /control character/],
  ['https://shop.example/cb%0d%0aSet-Cookie:x=1', /control character/],
  ['https://shop.example/cb%00', /control character/],
  [' https://shop.example/cb', /whitespace/],
  ['https://shop.example/c b', /whitespace/],
  ['\ufeffhttps://shop.example/cb', /whitespace/],
  ['https://shop.exam\u200bple/cb', /whitespace or an invisible/],
  ['https://shop.example/cb\u202e', /whitespace or an invisible/],
  ['http://shop.example/cb', /must be https/],
  ['http://localhost.example/cb', /must be https/],
  ['http://10.0.0.1/cb', /must be https/],
  ['ftp://shop.example/cb', /must be https/],
  ['javascript:alert(1)', /must be https/],
  ['data:text/html,x', /must be https/],
  ['/cb', /absolute/],
  ['', /absolute/],
  ['null', /absolute/],
  ['shop.example/cb', /absolute/],
  ['HTTPS://shop.example/cb', /normal form. Use https:\/\/shop.example\/cb/],
  ['https://SHOP.example/cb', /normal form. Use https:\/\/shop.example\/cb/],
  ['https://shop.example', /normal form. Use https:\/\/shop.example\//],
  ['https://shop.example:443/cb', /normal form. Use https:\/\/shop.example\/cb/],
  ['https:shop.example/cb', /normal form/],
  ['https://shop.example\\cb', /normal form/],
  ['https://shop.example/a/../cb', /normal form. Use https:\/\/shop.example\/cb/],
  ['https://shop.example/%2e%2e/cb', /normal form/],
  ['https://\u0455hop.example/cb', /normal form. Use https:\/\/xn--hop-ehd.example\/cb/],
  ['https://shop\u3002example/cb', /normal form/],
  ['https://shop.example/caf\u00e9', /normal form. Use https:\/\/shop.example\/caf%C3%A9/],
  ['https://@shop.example/cb', /normal form/],
  ['http://127.1:8080/cb', /normal form. Use http:\/\/127.0.0.1:8080\/cb/],
  ['https://shop.example./cb', /ends in a dot/],
  ['https://shop.example/?code=1', /"code"/],
  ['https://shop.example/?a=1&state=', /"state"/],
  ['https://shop.example/?iss', /"iss"/],
  ['https://shop.example/?error=x', /"error"/],
  ['https://shop.example/?CODE=1', /"code"/],
  ['https://shop.example/?c%6fde=1', /"code"/],
  [`https://shop.example/${'a'.repeat(492)}`, /longer than 512/]
]

test('T-02: a redirect URI that could be a trap is refused, its fault is named and nothing is stored', async (t) => {
  const database = await openStore(t)
  for (const [uri, message] of traps) {
    await t.rejects(addShop(database, { url: 'https://shop.example', redirectURIs: ['https://shop.example/ok', uri], nowMs: NOW_MS }),
      { code: 'invalid_address', message }, JSON.stringify(uri))
  }
  t.equal(await countShops(database), 0)
  t.strictSame(await database.all('select redirect_uri from redirect_uris'), [])
})

test('T-02: a shop address that could be a trap is refused', async (t) => {
  for (const [uri, message] of traps.filter(([uri]) => uri !== 'https://shop.example' && !uri.includes('?'))) {
    t.throws(() => parseShopURL(uri), { code: 'invalid_address', message }, JSON.stringify(uri))
  }
  t.throws(() => parseShopURL('https://shop.example/?page_id=7'), { message: /query/ })
})

test('a password before an @ does not show in the complaint', async (t) => {
  t.throws(() => checkRedirectURI('https://me:hunter2@shop.example/'), { message: /^(?!.*hunter2).*$/ })
})

test('redirect URIs that are fine are taken as they are', async (t) => {
  for (const uri of ['https://shop.example/?leadlatch=callback', 'https://shop.example/auth/callback', 'http://127.0.0.1:8080/cb',
    'http://shop.localhost/', 'http://[::1]:3000/cb', 'https://xn--hop-ehd.example/', 'https://shop.example/?lang=de&codex=1',
    `https://shop.example/${'a'.repeat(491)}`]) {
    t.doesNotThrow(() => checkRedirectURI(uri), uri)
  }
})

test('every redirect URI that is taken is one that the URL parser leaves alone', async () => {
  fc.assert(fc.property(fc.webUrl({ withFragments: true, withQueryParameters: true }), (uri) => {
    try {
      checkRedirectURI(uri)
    } catch {
      return true
    }
    return new URL(uri).href === uri && new URL(uri).hash === '' && uri.startsWith('https:')
  }))
})

test('T-81: checking a hostile address takes no noticeable time', async (t) => {
  const started = performance.now()
  for (const hostile of ['https://' + 'a.'.repeat(50_000), '//@'.repeat(33_000), ' '.repeat(100_000), 'https://' + '%'.repeat(100_000)]) {
    t.throws(() => checkRedirectURI(hostile), { code: 'invalid_address' })
  }
  t.ok(performance.now() - started < 200)
})

async function saveCustomer (database: Database, shopId: string): Promise<void> {
  const [customer, identity] = [`cus_${shopId}`, `idn_${shopId}`]
  await database.batch([
    { sql: `insert into customers (id, shop_id, first_seen_at_ms, login_count, created_at_ms, updated_at_ms) values ('${customer}', '${shopId}', 1, 1, 1, 1)` },
    {
      sql: `insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id, scopes, first_seen_at_ms, login_count)
        values ('${identity}', '${shopId}', '${customer}', 'instagram', 'app', '1', '', 1, 1)`
    },
    { sql: `insert into tokens (identity_id, access_token, obtained_at_ms) values ('${identity}', 'x', 1)` },
    { sql: `insert into claims (flow_id, shop_id, claimed_at_ms, expires_at_ms) values ('${shopId}', '${shopId}', 1, 1)` }
  ])
}
