import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { findCustomerView } from '../flows/customers.ts'
import { ImportError } from '../flows/import-errors.ts'
import { importToken } from '../flows/import-token.ts'
import type { Parts } from '../parts.ts'
import { keyOf } from './bearer.ts'
import { notFound, Problem } from './problem.ts'
import { Customer, problems, shared } from './schemas.ts'

/** Takes a token that was made in the provider's dashboard. */
export const importRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  app.put('/v1/tokens/:provider', {
    config: { scope: 'tokens:write' },
    schema: {
      operationId: 'importToken',
      summary: "Import a token that was made in the provider's dashboard; answers its customer, who is made if need be",
      params: Type.Object({ provider: Type.String() }),
      querystring: Type.Object({}, { additionalProperties: false }),
      body: Type.Object({
        access_token: Type.String({ minLength: 1, maxLength: 4096, pattern: '^[\\x21-\\x7e]+$', description: 'Verified at the provider; in place of a stored one unless that is known to live longer' })
      }, { additionalProperties: false }),
      response: { 200: shared(Customer), ...problems(400, 401, 403, 404, 409, 413, 415) }
    }
  }, async (request) => {
    const { id: keyId, shopId } = keyOf(request)
    try {
      const { customerId } = await importToken(parts, {
        shopId, provider: request.params.provider, accessToken: request.body.access_token, actor: `key:${keyId}`
      }, request.log)
      const customer = await findCustomerView(parts, shopId, customerId)
      if (customer === undefined) throw notFound()
      return customer
    } catch (error) {
      throw error instanceof ImportError ? problemOf(error) : error
    }
  })
}

function problemOf (error: ImportError): Problem {
  switch (error.code) {
    case 'unknown_provider':
    case 'unknown_shop':
      return notFound()
    case 'import_unsupported':
      return new Problem(409, error.code, error.message)
    case 'provider_unavailable':
      return new Problem(503, error.code, error.message, { headers: { 'retry-after': String(error.retryAfterSeconds) } })
    case 'provider_misconfigured':
      return new Problem(500, error.code, error.message, { cause: error })
    default:
      return new Problem(400, error.code, error.message, { member: 'access_token' })
  }
}
