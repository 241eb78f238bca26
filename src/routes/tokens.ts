import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { findTokenStates, openToken } from '../flows/tokens.ts'
import type { Parts } from '../parts.ts'
import { keyOf } from './bearer.ts'
import { notFound } from './problem.ts'
import { OpenedToken, problems, shared, TokenOfIdentity } from './schemas.ts'

/** The state of a customer's tokens, and, with a scope of its own, one token itself. */
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
      querystring: Type.Object({
        provider_user_id: Type.Optional(Type.String({ minLength: 1, maxLength: 200, description: 'Else the identity used last' }))
      }, { additionalProperties: false }),
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
}
