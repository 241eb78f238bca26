import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import type { Parts } from '../parts.ts'
import { Problem } from './problem.ts'
import { problems } from './schemas.ts'

const Health = Type.Object({ status: Type.Literal('ok') })

const PROBE = 'select count(*) as total from migrations'

/** Whether the process runs, and whether it can do its work. */
export const healthRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  app.addHook('onRequest', async (_request, reply) => { reply.header('cache-control', 'no-store') })

  app.get('/health/live', {
    schema: { operationId: 'getLiveness', summary: 'The process runs', response: { 200: Health, ...problems() } }
  }, async () => ({ status: 'ok' as const }))

  app.get('/health/ready', {
    schema: { operationId: 'getReadiness', summary: 'The database answers', response: { 200: Health, ...problems() } }
  }, async () => {
    try {
      await parts.database.get(PROBE)
    } catch (cause) {
      throw new Problem(503, 'not_ready', 'The database does not answer.', { cause, headers: { 'retry-after': '5' } })
    }
    return { status: 'ok' as const }
  })
}
