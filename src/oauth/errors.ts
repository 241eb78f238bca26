/**
 * The codes that we answer with: RFC 6749 4.1.2.1 and 5.2, OpenID Connect Core 3.1.2.6 and 6.
 * `temporarily_unavailable` and `server_error` are used at the token endpoint too.
 */
export type OAuthErrorCode =
  'invalid_request' | 'invalid_client' | 'invalid_grant' | 'invalid_scope' | 'unauthorized_client' |
  'unsupported_grant_type' | 'unsupported_response_type' | 'access_denied' | 'server_error' |
  'temporarily_unavailable' | 'login_required' | 'request_not_supported' | 'request_uri_not_supported' |
  'registration_not_supported'

/** A refusal in OAuth's terms. `description` is for the client's developer and holds no input. */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly description: string
  /** For `temporarily_unavailable`: how long to wait. */
  readonly retryAfterSeconds: number | null

  constructor (code: OAuthErrorCode, description: string, options: { cause?: unknown, retryAfterSeconds?: number } = {}) {
    super(`${code}: ${description}`, { cause: options.cause })
    this.code = code
    this.description = description
    this.retryAfterSeconds = options.retryAfterSeconds ?? null
  }
}
