import { isIP } from 'node:net'
import { EnvError, makeExactValidator, makeValidator } from 'envalid'
import { isProtectedURL } from '../loopback.ts'
import { hasControlCharacter } from '../text.ts'
import type { VaultKey } from '../vault.ts'

// Each validator throws what the setting must be, a text to go behind its name. It never repeats the
// value, for a secret may have been put under the wrong name.
function refuse (demand: string): never {
  throw new EnvError(demand)
}

/** A whole number between two bounds. */
export function wholeNumber (least: number, most: number) {
  return makeValidator<number>((input) => {
    const number = /^\d{1,9}$/.test(input) ? Number(input) : NaN
    return number >= least && number <= most ? number : refuse(`must be a whole number from ${least} to ${most}`)
  })
}

/** One of a list of words. */
export function oneOf<Word extends string> (words: readonly Word[]) {
  return makeExactValidator<Word>((input) => words.find((word) => word === input) ?? refuse(`must be one of ${words.join(', ')}`))
}

/** The address to listen on. */
export const listenHost = makeValidator<string>((input) =>
  isIP(input) !== 0 || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i.test(input)
    ? input
    : refuse('must be the IP address or host name to listen on, such as 127.0.0.1 or 0.0.0.0'))

/** Proxies, comma-joined. A range of length 0 is refused: everybody could name the address they come from. */
export const proxyList = makeExactValidator<readonly string[]>((input) => input.split(',').map((entry) => {
  const [address = '', length, ...rest] = entry.trim().split('/')
  const bits = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  const isRange = length !== undefined && /^\d{1,3}$/.test(length) && Number(length) >= 1 && Number(length) <= bits
  if (bits === 0 || rest.length > 0 || (length !== undefined && !isRange)) {
    refuse('must be the comma-joined addresses and ranges of your proxies, such as 10.0.0.5,192.168.0.0/16')
  }
  return entry.trim()
}))

const OWN_FOLDERS: ReadonlySet<string> = new Set(['.well-known', 'guide', 'health', 'meta', 'metrics', 'oauth', 'openapi.json', 'v1'])

/** The public address: https, or http on loopback; the trailing slash goes. */
export const publicURL = makeValidator<string>((input) => {
  const url = parseURL(input)
  if (url === undefined || !isProtectedURL(url) || hasExtras(input, url) || url.hostname.includes('*')) {
    refuse('must be the https address under which browsers reach Leadlatch (http only on localhost), without query, fragment or user, such as https://login.example.com')
  }
  const [, folder = ''] = url.pathname.split('/')
  // Behind a proxy that strips the path, an address of ours would be taken for one with it.
  if (OWN_FOLDERS.has(folder)) refuse(`must not have a path that begins with /${folder}, which is a folder of Leadlatch's own`)
  return (url.origin + url.pathname).replace(/\/+$/, '')
})

/** An address of a provider. */
export const providerURL = makeValidator<string>((input) => {
  const url = parseURL(input)
  if (url === undefined || !isProtectedURL(url) || hasExtras(input, url)) {
    refuse('must be an https address (http only on localhost) without query, fragment or user')
  }
  return url.href
})

/** `sqlite:` with a file or `:memory:`. */
export const databaseURL = makeValidator<string>((input) => {
  if (/^postgres(ql)?:/i.test(input)) refuse('must begin with "sqlite:", since this version does not have PostgreSQL yet')
  const path = /^sqlite:(.+)$/.exec(input)?.[1]
  // With two slashes the first folder would be taken for a host by one reader and for a folder by another.
  if (path === undefined || /^\/\/(?!\/)/.test(path) || /[?#\0]/.test(path)) {
    refuse('must be "sqlite:" and the path of a file, such as sqlite:./data/leadlatch.db')
  }
  return input
})

/** `id:base64` pairs, newest first. */
export const encryptionKeys = makeExactValidator<readonly VaultKey[]>((input) => {
  const keys = input.split(',').map((entry) => parseKey(entry.trim()))
  if (new Set(keys.map(({ id }) => id)).size < keys.length) refuse('must not name two keys alike')
  return Object.freeze(keys)
})

/**
 * One `id:base64` pair: an id of 1 to 32 letters, digits, `_` and `-`, and exactly 32 bytes.
 * @throws {EnvError}
 */
export function parseKey (text: string): VaultKey {
  const match = /^([\w-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(text)
  const [, id, base64] = match ?? []
  const bytes = Buffer.from(base64 ?? '', 'base64')
  // Only the canonical spelling: a last character with stray bits is a slip of the pen.
  if (id === undefined || base64 === undefined || bytes.toString('base64') !== base64) {
    refuse('must be comma-joined pairs id:key, newest first; an id has 1 to 32 letters, digits, _ or -, a key is 32 bytes in base64 (openssl rand -base64 32)')
  }
  return Object.freeze({ id, bytes })
}

/** A bearer token (RFC 6750 2.1). */
export const bearerToken = makeValidator<string>((input) =>
  /^[\w.~+/-]+=*$/.test(input) ? input : refuse('must consist of letters, digits and - . _ ~ + /'))

/** A text without spaces, control characters or anything else that a copy brings along. */
export const plainText = makeValidator<string>((input) =>
  /^[\x21-\x7e]+$/.test(input) ? input : refuse('must be printable ASCII without spaces'))

/** Scopes, joined by commas or spaces. */
export const scopeList = makeExactValidator<readonly string[]>((input) => {
  const scopes = input.split(/[\s,]+/).filter(Boolean)
  if (scopes.length === 0 || !scopes.every((scope) => /^[a-z0-9_.]+$/.test(scope))) refuse('must be scopes joined by commas')
  return Object.freeze([...new Set(scopes)])
})

function parseURL (text: string): URL | undefined {
  // The parser drops tabs and line ends and trims spaces; an address with them is a slip.
  return hasControlCharacter(text) || text.includes(' ') ? undefined : URL.parse(text) ?? undefined
}

function hasExtras (text: string, url: URL): boolean {
  return text.includes('#') || text.includes('?') || url.username !== '' || url.password !== ''
}
