import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { forgetToken, refreshToken, type RefreshAnswer } from '../flows/change-token.ts'
import { findTokenStates, openToken } from '../flows/tokens.ts'
import type { Parts } from '../parts.ts'
import { keyOf } from './bearer.ts'
import { notFound, Problem } from './problem.ts'
import { OpenedToken, problems, shared, TokenOfIdentity } from './schemas.ts'

const ofIdentity = Type.Object({
  provider_user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Else the identity used last' }))
}, { additionalProperties: false })

/** The state of a customer's tokens, and, with scopes of their own, one token itself and what can be done with it. */
export const tokenRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  app.get('/v1/customers/:id/tokens', {
    config: { scope: 'leads:read' },
    schema: {
      operationId: 'listTokens',
      summary: "State of each identity's token, never the token",
      params: Type.Object({ id: Type.String() }),
      querystring: Type.Object({}, { additionalProperties: false }),
      response: { 200: Type.Object({ data: Type.Array(shared(TokenOfIdentity)) }), ...problems(400, 401, 403, 404) }
    }
  }, async (request) => {
    const tokens = await findTokenStates(parts, keyOf(request).shopId, request.params.id)
    if (tokens === undefined) throw notFound()
    return { data: tokens }
  })

  app.get('/v1/customers/:id/tokens/:provider', {
    config: { scope: 'tokens:read' },
    // A HEAD would leave a record of a read that showed nothing.
    exposeHeadRoute: false,
    schema: {
      operationId: 'readToken',
      summary: 'The access token itself; each read is recorded',
      params: Type.Object({ id: Type.String(), provider: Type.String() }),
      querystring: ofIdentity,
      response: { 200: shared(OpenedToken), ...problems(400, 401, 403, 404) }
    }
  }, async (request) => {
    const { id: keyId, shopId } = keyOf(request)
    const { id: customerId, provider } = request.params
    const token = await openToken(parts, {
      shopId, customerId, provider, providerUserId: request.query.provider_user_id ?? null, actor: `key:${keyId}`
    })
    if (token === undefined) throw notFound()
    return token
  })

  app.post('/v1/customers/:id/tokens/:provider/refresh', {
    config: { scope: 'tokens:write' },
    schema: {
      operationId: 'refreshToken',
      summary: 'Lengthens the life of a token now; each call is recorded',
      params: Type.Object({ id: Type.String(), provider: Type.String() }),
      querystring: ofIdentity,
      response: { 200: shared(TokenOfIdentity), ...problems(400, 401, 403, 404, 409) }
    }
  }, async (request) => {
    const answer = await refreshToken(parts, request.log, wantedBy(request, request.params, request.query))
    if (answer === undefined) throw notFound()
    checkRefreshed(answer)
    return answer.token
  })

  app.delete('/v1/customers/:id/tokens/:provider', {
    config: { scope: 'tokens:write' },
    schema: {
      operationId: 'forgetToken',
      summary: 'Forgets a token for good; the identity stays',
      params: Type.Object({ id: Type.String(), provider: Type.String() }),
      querystring: ofIdentity,
      response: { 204: Type.Null({ description: 'It is gone' }), ...problems(400, 401, 403, 404) }
    }
  }, async (request, reply) => {
    if (!await forgetToken(parts, wantedBy(request, request.params, request.query))) throw notFound()
    return reply.code(204).send(null)
  })
}

function wantedBy (request: FastifyRequest, params: { id: string, provider: string }, query: { provider_user_id?: string }) {
  const { id: keyId, shopId } = keyOf(request)
  return { shopId, customerId: params.id, provider: params.provider, providerUserId: query.provider_user_id ?? null, actor: `key:${keyId}` }
}

// What the caller could do about it; a token that somebody else renewed meanwhile is as good.
const NOT_REFRESHED: Readonly<Partial<Record<RefreshAnswer['outcome'], readonly [status: 409 | 503, code: string, detail: string]>>> = {
  too_young: [409, 'too_young', 'The provider refreshes a token only 24 hours after it was obtained or last refreshed.'],
  expired: [409, 'reconnect_needed', 'The token has expired; the shopper must sign in again.'],
  revoked: [409, 'reconnect_needed', 'The token is no longer good; the shopper must sign in again.'],
  unsupported: [409, 'refresh_unsupported', 'The tokens of this provider cannot be refreshed with the present settings.'],
  busy: [503, 'refresh_in_progress', 'This token is being refreshed just now.'],
  throttled: [503, 'provider_unavailable', 'The provider limits our calls.'],
  later: [503, 'provider_unavailable', 'The provider did not answer. It is tried again by itself.'],
  refused: [503, 'provider_refused', 'The provider refused in a way that says nothing about the token. It is tried again by itself.'],
  kept: [503, 'provider_refused', 'The provider gave a token that does not work; the one before is kept. It is tried again by itself.']
}

function checkRefreshed ({ outcome, retryAfterMs }: RefreshAnswer): void {
  const [status, code, detail] = NOT_REFRESHED[outcome] ?? []
  if (status === undefined || code === undefined || detail === undefined) return
  throw new Problem(status, code, detail, retryAfterMs === null ? {} : { headers: { 'retry-after': String(Math.ceil(retryAfterMs / 1000)) } })
}
