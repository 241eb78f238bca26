import { buildId } from '../ids.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Parameters } from '../oauth/parameters.ts'
import { verifyCodeVerifier } from '../oauth/pkce.ts'
import type { Parts } from '../parts.ts'
import { type Profile, type Provider, ProviderError, type ProviderToken } from '../providers/provider.ts'
import { markReplayed, takeClaim } from '../store/claims.ts'
import { saveLogin } from '../store/logins.ts'
import { cleanText, cutText } from '../text.ts'
import type { AuthenticatedKey } from './api-keys.ts'
import { buildCallbackURL } from './connect.ts'
import { type Flow, type Handoff, HANDOFF_LIFE_MS, isWithinLife, unsealHandoff } from './flow.ts'
import { buildIdentityValues } from './identity-values.ts'

/** All provider calls of one redemption together (contract, section 2). */
const PROVIDER_TIMEOUT_MS = 20_000
const MAX_SOURCE_LENGTH = 256

/**
 * A claim outlives every handoff code of its flow and the access token that it led to, by so much that
 * a clock that jumps for a while does not bring a spent code back to life.
 */
const CLAIM_LIFE_MS = 2 * 86_400_000

/** A login that went through. */
export type Redemption = { flow: Flow, customerId: string, isCreated: boolean, profile: Profile }

/** What a log may hold of a provider's failure. */
export type Log = { warn: (fields: object, text: string) => void }

/**
 * Redeems a handoff code for an authenticated shop: claims it, exchanges the provider's code, reads
 * the profile and writes the login, in this order. The claim is durable before the provider is asked,
 * so neither a crash nor a race sends the provider's code twice.
 * @throws {OAuthError} in the terms of RFC 6749 5.2
 */
export async function redeem (parts: Parts, key: AuthenticatedKey, parameters: Parameters, log: Log): Promise<Redemption> {
  const { flow, authorizationCode } = await claimHandoff(parts, key, parameters)
  const provider = parts.providers.get(flow.provider)
  try {
    // T-40: a code of one app is never sent to another that took its place meanwhile.
    if (provider === undefined || provider.appId !== flow.providerAppId) {
      throw new OAuthError('invalid_grant', 'The provider of this sign-in is no longer configured as it was.')
    }
    const { token, profile } = await askProvider(parts, provider, authorizationCode, log)
    const saved = await saveLogin(parts.database, buildLogin(parts, flow, token, profile, parameters))
    parts.metrics.logins.inc({ provider: flow.provider, outcome: 'succeeded' })
    return { flow, profile, ...saved }
  } catch (error) {
    parts.metrics.logins.inc({ provider: flow.provider, outcome: 'failed' })
    throw error
  }
}

// Only its own shop's attempt spends a code, and that attempt does so whatever is wrong with it.
async function claimHandoff (parts: Parts, key: AuthenticatedKey, parameters: Parameters): Promise<Handoff> {
  const nowMs = parts.now()
  const code = parameters.get('code')
  if (code === undefined) throw new OAuthError('invalid_request', 'The parameter code is missing.')
  const handoff = unsealHandoff(parts.vault, code)
  if (handoff === undefined || handoff.flow.shopId !== key.shopId) throw invalidCode()
  const { flow } = handoff
  const isFirst = await takeClaim(parts.database, { flowId: flow.id, shopId: key.shopId, nowMs, expiresAtMs: nowMs + CLAIM_LIFE_MS })
  if (!isFirst) {
    await markReplayed(parts.database, flow.id, nowMs)
    throw invalidCode()
  }
  if (!isWithinLife(handoff.issuedAtMs, HANDOFF_LIFE_MS, nowMs)) throw invalidCode()
  checkRedirectURI(flow, parameters.get('redirect_uri'))
  checkCodeVerifier(flow, parameters.get('code_verifier'))
  return handoff
}

function invalidCode (): OAuthError {
  return new OAuthError('invalid_grant', 'The code is unknown, expired, used or not for this client.')
}

function checkRedirectURI (flow: Flow, redirectURI: string | undefined): void {
  if (redirectURI === undefined) throw new OAuthError('invalid_request', 'The parameter redirect_uri is missing.')
  if (redirectURI !== flow.redirectURI) throw new OAuthError('invalid_grant', 'The redirect_uri is not the one of the authorization request.')
}

function checkCodeVerifier (flow: Flow, verifier: string | undefined): void {
  if (flow.codeChallenge === null) {
    // PKCE downgrade: the client meant to send a challenge and somebody took it out (RFC 9700 4.8.2).
    if (verifier !== undefined) throw new OAuthError('invalid_grant', 'There was no code_challenge for this code_verifier.')
    return
  }
  if (verifier === undefined || !verifyCodeVerifier(verifier, flow.codeChallenge)) {
    throw new OAuthError('invalid_grant', 'The code_verifier does not match the code_challenge.')
  }
}

async function askProvider (parts: Parts, provider: Provider, authorizationCode: string, log: Log): Promise<{ token: ProviderToken, profile: Profile }> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), PROVIDER_TIMEOUT_MS)
  try {
    const redirectURI = buildCallbackURL(parts.config.publicURL, provider.id)
    const token = await provider.exchangeCode(authorizationCode, redirectURI, controller.signal)
    const profile = await provider.fetchProfile(token, controller.signal)
    return { profile, token: await lengthenLife(provider, token, controller.signal, log) }
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    log.warn({ provider: provider.id, code: error.code, ...error.details }, 'the provider did not complete a login')
    throw toOAuthError(error)
  } finally {
    clearTimeout(timer)
  }
}

// The login succeeds all the same: upkeep exchanges the short token once the provider answers again.
async function lengthenLife (provider: Provider, token: ProviderToken, signal: AbortSignal, log: Log): Promise<ProviderToken> {
  if (!token.isShortLived || provider.exchangeLongLived === null) return token
  try {
    return await provider.exchangeLongLived(token, signal)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    log.warn({ provider: provider.id, code: error.code, ...error.details }, 'a token stays short-lived for now')
    return token
  }
}

function toOAuthError (error: ProviderError): OAuthError {
  switch (error.code) {
    case 'misconfigured':
      return new OAuthError('server_error', error.message, { cause: error })
    case 'denied':
    case 'spent':
    case 'refused':
      return new OAuthError('invalid_grant', 'The provider did not accept the sign-in; it must begin anew.', { cause: error })
    default:
      return new OAuthError('temporarily_unavailable', 'The provider cannot complete the sign-in at the moment.', {
        cause: error,
        retryAfterSeconds: Math.ceil((error.retryAfterMs ?? 30_000) / 1000)
      })
  }
}

function buildLogin (parts: Parts, flow: Flow, token: ProviderToken, profile: Profile, parameters: Parameters) {
  const nowMs = parts.now()
  const owner = { shopId: flow.shopId, provider: flow.provider, providerAppId: flow.providerAppId, providerUserId: profile.userId }
  return {
    ...buildIdentityValues(parts.vault, owner, { profile, token, nowMs }),
    newCustomerId: buildId('cus', nowMs),
    newIdentityId: buildId('idn', nowMs),
    scopes: token.scopes,
    sourcePage: readSource(parameters, 'source_page'),
    sourceCampaign: readSource(parameters, 'source_campaign')
  }
}

// Cut rather than refused: a long address must not cost the shopper the sign-in.
function readSource (parameters: Parameters, name: string): string | null {
  const value = parameters.get(name)
  return value === undefined ? null : cutText(cleanText(value), MAX_SOURCE_LENGTH)
}
