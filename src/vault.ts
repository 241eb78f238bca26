import { createCipheriv, createDecipheriv, createSecretKey, hkdfSync, randomBytes, type KeyObject } from 'node:crypto'

/** What a sealed text is for. Each purpose has a key of its own, so none opens as another. */
export type Purpose = 'flow' | 'state' | 'handoff' | 'cursor' | 'access-token' | 'token' | 'signing-key' | 'check'

/** A 256-bit key and the name that sealed texts carry. */
export type VaultKey = { id: string, bytes: Buffer }

/** Authenticated encryption (AES-256-GCM) under the newest of a list of keys; opens with any of them. */
export type Vault = {
  readonly newestKeyId: string
  readonly keyIds: readonly string[]
  /** @param context what the text belongs to (row, shop, flow); needed again to open it */
  seal: (purpose: Purpose, context: string, plain: string) => string
  /** @throws {VaultError} `malformed`, `unknown_key` or `not_authentic` */
  unseal: (purpose: Purpose, context: string, sealed: string) => string
}

/** A sealed text that does not open; the message names no part of it but the key id. */
export class VaultError extends Error {
  readonly code: 'malformed' | 'unknown_key' | 'not_authentic'

  constructor (code: VaultError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
const VERSION = '1'

/**
 * @param keys newest first, at least one
 */
export function createVault (keys: readonly VaultKey[]): Vault {
  const newest = keys[0]
  if (newest === undefined) throw new VaultError('unknown_key', 'A vault needs at least one key.')
  const subkeys = new Map<string, KeyObject>()

  function subkey (keyId: string, purpose: Purpose): KeyObject {
    const name = `${keyId} ${purpose}`
    const known = subkeys.get(name)
    if (known !== undefined) return known
    const key = keys.find(({ id }) => id === keyId)
    if (key === undefined) throw new VaultError('unknown_key', `No encryption key named "${keyId}" is configured.`)
    const derived = createSecretKey(Buffer.from(hkdfSync('sha256', key.bytes, '', `leadlatch ${purpose}`, 32)))
    subkeys.set(name, derived)
    return derived
  }

  return Object.freeze({
    newestKeyId: newest.id,
    keyIds: keys.map(({ id }) => id),
    seal: (purpose: Purpose, context: string, plain: string) =>
      seal(newest.id, subkey(newest.id, purpose), context, plain),
    unseal (purpose: Purpose, context: string, sealed: string) {
      const parts = splitSealed(sealed)
      if (parts === undefined) throw malformed()
      return unseal(parts.keyId, subkey(parts.keyId, purpose), context, parts.body)
    }
  })
}

/**
 * The id of the key that a text says it is sealed under; undefined for a text that has not the form
 * of a sealed one. Says nothing of whether it opens.
 */
export function keyIdOf (sealed: string): string | undefined {
  return splitSealed(sealed)?.keyId
}

/** What every text sealed under this key begins with, and no other. */
export function sealedPrefix (keyId: string): string {
  return `${VERSION}.${keyId}.`
}

function splitSealed (sealed: string): { keyId: string, body: string } | undefined {
  const [version, keyId, body, ...rest] = sealed.split('.')
  return version !== VERSION || keyId === undefined || body === undefined || rest.length > 0 ? undefined : { keyId, body }
}

function malformed (): VaultError {
  return new VaultError('malformed', 'The sealed text has not the expected form.')
}

function seal (keyId: string, key: KeyObject, context: string, plain: string): string {
  // 96 random bits are safe for 2^32 texts under one subkey (NIST SP 800-38D 8.3).
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: TAG_BYTES })
  cipher.setAAD(Buffer.from(`${VERSION}.${keyId}.${context}`))
  const body = Buffer.concat([nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()])
  return `${VERSION}.${keyId}.${body.toString('base64url')}`
}

function unseal (keyId: string, key: KeyObject, context: string, text: string): string {
  const body = Buffer.from(text, 'base64url')
  // Node skips characters outside the alphabet: only the canonical spelling counts as the same text.
  if (body.length < NONCE_BYTES + TAG_BYTES || body.toString('base64url') !== text) throw malformed()
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
  decipher.setAAD(Buffer.from(`${VERSION}.${keyId}.${context}`))
  decipher.setAuthTag(body.subarray(-TAG_BYTES))
  try {
    return decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
  } catch (cause) {
    throw new VaultError('not_authentic', 'The sealed text was altered or belongs elsewhere.', cause)
  }
}
