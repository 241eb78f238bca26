import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import type { Parts } from '../parts.ts'
import { SHARED_SCHEMAS } from './schemas.ts'

// Relative to this document, wherever the service is reached and whatever path it has.
const SERVERS = [{ url: './' }]

const DESCRIPTION = 'What a shop reads and changes with its API key. Errors are application/problem+json (RFC 9457) with a stable `code`.'

/** Describes the routes that this scope registers after it, from their schemas, at `/openapi.json`. */
export async function describeRoutes (app: FastifyInstance, { version }: Pick<Parts, 'version'>): Promise<void> {
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Leadlatch', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
      components: {
        securitySchemes: {
          apiKey: { type: 'http', scheme: 'bearer', description: 'An API key of a shop (`llk_…`); operations name the scope that it needs.' },
          metricsToken: { type: 'http', scheme: 'bearer', description: "The operator's token for metrics." }
        }
      }
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => typeof json['$id'] === 'string' ? json['$id'] : `schema-${i}` },
    transform: ({ schema, url, route }) => {
      const scope = route.config?.scope
      return { schema: scope === undefined ? schema : { ...schema, security: [{ apiKey: scope === 'any' ? [] : [scope] }] }, url }
    }
  })
  app.get('/openapi.json', {
    schema: {
      operationId: 'getDescription',
      summary: 'This document',
      response: { 200: Type.Object({}, { additionalProperties: true, description: 'OpenAPI 3.1' }) }
    }
  }, async (_request, reply) => reply.type('application/json').send(JSON.stringify({ ...app.swagger(), servers: SERVERS })))
}
