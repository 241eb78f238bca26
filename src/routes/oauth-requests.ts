import type {} from '@fastify/swagger'
import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify'
import { parseParameters, type Parameters } from '../oauth/parameters.ts'
import { StoreError } from '../store/database.ts'

/** After which a caller may try again when the database was busy. */
export const BUSY_RETRY_SECONDS = 5

// Nothing else is a form: a stray separator or another charset is how two readers come to differ.
const FORM_TYPE = /^application\/x-www-form-urlencoded(?:; ?charset=utf-8)?$/i

const METHODS: readonly HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']

/** The parameters of the query, read from the URL itself: Fastify's own query object hides a repeated one. */
export function queryParameters (request: FastifyRequest): Parameters {
  const [, query = ''] = /\?(.*)$/s.exec(request.raw.url ?? '') ?? []
  return parseParameters(query)
}

/** The parameters of a form body; of an empty one when there was none. */
export function formParameters (request: FastifyRequest): Parameters {
  return parseParameters(typeof request.body === 'string' ? request.body : '')
}

/** Has this scope take form bodies alone, as text: any other type is answered with 415. */
export function takeForms (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string' }, ({ headers }, body, done) => {
    const isForm = FORM_TYPE.test(headers['content-type'] ?? '') && headers['content-encoding'] === undefined
    done(isForm ? null : Object.assign(new Error('The body must be a form.'), { statusCode: 415 }), body)
  })
}

/** True for a failure that only waiting helps. */
export function isStoreBusy (error: unknown): boolean {
  return error instanceof StoreError && error.code === 'unavailable'
}

/** Answers every method but these with 405. HEAD is one of them: it must not act, and GET here acts. */
export function refuseOtherMethods (app: FastifyInstance, url: string, allowed: readonly HTTPMethods[]): void {
  app.route({
    method: METHODS.filter((method) => !allowed.includes(method)),
    url,
    schema: { hide: true },
    handler: async (_request, reply) => reply.code(405).header('allow', allowed.join(', ')).send()
  })
}

/**
 * An onRequest hook: a browser that loads ahead of its user gets 204 and nothing happens. Only a
 * person's own navigation begins or ends a login.
 */
export async function ignorePrefetch (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  const purpose = request.headers['sec-purpose'] ?? request.headers.purpose ?? ''
  if (!String(purpose).toLowerCase().includes('prefetch')) return undefined
  return reply.code(204).header('cache-control', 'no-store').send()
}
