import swagger from '@fastify/swagger'
import fastifyPlugin from 'fastify-plugin'
import { Type } from 'typebox'
import type { Parts } from '../parts.ts'
import { SHARED_SCHEMAS } from './schemas.ts'

// Relative to this document, wherever the service is reached and whatever path it has.
const SERVERS = [{ url: './' }]

const DESCRIPTION = 'How a shop redeems a login, and what it reads and changes with its API key. Errors under /v1 are application/problem+json (RFC 9457) with a stable `code`, those under /oauth have the form of RFC 6749.'

/** Describes the routes that are registered after it, from their schemas, at `/openapi.json`. */
export const describeRoutes = fastifyPlugin<{ parts: Pick<Parts, 'version'> }>(async (app, { parts: { version } }) => {
  for (const schema of SHARED_SCHEMAS) app.addSchema(schema)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Leadlatch', version, description: DESCRIPTION, license: { name: 'MIT', identifier: 'MIT' } },
      components: {
        securitySchemes: {
          client: { type: 'http', scheme: 'basic', description: 'Shop id and API key; or as `client_id` and `client_secret` in the form.' },
          accessToken: { type: 'http', scheme: 'bearer', description: 'The access token of a token reply.' },
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
}, { name: 'openapi', fastify: '5.x' })
