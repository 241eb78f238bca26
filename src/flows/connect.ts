import { type AuthorizationRequest, buildAuthorizationResponse } from '../oauth/authorization.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { Parts } from '../parts.ts'
import type { Provider } from '../providers/provider.ts'
import { countShops, findShop, type Shop } from '../store/shops.ts'
import { hasControlCharacter } from '../text.ts'
import { buildFlowCookies, findFlow, type FlowCookie } from './flow-cookies.ts'
import { buildFlowId, type Flow, FLOW_LIFE_MS, isWithinLife, MAX_AUTHORIZATION_CODE_LENGTH, sealHandoff, sealState, unsealState } from './flow.ts'

/** Why the callback shows a page instead of redirecting. */
export type FlowErrorReason =
  'unknown_state' | 'provider_mismatch' | 'expired' | 'other_browser' | 'nothing_to_do' | 'provider_unavailable'

/** What the callback does: back to the shop, or a page that leads there when our state names the shop. */
export type Answer =
  { kind: 'redirect', location: string } |
  { kind: 'page', reason: FlowErrorReason, shop: { name: string, url: string } | null }

/** Our redirect URI at a provider, as it is registered there. */
export function buildCallbackURL (publicURL: string, providerId: string): string {
  return `${publicURL}/oauth/callback/${providerId}`
}

/** The name that flow cookies begin with; the prefix binds them to this host and to https. */
export function flowCookiePrefix (publicURL: string): string {
  return publicURL.startsWith('https:') ? '__Host-leadlatch-flow-' : 'leadlatch-flow-'
}

/**
 * The provider that a request means: the one it names, or the only one there is.
 * @returns undefined when the person has to choose
 * @throws {OAuthError} `invalid_request` for a name we don't know, `server_error` when none is configured
 */
export function chooseProvider (providers: Parts['providers'], name: string | null): Provider | undefined {
  if (providers.size === 0) throw new OAuthError('server_error', 'No provider is configured at this service.')
  if (name === null) return providers.size === 1 ? providers.values().next().value : undefined
  const provider = providers.get(name)
  if (provider === undefined) throw new OAuthError('invalid_request', 'The provider is not one that this service offers.')
  return provider
}

/**
 * Begins a login: seals the pending authorization into a cookie of this browser and gives the
 * provider's address. Writes nothing.
 */
export async function beginLogin (parts: Parts, options: {
  request: AuthorizationRequest, provider: Provider, cookieHeader: string | undefined
}): Promise<{ location: string, cookies: FlowCookie[] }> {
  const { config, vault, now, database } = parts
  const { request, provider } = options
  const flow: Flow = {
    id: buildFlowId(),
    shopId: request.clientId,
    provider: provider.id,
    providerAppId: provider.appId,
    redirectURI: request.redirectURI,
    state: request.state,
    codeChallenge: request.codeChallenge,
    nonce: request.nonce,
    scopes: request.scopes,
    startedAtMs: now()
  }
  // Where shops share one app, the provider would hand a person that it knows from one shop to the
  // next without a word (threat T-09): it has to ask.
  const isAppShared = await countShops(database) > 1
  const location = provider.buildAuthorizationURL({
    redirectURI: buildCallbackURL(config.publicURL, provider.id),
    state: sealState(vault, flow),
    isReauthenticationRequired: request.isReauthenticationRequired || isAppShared
  })
  parts.metrics.logins.inc({ provider: provider.id, outcome: 'started' })
  return { location, cookies: buildFlowCookies(vault, flowCookiePrefix(config.publicURL), options.cookieHeader, flow) }
}

/**
 * Takes the provider's answer. Only the browser that began the flow gets a handoff code; the
 * provider's code is sealed into it and exchanged when the shop redeems it, not before.
 */
export async function takeAnswer (parts: Parts, options: {
  providerId: string, parameters: Parameters, cookieHeader: string | undefined
}): Promise<Answer> {
  const { parameters, providerId } = options
  const state = unsealState(parts.vault, parameters.get('state') ?? '')
  const shop = state && await findShop(parts.database, state.shopId)
  if (state === undefined || shop === undefined) return page('unknown_state', null)
  // Mix-up: an answer belongs at the path of the provider that the flow was sent to.
  if (state.provider !== providerId) return page('provider_mismatch', shop)
  if (!isWithinLife(state.startedAtMs, FLOW_LIFE_MS, parts.now())) return page('expired', shop)
  const flow = findFlow(parts.vault, flowCookiePrefix(parts.config.publicURL), options.cookieHeader, state.id)
  // Login CSRF and session fixation: the state may be genuine, but this browser did not begin the flow.
  if (flow === undefined) return page('other_browser', shop)
  const provider = parts.providers.get(providerId)
  if (provider === undefined || provider.appId !== flow.providerAppId) return page('provider_unavailable', shop)
  if (!shop.redirectURIs.includes(flow.redirectURI)) return page('provider_unavailable', shop)
  // RFC 9207 2.4: an issuer that we do not expect is another server's answer.
  if (parameters.isRepeated('iss') || (parameters.get('iss') ?? provider.issuer) !== provider.issuer) return page('provider_mismatch', shop)
  return answerOf(parts, flow, shop, parameters)
}

function answerOf (parts: Parts, flow: Flow, shop: Shop, parameters: Parameters): Answer {
  const respond = (response: { code: string } | { error: string, error_description: string }): Answer => ({
    kind: 'redirect',
    location: buildAuthorizationResponse(flow.redirectURI, { ...response, state: flow.state, iss: parts.config.publicURL })
  })
  const error = parameters.get('error')
  if (error !== undefined || parameters.isRepeated('error')) {
    const isDenied = error === 'access_denied'
    parts.metrics.logins.inc({ provider: flow.provider, outcome: isDenied ? 'denied' : 'failed' })
    // The provider's own text may be anybody's: it is not passed on.
    return isDenied
      ? respond({ error: 'access_denied', error_description: 'The shopper did not allow the sign-in.' })
      : respond({ error: 'server_error', error_description: 'The provider reported a fault.' })
  }
  const authorizationCode = parameters.get('code')
  if (authorizationCode === undefined || authorizationCode.length > MAX_AUTHORIZATION_CODE_LENGTH || hasControlCharacter(authorizationCode)) {
    return page('nothing_to_do', shop)
  }
  return respond({ code: sealHandoff(parts.vault, { flow, authorizationCode, issuedAtMs: parts.now() }) })
}

function page (reason: FlowErrorReason, shop: Shop | null): Answer {
  return { kind: 'page', reason, shop: shop && { name: shop.name, url: shop.url } }
}
