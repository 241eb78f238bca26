import { isProtectedURL } from '../loopback.ts'
import { hasControlCharacter } from '../text.ts'

const MAX_BYTES = 512

// What an authorization response adds (RFC 6749 4.1.2, RFC 9207, OpenID Connect): present in the
// registered address already, one reader would take the first value and another the last.
const RESPONSE_PARAMETERS = new Set(['code', 'state', 'iss', 'error', 'error_description', 'error_uri', 'id_token', 'access_token', 'session_state'])

/** An address with which a shop must not be registered; the message names the fault and the cure. */
export class ShopAddressError extends Error {
  readonly code = 'invalid_address'
}

/**
 * Refuses a redirect URI that could be a trap: it is compared byte for byte at each login, and codes
 * are sent to it (RFC 9700 4.1).
 * @throws {ShopAddressError}
 */
export function checkRedirectURI (redirectURI: string): void {
  const refuse = refusal('redirect URI', redirectURI)
  const url = parseAddress(redirectURI, refuse)
  if (url.href !== redirectURI) refuse(`is not in its normal form. Use ${url.href}`)
  const taken = [...url.searchParams.keys()].find((name) => RESPONSE_PARAMETERS.has(name.toLowerCase()))
  if (taken !== undefined) refuse(`has the query parameter "${taken.toLowerCase()}", which the login answers with. Remove it.`)
}

/**
 * A shop's address without the trailing slash.
 * @throws {ShopAddressError}
 */
export function parseShopURL (address: string): string {
  const refuse = refusal('shop address', address)
  const url = parseAddress(address, refuse)
  if (address.includes('?')) refuse('has a query. Leave it out.')
  if (url.href !== address && url.href !== `${address}/`) refuse(`is not in its normal form. Use ${url.href}`)
  return url.href.replace(/\/+$/, '')
}

function parseAddress (address: string, refuse: (fault: string) => never): URL {
  if (Buffer.byteLength(address) > MAX_BYTES) refuse(`is longer than ${MAX_BYTES} bytes.`)
  if (hasControlCharacter(address) || /%(0[0-9a-f]|1[0-9a-f]|7f)/i.test(address)) refuse('holds a control character.')
  if (/[\s\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]/.test(address)) refuse('holds whitespace or an invisible character.')
  if (address.includes('*')) refuse('holds a wildcard. Name each address in full.')
  const url = URL.parse(address)
  if (url === null) return refuse('is not an absolute address such as https://shop.example/')
  if (address.includes('#')) refuse('has a fragment (#). Leave it out.')
  if (url.username !== '' || url.password !== '') refuse('names a user. Leave out what stands before the @.')
  if (!isProtectedURL(url)) refuse('must be https; http is for localhost only.')
  if (url.hostname.endsWith('.')) refuse('has a host that ends in a dot. Leave the dot out.')
  return url
}

function refusal (what: string, address: string): (fault: string) => never {
  // What stands before an @ may be a password.
  const shown = JSON.stringify(address.slice(0, 100).replace(/\/\/.*@/s, '//…@'))
  return (fault) => { throw new ShopAddressError(`The ${what} ${shown} ${fault}`) }
}
