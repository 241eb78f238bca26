import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { JSONError } from '../json.ts'
import { StoreError } from '../store/database.ts'
import { describeFault } from './validation.ts'

/** Thrown by a route to answer with an error; its detail is shown to the caller. */
export class Problem extends Error {
  readonly status: number
  readonly code: string
  readonly member: string | null
  readonly headers: Readonly<Record<string, string>>

  /** @param code stable: what programs go by */
  constructor (status: number, code: string, detail: string, options: {
    member?: string, headers?: Record<string, string>, cause?: unknown
  } = {}) {
    super(detail, { cause: options.cause })
    this.status = status
    this.code = code
    this.member = options.member ?? null
    this.headers = options.headers ?? {}
  }
}

// What Fastify itself refuses. Its own messages can hold the URL, so they are not passed on.
const REFUSALS: Readonly<Record<number, readonly [code: string, detail: string]>> = {
  400: ['invalid_request', 'The request is malformed.'],
  404: ['not_found', 'There is nothing here by this name.'],
  408: ['timeout', 'The request took too long to arrive.'],
  413: ['too_large', 'The body is too large.'],
  414: ['too_large', 'The address is too long.'],
  415: ['unsupported_media_type', 'The body must be application/json.'],
  429: ['rate_limited', 'Too many requests.'],
  431: ['too_large', 'The header fields are too large.']
}

/** What another shop's id answers, and one that never was: the same text, without the id. */
export function notFound (): Problem {
  return new Problem(404, 'not_found', 'There is nothing here by this name.')
}

/** A 400 that names the member at fault. */
export function invalidMember (member: string, detail: string): Problem {
  return new Problem(400, 'invalid_request', detail, { member })
}

/** Sets the error handler and the 404 handler of the whole app (RFC 9457). */
export const problem = fastifyPlugin(async (app) => {
  app.setErrorHandler<FastifyError>(answerError)
  app.setNotFoundHandler((request, reply) => send(request, reply, notFound()))
}, { name: 'problem', fastify: '5.x' })

/**
 * Answers any error as a problem document. It also serves as Fastify's `frameworkErrors`, whose own
 * answer to a malformed address would repeat the address.
 */
export function answerError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const answer = problemOf(error)
  if (answer.status < 500) request.log.info({ code: answer.code }, 'a request was refused')
  // Only the error: the request's URL may hold what a log must not.
  if (answer.status >= 500) request.log.error({ err: error }, 'a request failed')
  return send(request, reply, answer)
}

function problemOf (error: FastifyError): Problem {
  if (error instanceof Problem) return error
  if (error instanceof JSONError) return new Problem(400, error.code, error.message)
  if (error instanceof StoreError && error.code === 'unavailable') {
    return new Problem(503, 'temporarily_unavailable', 'This is not possible just now. Try again.', { headers: { 'retry-after': '5' } })
  }
  const fault = describeFault(error)
  if (fault !== undefined) return new Problem(400, 'invalid_request', fault.detail, fault.member === null ? {} : { member: fault.member })
  const status = error.statusCode ?? 500
  const [code, detail] = REFUSALS[status] ?? (status >= 400 && status < 500 ? ['invalid_request', 'The request was refused.'] : [])
  return code === undefined || detail === undefined
    ? new Problem(500, 'internal_error', 'Something went wrong on our side. The log tells more under this request id.')
    : new Problem(status, code, detail)
}

function send (request: FastifyRequest, reply: FastifyReply, { status, code, message, member, headers }: Problem): FastifyReply {
  return reply.code(status).headers({ 'cache-control': 'no-store', ...headers }).type('application/problem+json').send({
    type: 'about:blank',
    title: STATUS_CODES[status] ?? 'Error',
    status,
    detail: message,
    code,
    request_id: request.id,
    ...(member === null ? {} : { member })
  })
}
