import { findApp, type EmulatorApps } from './apps.ts'
import { flavours, type Flavour } from './flavours.ts'
import type { AuthorizationRequest } from './platform.ts'

/** A checked request, or the text of the page on which it ends. */
export type CheckedRequest = { request: AuthorizationRequest } | { refusal: string }

/**
 * Checks the query of the authorization window. A fault in it never leads to a redirect: the page
 * says so, and the app is not told. Unknown parameters, `code_challenge` among them, are ignored.
 */
export function checkAuthorizationRequest (apps: EmulatorApps, query: string): CheckedRequest {
  const parameters = new URLSearchParams(query)
  const registered = findApp(apps, parameters.get('client_id'))
  if (registered === undefined) return { refusal: 'Invalid platform app' }
  const redirectURI = parameters.get('redirect_uri') ?? ''
  if (!registered.app.redirectURIs.includes(redirectURI)) return { refusal: 'Invalid redirect_uri' }
  if (parameters.get('response_type') !== 'code') return { refusal: 'Invalid response_type' }
  const scopes = (parameters.get('scope') ?? '').split(/[ ,]+/).filter((scope) => scope !== '')
  const refusal = refuseScopes(flavours[registered.flavour], scopes)
  if (refusal !== undefined) return { refusal }
  return { request: { flavour: registered.flavour, redirectURI, scopes, encodedState: findEncodedState(query) } }
}

function refuseScopes (flavour: Flavour, scopes: string[]): string | undefined {
  if (scopes.includes('instagram_business_content_publishing')) return 'Business and user permissions are mutually exclusive'
  const unknown = scopes.find((scope) => !flavour.scopes.includes(scope))
  if (unknown !== undefined) return `Invalid scope: ${unknown}`
  if (scopes.length === 0) return 'Invalid scope: []'
  if (flavour.requiredScope !== null && !scopes.includes(flavour.requiredScope)) {
    return `Invalid scope: ${flavour.requiredScope} is required`
  }
}

function findEncodedState (query: string): string | null {
  const pair = query.split('&').find((part) => part.startsWith('state='))
  return pair === undefined ? null : pair.slice('state='.length)
}

/** Builds the return to the app with a code. The platform appends `#_`, which is no part of the code. */
export function buildSuccessLocation (request: AuthorizationRequest, code: string): string {
  return `${request.redirectURI}?code=${code}${formatState(request)}#_`
}

/** Builds the return to the app after a cancellation, with pluses for spaces as the platform has them. */
export function buildCancelLocation (request: AuthorizationRequest): string {
  return `${request.redirectURI}?error=access_denied&error_reason=user_denied` +
    `&error_description=The+user+denied+your+request${formatState(request)}`
}

function formatState ({ encodedState }: AuthorizationRequest): string {
  return encodedState === null ? '' : `&state=${encodedState}`
}
