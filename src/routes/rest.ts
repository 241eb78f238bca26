import type { FastifyInstance } from 'fastify'
import type { Parts } from '../parts.ts'
import { requireBearer } from './bearer.ts'
import { customerRoutes } from './customers.ts'
import { healthRoutes } from './health.ts'
import { importRoutes } from './import.ts'
import { leadRoutes } from './leads.ts'
import { metricsRoutes } from './metrics.ts'
import { shopRoutes } from './shop.ts'
import { tokenRoutes } from './tokens.ts'
import { createValidatorCompiler, takeJSON } from './validation.ts'

/** The REST API of the shop, health and metrics. Needs the plugins `problem` and `openapi`. */
export async function rest (app: FastifyInstance, { parts }: { parts: Parts }): Promise<void> {
  app.setValidatorCompiler(createValidatorCompiler())
  takeJSON(app)
  await app.register(healthRoutes, { parts })
  await app.register(metricsRoutes, { parts })
  await app.register(async (api) => {
    requireBearer(api, parts)
    await api.register(customerRoutes, { parts })
    await api.register(tokenRoutes, { parts })
    await api.register(importRoutes, { parts })
    await api.register(leadRoutes, { parts })
    await api.register(shopRoutes, { parts })
  })
}
