import { hash, timingSafeEqual } from 'node:crypto'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { measureForecast } from '../flows/forecast.ts'
import type { Parts } from '../parts.ts'
import { readBearer } from './bearer.ts'
import { notFound, Problem } from './problem.ts'
import { problems } from './schemas.ts'

/** The metrics for Prometheus: as good as absent until the operator has set a token for them. */
export const metricsRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  const { config, metrics } = parts

  app.get('/metrics', {
    schema: {
      operationId: 'getMetrics',
      summary: 'Metrics for Prometheus, by a bearer token of the operator',
      security: [{ metricsToken: [] }],
      response: { 200: { description: 'Text', content: { 'text/plain': { schema: Type.String() } } }, ...problems(400, 401, 404) }
    }
  }, async (request, reply) => {
    // No exception for loopback: the usual proxy calls from there, on behalf of anybody.
    if (config.metricsToken === null) throw notFound()
    if (!isSame(readBearer(request), config.metricsToken)) {
      throw new Problem(401, 'invalid_token', 'The metrics token is wrong.', {
        headers: { 'www-authenticate': 'Bearer realm="leadlatch", error="invalid_token"' }
      })
    }
    await measureForecast(parts)
    return reply.header('cache-control', 'no-store').type(metrics.registry.contentType).send(await metrics.registry.metrics())
  })
}

// Digests of one length, so that the comparison takes the same time whatever was sent.
function isSame (given: string, wanted: string): boolean {
  return timingSafeEqual(hash('sha256', given, 'buffer'), hash('sha256', wanted, 'buffer'))
}
