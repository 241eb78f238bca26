import type { FastifyRequest } from 'fastify'

/**
 * Every Authorization header of a request. Node's own `headers` keeps the first in silence; which of
 * two would count must not be a guess.
 */
export function listAuthorizations ({ raw }: FastifyRequest): string[] {
  return raw.rawHeaders.filter((_, i, headers) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === 'authorization')
}
