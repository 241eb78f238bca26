import { type Database, integer, integerOrNull, type Row, type Statement, text } from './database.ts'

export type IdTokenAlg = 'RS256' | 'ES256'

/** A registered client: its home address, and how it may ask. */
export type Shop = {
  id: string
  name: string
  url: string
  idTokenAlg: IdTokenAlg
  requiresPKCE: boolean
  redirectURIs: string[]
  createdAtMs: number
}

/** An API key as it is stored: never the key, its SHA-256. */
export type APIKey = {
  id: string
  shopId: string
  lastFour: string
  scopes: string[]
  createdAtMs: number
  revokedAtMs: number | null
}

const FIND_SHOP = `select s.id, s.name, s.url, s.id_token_alg, s.without_pkce_at_ms, s.created_at_ms, u.redirect_uri
  from shops s left join redirect_uris u on u.shop_id = s.id where s.id = $1 order by u.redirect_uri limit 1000`
const LIST_SHOPS = 'select id, name, url, id_token_alg, without_pkce_at_ms, created_at_ms from shops order by created_at_ms, id limit 100000'
const LIST_REDIRECT_URIS = 'select redirect_uri from redirect_uris where shop_id = $1 order by redirect_uri limit 1000'
const COUNT_SHOPS = 'select count(*) as total from shops'
const SAVE_SHOP = `insert into shops (id, name, url, id_token_alg, without_pkce_at_ms, created_at_ms)
  values ($1, $2, $3, $4, $5, $6)
  on conflict (id) do update set name = excluded.name, url = excluded.url, id_token_alg = excluded.id_token_alg,
    without_pkce_at_ms = excluded.without_pkce_at_ms`
const ERASE_REDIRECT_URIS = 'delete from redirect_uris where shop_id = $1'
const SAVE_REDIRECT_URI = 'insert into redirect_uris (shop_id, redirect_uri) values ($1, $2)'
const ERASE_SHOP = 'delete from shops where id = $1'
const REVOKE_KEYS = 'update api_keys set revoked_at_ms = $2 where shop_id = $1 and revoked_at_ms is null'
const ERASE_SOME_CUSTOMERS = 'delete from customers where id in (select id from customers where shop_id = $1 limit $2)'
const CUSTOMERS_A_PIECE = 2000
const SAVE_KEY = 'insert into api_keys (id, shop_id, hash, last_four, scopes, created_at_ms) values ($1, $2, $3, $4, $5, $6)'
const FIND_KEY = `select k.id, k.shop_id, k.scopes, s.name from api_keys k join shops s on s.id = k.shop_id
  where k.hash = $1 and k.revoked_at_ms is null`
const LIST_KEYS = `select id, shop_id, last_four, scopes, created_at_ms, revoked_at_ms from api_keys
  order by shop_id, created_at_ms, id limit 100000`
const REVOKE_KEY = 'update api_keys set revoked_at_ms = $2 where id = $1 and revoked_at_ms is null'

/** The shop with this `client_id` and its redirect URIs. */
export async function findShop (database: Database, id: string): Promise<Shop | undefined> {
  const rows = await database.all(FIND_SHOP, [id])
  return rows[0] === undefined ? undefined : shopOf(rows[0], rows.filter((row) => row.redirect_uri !== null))
}

/** All shops, oldest first. */
export async function listShops (database: Database): Promise<Shop[]> {
  const rows = await database.all(LIST_SHOPS)
  return Promise.all(rows.map(async (row) => shopOf(row, await database.all(LIST_REDIRECT_URIS, [text(row, 'id')]))))
}

export async function countShops (database: Database): Promise<number> {
  const row = await database.get(COUNT_SHOPS)
  return row === undefined ? 0 : integer(row, 'total')
}

/** Statements that write a shop with exactly these redirect URIs, to go into one batch. */
export function saveShop (shop: Shop): Statement[] {
  const withoutPKCEAtMs = shop.requiresPKCE ? null : shop.createdAtMs
  return [
    { sql: SAVE_SHOP, values: [shop.id, shop.name, shop.url, shop.idTokenAlg, withoutPKCEAtMs, shop.createdAtMs] },
    { sql: ERASE_REDIRECT_URIS, values: [shop.id] },
    ...shop.redirectURIs.map((uri) => ({ sql: SAVE_REDIRECT_URI, values: [shop.id, uri] }))
  ]
}

/**
 * Erases a shop and, by the foreign keys, all that is its own; false when there was none. Its keys end
 * first, then its customers go piece by piece, so that other shops' logins find their turn between.
 */
export async function eraseShop (database: Database, id: string, nowMs: number): Promise<boolean> {
  await database.run(REVOKE_KEYS, [id, nowMs])
  while (await database.run(ERASE_SOME_CUSTOMERS, [id, CUSTOMERS_A_PIECE]) > 0);
  return await database.run(ERASE_SHOP, [id]) === 1
}

/** A statement that stores a key by its hash. */
export function saveKey (key: APIKey & { hash: string }): Statement {
  return { sql: SAVE_KEY, values: [key.id, key.shopId, key.hash, key.lastFour, key.scopes.join(' '), key.createdAtMs] }
}

/** The live key with this SHA-256 and the name of its shop; read anew each time, so that a revocation holds at once. */
export async function findKey (database: Database, hash: string): Promise<{
  id: string, shopId: string, shopName: string, scopes: string[]
} | undefined> {
  const row = await database.get(FIND_KEY, [hash])
  if (row === undefined) return undefined
  return { id: text(row, 'id'), shopId: text(row, 'shop_id'), shopName: text(row, 'name'), scopes: text(row, 'scopes').split(' ') }
}

/** All keys, by shop. */
export async function listKeys (database: Database): Promise<APIKey[]> {
  return (await database.all(LIST_KEYS)).map((row) => ({
    id: text(row, 'id'),
    shopId: text(row, 'shop_id'),
    lastFour: text(row, 'last_four'),
    scopes: text(row, 'scopes').split(' '),
    createdAtMs: integer(row, 'created_at_ms'),
    revokedAtMs: integerOrNull(row, 'revoked_at_ms')
  }))
}

/** False when there is no such key or it was revoked before. */
export async function revokeKey (database: Database, id: string, nowMs: number): Promise<boolean> {
  return await database.run(REVOKE_KEY, [id, nowMs]) === 1
}

function shopOf (row: Row, redirectURIs: readonly Row[]): Shop {
  return {
    id: text(row, 'id'),
    name: text(row, 'name'),
    url: text(row, 'url'),
    idTokenAlg: text(row, 'id_token_alg') === 'ES256' ? 'ES256' : 'RS256',
    requiresPKCE: integerOrNull(row, 'without_pkce_at_ms') === null,
    redirectURIs: redirectURIs.map((uri) => text(uri, 'redirect_uri')),
    createdAtMs: integer(row, 'created_at_ms')
  }
}
