import { buildId, buildSecret } from '../ids.ts'
import { saveAuditEntry } from '../store/audit.ts'
import { countShopContents, requireShop, type ShopContents } from '../store/shop-contents.ts'
import type { Database, Statement } from '../store/database.ts'
import { type APIKey, eraseShop, findShop, type IdTokenAlg, listKeys, revokeKey, saveKey, saveShop, type Shop } from '../store/shops.ts'
import { hasControlCharacter } from '../text.ts'
import { API_KEY_SCOPES, type APIKeyScope, hashKey } from './api-keys.ts'
import { checkRedirectURI, parseShopURL } from './shop-addresses.ts'

const MAX_NAME_LENGTH = 200
const MAX_REDIRECT_URIS = 50

/** The scopes of a key for which none are named: all but those that reach the tokens themselves. */
export const DEFAULT_SCOPES: readonly APIKeyScope[] = API_KEY_SCOPES.filter((scope) => !scope.startsWith('tokens:'))

/** A change to a shop or key that cannot be made; the message says what to do. */
export class ShopError extends Error {
  readonly code: 'unknown_shop' | 'invalid_name' | 'invalid_scope' | 'too_many_redirect_uris'

  constructor (code: ShopError['code'], message: string) {
    super(message)
    this.code = code
  }
}

/** A new key; its text is known now and never again. */
export type NewKey = { id: string, shopId: string, key: string, scopes: readonly string[] }

/** Who makes a change, for the audit log, and when. */
export type Author = { actor: string, nowMs: number }

/** What may be said of a shop; what is absent keeps its value, or gets its default in a new shop. */
export type ShopChanges = {
  name?: string | undefined
  redirectURIs?: readonly string[] | undefined
  requiresPKCE?: boolean | undefined
  idTokenAlg?: IdTokenAlg | undefined
}

/**
 * Registers a shop with its first key.
 * @throws {ShopAddressError} for an address that could be a trap
 * @throws {ShopError} `invalid_name`, `too_many_redirect_uris`
 */
export async function addShop (database: Database, options: ShopChanges & {
  url: string, nowMs: number, actor?: string
}): Promise<{ shop: Shop, key: NewKey }> {
  const url = parseShopURL(options.url)
  const shop = applyChanges({
    id: buildId('shop', options.nowMs),
    name: new URL(url).host,
    url,
    idTokenAlg: 'RS256',
    requiresPKCE: true,
    redirectURIs: [`${url}/?leadlatch=callback`],
    createdAtMs: options.nowMs
  }, options)
  const { key, statement } = buildKey(shop.id, DEFAULT_SCOPES, options.nowMs)
  await database.batch([...saveShop(shop), statement, ...record('shop.added', shop.id, null, options)])
  return { shop, key }
}

/**
 * Changes a shop and answers its new state; given redirect URIs replace those before.
 * @throws {ShopError} `unknown_shop`, and what {@link addShop} throws
 */
export async function updateShop (database: Database, shopId: string, changes: ShopChanges, author?: Author): Promise<Shop> {
  const shop = applyChanges(await readShop(database, shopId), changes)
  await database.batch([requireShop(shopId), ...saveShop(shop), ...record('shop.changed', shopId, null, author)])
  return shop
}

/** The shop and how much would go with it. @throws {ShopError} `unknown_shop` */
export async function previewRemoval (database: Database, shopId: string): Promise<{ shop: Shop, contents: ShopContents }> {
  return { shop: await readShop(database, shopId), contents: await countShopContents(database, shopId) }
}

/** Erases a shop and all that belongs to it. @throws {ShopError} `unknown_shop` */
export async function removeShop (database: Database, shopId: string, nowMs: number): Promise<void> {
  if (!await eraseShop(database, shopId, nowMs)) throw unknownShop(shopId)
}

/**
 * Makes a further key for a shop.
 * @param options.scopes empty: the default ones
 * @throws {ShopError} `unknown_shop`, `invalid_scope`
 */
export async function addKey (database: Database, options: {
  shopId: string, scopes: readonly string[], nowMs: number, actor?: string
}): Promise<NewKey> {
  const unknown = options.scopes.find((scope) => !API_KEY_SCOPES.some((known) => known === scope))
  if (unknown !== undefined) {
    throw new ShopError('invalid_scope', `There is no scope ${JSON.stringify(unknown.slice(0, 100))}. The scopes are ${API_KEY_SCOPES.join(', ')}.`)
  }
  const shop = await readShop(database, options.shopId)
  const scopes = options.scopes.length === 0 ? DEFAULT_SCOPES : API_KEY_SCOPES.filter((scope) => options.scopes.includes(scope))
  const { key, statement } = buildKey(shop.id, scopes, options.nowMs)
  await database.batch([requireShop(shop.id), statement, ...record('key.added', shop.id, key.id, options)])
  return key
}

/**
 * Ends a key, at once on every replica.
 * @returns false with the key when it was revoked before; undefined as the key when there is none
 */
export async function endKey (database: Database, keyId: string, author: Author): Promise<{ isDone: boolean, key: APIKey | undefined }> {
  const key = (await listKeys(database)).find(({ id }) => id === keyId)
  if (key === undefined || !await revokeKey(database, keyId, author.nowMs)) return { isDone: false, key }
  await database.batch(record('key.revoked', key.shopId, keyId, author))
  return { isDone: true, key }
}

/** The one text that a shop owner pastes: the public URL with shop id and key (contract, section 5). */
export function formatConnectionString (publicURL: string, { shopId, key }: NewKey): string {
  return publicURL.replace('://', `://${shopId}:${key}@`)
}

function buildKey (shopId: string, scopes: readonly APIKeyScope[], nowMs: number): { key: NewKey, statement: Statement } {
  const key = `llk_${buildSecret()}`
  const id = buildId('key', nowMs)
  const statement = saveKey({
    id, shopId, hash: hashKey(key), lastFour: key.slice(-4), scopes: [...scopes], createdAtMs: nowMs, revokedAtMs: null
  })
  return { key: { id, shopId, key, scopes }, statement }
}

function record (action: string, shopId: string, subject: string | null, author: { actor?: string, nowMs: number } | undefined): Statement[] {
  if (author?.actor === undefined) return []
  const { actor, nowMs } = author
  return [saveAuditEntry({ id: buildId('aud', nowMs), shopId, customerId: null, actor, action, subject, atMs: nowMs })]
}

async function readShop (database: Database, shopId: string): Promise<Shop> {
  const shop = await findShop(database, shopId)
  if (shop === undefined) throw unknownShop(shopId)
  return shop
}

function applyChanges (shop: Shop, changes: ShopChanges): Shop {
  const redirectURIs = [...new Set(changes.redirectURIs ?? shop.redirectURIs)]
  redirectURIs.forEach(checkRedirectURI)
  if (redirectURIs.length > MAX_REDIRECT_URIS) {
    throw new ShopError('too_many_redirect_uris', `A shop has ${MAX_REDIRECT_URIS} redirect URIs at most.`)
  }
  return {
    ...shop,
    name: changes.name === undefined ? shop.name : parseName(changes.name),
    redirectURIs,
    requiresPKCE: changes.requiresPKCE ?? shop.requiresPKCE,
    idTokenAlg: changes.idTokenAlg ?? shop.idTokenAlg
  }
}

function parseName (text: string): string {
  const name = text.trim()
  if (name === '' || name.length > MAX_NAME_LENGTH || hasControlCharacter(name) || !name.isWellFormed()) {
    throw new ShopError('invalid_name', `A shop's name has 1 to ${MAX_NAME_LENGTH} characters and no control characters.`)
  }
  return name
}

function unknownShop (shopId: string): ShopError {
  return new ShopError('unknown_shop', `There is no shop ${JSON.stringify(shopId.slice(0, 100))}. "leadlatch shop list" shows the shops.`)
}
