import type { FastifyInstance, FastifyRequest } from 'fastify'
import { API_KEY_SCOPES, type APIKeyScope, type AuthenticatedKey, authenticateKey } from '../flows/api-keys.ts'
import type { Parts } from '../parts.ts'
import { listAuthorizations } from './authorization-header.ts'
import { Problem } from './problem.ts'

/** What a route asks of a key; `any` is every key that is good. */
export type RequiredScope = APIKeyScope | 'any'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Which scope a key needs for this route. */
    scope?: RequiredScope
  }
  interface FastifyRequest {
    /** The key that was presented; null outside the routes that ask for one. */
    apiKey: AuthenticatedKey | null
  }
}

const REALM = 'Bearer realm="leadlatch"'

/**
 * Guards every route of this scope by an API key, looked up anew for each request, so that a revoked
 * one is refused at once (RFC 6750). A route that names no scope fails at registration.
 */
export function requireBearer (app: FastifyInstance, { database }: Pick<Parts, 'database'>): void {
  app.decorateRequest('apiKey', null)
  app.addHook('onRoute', ({ method, url, config }) => {
    if (!isRequiredScope(config?.scope)) throw new TypeError(`The route ${String(method)} ${url} declares no scope.`)
  })
  app.addHook('onRequest', async (request, reply) => {
    reply.header('cache-control', 'no-store')
    const key = await authenticateKey(database, readBearer(request))
    const { scope } = request.routeOptions.config
    if (key === undefined) throw invalidKey()
    if (!isRequiredScope(scope)) throw insufficientScope('none')
    if (scope !== 'any' && !key.scopes.includes(scope)) throw insufficientScope(scope)
    request.apiKey = key
  })
}

/** The key of a request that passed {@link requireBearer}. */
export function keyOf (request: FastifyRequest): AuthenticatedKey {
  if (request.apiKey === null) throw invalidKey()
  return request.apiKey
}

/**
 * The text of the bearer token. @throws {Problem} 401 without one, 400 for two: two readers would choose
 * differently
 */
export function readBearer (request: FastifyRequest): string {
  const [authorization = '', second] = listAuthorizations(request)
  if (second !== undefined) {
    throw new Problem(400, 'invalid_request', 'The request has two Authorization headers.', {
      headers: { 'www-authenticate': `${REALM}, error="invalid_request"` }
    })
  }
  const token = /^Bearer +([\w.~+/-]+=*) *$/i.exec(authorization)?.[1]
  if (token !== undefined) return token
  // Without credentials there is no error to name (RFC 6750 3.1).
  throw new Problem(401, 'unauthorized', 'An API key is needed as bearer token.', { headers: { 'www-authenticate': REALM } })
}

/** @throws {Problem} 401 when the key of a request that is still running was revoked or lost its scope */
export async function checkStillAllowed ({ database }: Pick<Parts, 'database'>, request: FastifyRequest, scope: APIKeyScope): Promise<void> {
  const key = await authenticateKey(database, readBearer(request))
  if (key === undefined || !key.scopes.includes(scope)) throw invalidKey()
}

function isRequiredScope (scope: unknown): scope is RequiredScope {
  return scope === 'any' || API_KEY_SCOPES.some((known) => known === scope)
}

function invalidKey (): Problem {
  return new Problem(401, 'invalid_token', 'The API key is unknown or revoked.', {
    headers: { 'www-authenticate': `${REALM}, error="invalid_token"` }
  })
}

function insufficientScope (scope: string): Problem {
  return new Problem(403, 'insufficient_scope', `The API key lacks the scope ${scope}.`, {
    headers: { 'www-authenticate': `${REALM}, error="insufficient_scope", scope="${scope}"` }
  })
}
