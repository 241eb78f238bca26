import type { ProviderError } from '../providers/provider.ts'

const MESSAGES = {
  unknown_provider: 'This provider is not configured here.',
  unknown_shop: 'There is no such shop any more.',
  import_unsupported: 'Tokens of this provider cannot be imported, since nothing proves that they belong to our app. Have the person sign in instead.',
  malformed_token: 'This is not an access token. Copy all of it, and nothing else.',
  token_refused: 'The provider does not accept this token: it is incomplete, expired or withdrawn. Make a new one and copy all of it.',
  token_of_another_app: 'This token belongs to another app than the one that is configured here. Make one in the app dashboard of this app.',
  permission_missing: 'The provider does not let this token read its own account. Make a new one and leave all permissions ticked.',
  provider_unavailable: 'The provider cannot check the token at the moment. Try again later; nothing was stored.',
  provider_misconfigured: 'The provider refuses the settings of our app, so the token cannot be checked. The operator must compare client id and client secret with the app dashboard.'
} as const

export type ImportErrorCode = keyof typeof MESSAGES

const DEFAULT_RETRY_MS = 30_000

// "The field does not exist": the account lives behind another product's API, hence another app's token.
const WRONG_FIELD = 100

/** Why a token was not imported; the message says what to do and holds nothing of the token. */
export class ImportError extends Error {
  readonly code: ImportErrorCode
  /** Set when only waiting helps. */
  readonly retryAfterSeconds: number | null

  constructor (code: ImportErrorCode, options: { cause?: unknown, retryAfterSeconds?: number } = {}) {
    super(MESSAGES[code], { cause: options.cause })
    this.code = code
    this.retryAfterSeconds = options.retryAfterSeconds ?? null
  }
}

/** What a provider's failure to show a token's account means for its import. */
export function importErrorOf (error: ProviderError): ImportError {
  switch (error.code) {
    case 'unreachable':
    case 'timed_out':
    case 'throttled':
    case 'malformed':
      return unavailable(error)
    case 'denied':
      return new ImportError('permission_missing', { cause: error })
    case 'misconfigured':
      return new ImportError(error.details['code'] === WRONG_FIELD ? 'token_of_another_app' : 'provider_misconfigured', { cause: error })
    default:
      return new ImportError('token_refused', { cause: error })
  }
}

function unavailable (error: ProviderError): ImportError {
  return new ImportError('provider_unavailable', {
    cause: error, retryAfterSeconds: Math.ceil((error.retryAfterMs ?? DEFAULT_RETRY_MS) / 1000)
  })
}
