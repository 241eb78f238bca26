import { OAuthError } from './errors.ts'
import type { Parameters } from './parameters.ts'

/** What a client presented at the token endpoint. */
export type ClientCredentials = { clientId: string, clientSecret: string }

/**
 * Reads the client's credentials from the header or the body, not from both (RFC 6749 2.3).
 * @param authorization the one Authorization header; an array when there were several
 * @throws {OAuthError} `invalid_request` for two methods, `invalid_client` for none or a malformed one
 */
export function parseClientCredentials (authorization: string | undefined, parameters: Parameters): ClientCredentials {
  const secret = parameters.get('client_secret')
  if (authorization === undefined) {
    const clientId = parameters.get('client_id')
    if (clientId === undefined || secret === undefined) throw new OAuthError('invalid_client', 'The client must authenticate by client_secret_basic or client_secret_post.')
    return { clientId, clientSecret: secret }
  }
  if (secret !== undefined) throw new OAuthError('invalid_request', 'The client must authenticate by one method only.')
  const credentials = parseBasic(authorization)
  const clientId = parameters.get('client_id')
  if (clientId !== undefined && clientId !== credentials.clientId) {
    throw new OAuthError('invalid_request', 'The client_id of the body is not the one that authenticated.')
  }
  return credentials
}

// RFC 6749 2.3.1: both parts are form-encoded before they are joined.
function parseBasic (authorization: string): ClientCredentials {
  const encoded = /^basic +([A-Za-z0-9+/]+={0,2})$/i.exec(authorization)?.[1]
  const [, id, secret] = /^([^:]+):([^:]+)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString('utf8')) ?? []
  if (id === undefined || secret === undefined) throw new OAuthError('invalid_client', 'The Authorization header is not well-formed Basic authentication.')
  try {
    return { clientId: decodeFormPart(id), clientSecret: decodeFormPart(secret) }
  } catch (cause) {
    throw new OAuthError('invalid_client', 'The Authorization header is not well-formed Basic authentication.', { cause })
  }
}

function decodeFormPart (text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
