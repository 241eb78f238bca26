import { hasControlCharacter } from '../text.ts'
import { OAuthError } from './errors.ts'
import type { Parameters } from './parameters.ts'
import { isCodeChallenge } from './pkce.ts'

/** What the sealed flow cookie can carry (contract, section 2). */
export const MAX_STATE_BYTES = 1024
export const MAX_NONCE_BYTES = 256
export const MAX_REDIRECT_URI_BYTES = 512

/** Scopes with a meaning here; others are ignored (OpenID Connect Core 3.1.2.1). */
export const SCOPES = ['openid', 'profile', 'email'] as const

/** All parameter names with a meaning at the authorization endpoint. */
const NAMES = [
  'response_type', 'client_id', 'redirect_uri', 'state', 'scope', 'code_challenge', 'code_challenge_method',
  'nonce', 'provider', 'prompt', 'max_age', 'response_mode', 'request', 'request_uri', 'registration'
]

/** A checked authorization request of a proven client and redirect URI. */
export type AuthorizationRequest = {
  clientId: string
  redirectURI: string
  state: string | null
  scopes: string[]
  codeChallenge: string | null
  nonce: string | null
  provider: string | null
  isReauthenticationRequired: boolean
}

/** The `state` to echo: undefined when there is none that could be echoed whole. */
export function readState (parameters: Parameters): string | undefined {
  const state = parameters.get('state')
  return state !== undefined && isWithin(state, MAX_STATE_BYTES) ? state : undefined
}

/**
 * Checks a request whose client and redirect URI are proven (RFC 6749 4.1.1, RFC 7636 4.3).
 * @throws {OAuthError} to be answered by a redirect
 */
export function parseAuthorizationRequest (parameters: Parameters, client: {
  clientId: string, redirectURI: string, requiresPKCE: boolean
}): AuthorizationRequest {
  parameters.checkUnrepeated(NAMES)
  checkResponse(parameters)
  // When the person signed in at the provider is not known, so that no auth_time could be given.
  if (parameters.get('max_age') !== undefined) throw new OAuthError('invalid_request', 'The parameter max_age is not supported; prompt=login asks for a new sign-in.')
  checkLength(parameters, 'state', MAX_STATE_BYTES)
  checkLength(parameters, 'nonce', MAX_NONCE_BYTES)
  return {
    clientId: client.clientId,
    redirectURI: client.redirectURI,
    state: parameters.get('state') ?? null,
    scopes: parseScopes(parameters.get('scope')),
    codeChallenge: parseCodeChallenge(parameters, client.requiresPKCE),
    nonce: parameters.get('nonce') ?? null,
    provider: parameters.get('provider') ?? null,
    isReauthenticationRequired: parsePrompt(parameters.get('prompt'))
  }
}

/** The query of a request that asks for the same as this one. */
export function formatAuthorizationRequest (request: AuthorizationRequest): URLSearchParams {
  const query = new URLSearchParams({
    response_type: 'code', client_id: request.clientId, redirect_uri: request.redirectURI, scope: request.scopes.join(' ')
  })
  if (request.state !== null) query.set('state', request.state)
  if (request.nonce !== null) query.set('nonce', request.nonce)
  if (request.provider !== null) query.set('provider', request.provider)
  if (request.isReauthenticationRequired) query.set('prompt', 'login')
  if (request.codeChallenge !== null) {
    query.set('code_challenge', request.codeChallenge)
    query.set('code_challenge_method', 'S256')
  }
  return query
}

/**
 * The address of an authorization response. It ends in a fragment of its own, so that the browser
 * does not carry on the provider's (RFC 9110 10.2.2), and names the issuer (RFC 9207).
 */
export function buildAuthorizationResponse (redirectURI: string, parameters: {
  iss: string, state?: string | null, code?: string, error?: string, error_description?: string
}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined && value !== null) query.set(name, value)
  }
  return `${redirectURI}${redirectURI.includes('?') ? '&' : '?'}${query}#`
}

function checkResponse (parameters: Parameters): void {
  // A URL out of a request is never fetched, nor a request object read (OpenID Connect Core 6).
  if (parameters.get('request') !== undefined) throw new OAuthError('request_not_supported', 'Request objects are not supported.')
  if (parameters.get('request_uri') !== undefined) throw new OAuthError('request_uri_not_supported', 'Request objects are not supported.')
  if (parameters.get('registration') !== undefined) throw new OAuthError('registration_not_supported', 'Registration in a request is not supported.')
  const responseType = parameters.get('response_type')
  if (responseType === undefined) throw new OAuthError('invalid_request', 'The parameter response_type is missing; it must be "code".')
  if (responseType !== 'code') throw new OAuthError('unsupported_response_type', 'The response_type must be "code".')
  if ((parameters.get('response_mode') ?? 'query') !== 'query') throw new OAuthError('invalid_request', 'The response_mode must be "query".')
}

function checkLength (parameters: Parameters, name: string, maxBytes: number): void {
  const value = parameters.get(name)
  if (value !== undefined && !isWithin(value, maxBytes)) {
    throw new OAuthError('invalid_request', `The parameter ${name} must have at most ${maxBytes} bytes and no control characters.`)
  }
}

function isWithin (value: string, maxBytes: number): boolean {
  return Buffer.byteLength(value) <= maxBytes && !hasControlCharacter(value)
}

function parseScopes (scope: string | undefined): string[] {
  const asked = scope?.split(' ') ?? []
  const known = SCOPES.filter((name) => asked.includes(name))
  // An empty scope has no spelling (RFC 6749 3.3).
  return known.length > 0 ? known : ['profile']
}

function parseCodeChallenge (parameters: Parameters, requiresPKCE: boolean): string | null {
  const challenge = parameters.get('code_challenge')
  const method = parameters.get('code_challenge_method')
  if (challenge === undefined) {
    if (requiresPKCE || method !== undefined) throw new OAuthError('invalid_request', 'The parameter code_challenge is missing (PKCE, RFC 7636).')
    return null
  }
  // Absent means "plain" (RFC 7636 4.3), which protects nothing here.
  if (method !== 'S256') throw new OAuthError('invalid_request', 'The code_challenge_method must be "S256".')
  if (!isCodeChallenge(challenge)) throw new OAuthError('invalid_request', 'The code_challenge must be 43 characters of base64url.')
  return challenge
}

function parsePrompt (prompt: string | undefined): boolean {
  const prompts = prompt?.split(' ') ?? []
  if (prompts.includes('none')) {
    if (prompts.length > 1) throw new OAuthError('invalid_request', 'The prompt "none" must stand alone.')
    throw new OAuthError('login_required', 'The shopper must sign in at the provider; there is no session here.')
  }
  return prompts.includes('login')
}
