/** Who the person is at the provider. Ids are text, exact to the last digit. */
export type Profile = {
  userId: string
  /** The provider's other id of the same person, where it has one. */
  accountId: string | null
  username: string | null
  name: string | null
  pictureURL: string | null
  accountType: string | null
}

/** An access token as a provider gave it. */
export type ProviderToken = {
  accessToken: string
  scopes: string[]
  /** Milliseconds since 1970, from the time of receipt; null when the provider did not say. */
  expiresAtMs: number | null
  /** True when it must be exchanged for a long-lived one soon. */
  isShortLived: boolean
  /** How much of our allowance was used when the provider answered; absent when it did not say. */
  usage?: ProviderUsage
}

/** What a provider says about its limits on our app's calls. */
export type ProviderUsage = {
  /** The worst of its figures; at 100 it refuses. */
  percent: number
  /** How long it refuses from now on; null when it does not, or did not say. */
  retryAfterMs: number | null
}

/** What a login asks a provider's authorization page for. */
export type AuthorizationParameters = {
  redirectURI: string
  state: string
  /** True when the person must be asked again although the provider knows them. */
  isReauthenticationRequired: boolean
}

/**
 * One server where we are the client. Each call has a time limit of its own, ends
 * early when `signal` aborts, and may throw a {@link ProviderError}; what a vendor cannot do is null.
 */
export type Provider = {
  id: string
  /** What people call it, for buttons and pages. */
  label: string
  /** The app (or issuer) that its user ids belong to. */
  appId: string
  /** Its own issuer identifier when it sends `iss` (RFC 9207). */
  issuer: string | null
  buildAuthorizationURL: (parameters: AuthorizationParameters) => string
  /** Sends the authorization code, once. */
  exchangeCode: (authorizationCode: string, redirectURI: string, signal: AbortSignal) => Promise<ProviderToken>
  fetchProfile: (token: ProviderToken, signal: AbortSignal) => Promise<Profile>
  exchangeLongLived: ((token: ProviderToken, signal: AbortSignal) => Promise<ProviderToken>) | null
  /**
   * Lengthens the life of a long-lived token that is old enough and not expired. What it returns takes
   * the token's place, whether the text is the same or another; until then the old one stays good.
   */
  refresh: ((token: ProviderToken, signal: AbortSignal) => Promise<ProviderToken>) | null
  /** How old a token must be, in milliseconds since it was obtained or last refreshed, before `refresh` takes it. */
  refreshableAfterMs: number
}

/** Why a token is no longer good, as far as the provider says. */
export type RevocationReason =
  'app_removed' | 'checkpoint' | 'password_changed' | 'expired' | 'unconfirmed' | 'logged_out' | 'permission_missing' | 'invalid'

/**
 * - `denied`: the person withheld what a login needs; a new try helps
 * - `spent`: the authorization code is used, expired or unknown; a new try helps
 * - `misconfigured`: the operator must act; `message` says how
 * - `revoked`: the token is no longer good; the person must sign in again
 * - `throttled`: too many calls; `retryAfterMs` when the provider said
 * - `refused`: any other refusal
 * - `unreachable`, `timed_out`: no answer; `malformed`: an answer that is none
 */
export type ProviderErrorCode =
  'denied' | 'spent' | 'misconfigured' | 'revoked' | 'throttled' | 'refused' | 'unreachable' | 'timed_out' | 'malformed'

/** A failed call to a provider. The message holds no token, code, secret or provider text. */
export class ProviderError extends Error {
  readonly code: ProviderErrorCode
  readonly retryAfterMs: number | null
  /** Set when the token is no longer good. */
  readonly reason: RevocationReason | null
  /** What the provider's support asks for, and what a log may hold. */
  readonly details: Readonly<Record<string, string | number>>

  constructor (code: ProviderErrorCode, message: string, options: {
    cause?: unknown
    retryAfterMs?: number | null
    reason?: RevocationReason | null
    details?: Record<string, string | number>
  } = {}) {
    super(message, { cause: options.cause })
    this.code = code
    this.retryAfterMs = options.retryAfterMs ?? null
    this.reason = options.reason ?? null
    this.details = options.details ?? {}
  }
}
