import type {} from '@fastify/rate-limit'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { rateLimitedPage } from '../pages/other-errors.ts'
import type { Parts } from '../parts.ts'
import { peerOf } from './peer.ts'

/**
 * An onRequest hook for pages that anybody may open: so many requests a minute and peer, over all
 * routes that share the hook.
 * @param sendPage how this scope sends a page
 */
export function limitByPeer (app: FastifyInstance, { config }: Pick<Parts, 'config'>, sendPage: (reply: FastifyReply, status: number, page: string) => FastifyReply) {
  const check = app.createRateLimit({ max: config.rateLimit, timeWindow: 60_000, keyGenerator: peerOf })
  return async (request: FastifyRequest, reply: FastifyReply) => {
    if (config.rateLimit === 0) return
    const limit = await check(request)
    if (limit.isAllowed || !limit.isExceeded) return
    reply.header('retry-after', limit.ttlInSeconds)
    return sendPage(reply, 429, rateLimitedPage({ retryAfterSeconds: limit.ttlInSeconds }))
  }
}
