import { type Provider, ProviderError, type ProviderErrorCode, type ProviderToken } from '../providers/provider.ts'
import { ImportError, importErrorOf } from './import-errors.ts'

type Try = { token: ProviderToken } | { failure: ProviderError }

/** The longest that a short-lived token can still live, its age being unknown. */
const SHORT_LIFE_MS = 3_600_000

const NO_ANSWER: ReadonlySet<ProviderErrorCode> = new Set(['unreachable', 'timed_out', 'throttled', 'malformed'])

// Meta's catch-all, which answers a long-lived token that is to be exchanged and a short-lived one that is
// to be refreshed. Any other way of calling the token dead means just that.
const UNSUPPORTED_REQUEST = 100

/**
 * Learns how long a token lives that has just shown its account. A short-lived one is exchanged, which
 * takes our app's secret; a long-lived one is refreshed, if it is old enough. Which of the two it is, only
 * the provider knows: each refuses the other kind.
 * @returns the token to store: short-lived, when only the exchange could not be made for now; with
 *   `expiresAtMs` null, when the provider does not tell its life yet
 * @throws {ImportError} `token_of_another_app`, `token_refused`, `provider_unavailable`, `provider_misconfigured`
 */
export async function lengthenLife (provider: Provider, handed: ProviderToken, options: {
  signal: AbortSignal, nowMs: number
}): Promise<ProviderToken> {
  const { signal } = options
  const exchanged = await attempt(provider.exchangeLongLived, handed, signal)
  if ('token' in exchanged) return exchanged.token
  // T-38: it opened its account a moment ago, and is dead only in the hands of our app.
  if (isDeath(exchanged.failure)) throw new ImportError('token_of_another_app', { cause: exchanged.failure })
  const refreshed = await attempt(provider.refresh, handed, signal)
  if ('token' in refreshed) return chooseProven(provider, handed, refreshed.token, signal)
  return judge(handed, exchanged.failure, refreshed.failure, options.nowMs)
}

function judge (handed: ProviderToken, exchange: ProviderError, refresh: ProviderError, nowMs: number): ProviderToken {
  if (isDeath(refresh)) throw new ImportError('token_refused', { cause: refresh })
  const isShort = refresh.code === 'revoked'
  if (!NO_ANSWER.has(exchange.code)) {
    // A short-lived token that our app may not exchange: the secret is wrong, not the token.
    if (isShort && exchange.code === 'misconfigured') throw new ImportError('provider_misconfigured', { cause: exchange })
    return handed
  }
  if (NO_ANSWER.has(refresh.code)) throw importErrorOf(exchange)
  return isShort ? { ...handed, expiresAtMs: nowMs + SHORT_LIFE_MS, isShortLived: true } : handed
}

// A new text that does not work yet must not cost the one that does.
async function chooseProven (provider: Provider, handed: ProviderToken, refreshed: ProviderToken, signal: AbortSignal): Promise<ProviderToken> {
  if (refreshed.accessToken === handed.accessToken) return refreshed
  try {
    await provider.fetchProfile(refreshed, signal)
    return refreshed
  } catch (error) {
    if (error instanceof ProviderError) return handed
    throw error
  }
}

async function attempt (call: Provider['refresh'], token: ProviderToken, signal: AbortSignal): Promise<Try> {
  if (call === null) return { failure: new ProviderError('refused', 'The provider has no such call.') }
  try {
    return { token: await call(token, signal) }
  } catch (failure) {
    if (failure instanceof ProviderError) return { failure }
    throw failure
  }
}

function isDeath ({ code, details }: ProviderError): boolean {
  return code === 'revoked' && details['code'] !== UNSUPPORTED_REQUEST
}
