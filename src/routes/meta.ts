import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { deauthorize, findDeletionStatus, requestDeletion } from '../flows/meta.ts'
import { deletionStatusPage } from '../pages/deletion-status.ts'
import { notFoundPage } from '../pages/other-errors.ts'
import type { Parts } from '../parts.ts'
import { SignedRequestError } from '../providers/signed-request.ts'
import { limitByPeer } from './limit-by-peer.ts'
import { formParameters, refuseOtherMethods, takeForms } from './oauth-requests.ts'
import { peerOf } from './peer.ts'
import { answerError, Problem } from './problem.ts'
import { problems } from './schemas.ts'

const BODY_LIMIT_BYTES = 16 * 1024

const SignedForm = Type.Object({
  signed_request: Type.String({ description: "Signed by Meta with the app's secret (HMAC-SHA256)" })
})

const Done = Type.Object({ status: Type.Literal('ok') })

const DeletionReply = Type.Object({
  url: Type.String({ description: 'Where the person reads the state of the deletion' }),
  confirmation_code: Type.String()
})

const Page = { description: 'A page', content: { 'text/html': { schema: Type.String() } } }

const described = problems(400, 413, 415, 429)
const REFUSALS = {
  ...described,
  400: { ...described[400], description: 'The form does not hold one genuine signed_request' },
  415: { ...described[415], description: 'The body is not a form' }
}

/** Meta's callbacks: a person took their consent back, or wants their data deleted; and the page that tells of it. */
export const metaRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  takeForms(app)
  // Described, not validated by schema: the form is text until its one field is taken out.
  app.setValidatorCompiler(() => () => true)
  app.setErrorHandler(answerFormError)
  const refuse = refuseAndCount(app, parts)
  const form = { consumes: ['application/x-www-form-urlencoded'], body: SignedForm }

  app.post('/meta/deauthorize', {
    bodyLimit: BODY_LIMIT_BYTES,
    schema: {
      operationId: 'deauthorize',
      summary: 'From Meta: a person took their consent back',
      ...form,
      response: { 200: Done, ...REFUSALS }
    }
  }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    await deauthorize(parts, readSignedRequest(request)).catch((error: unknown) => refuse(request, error))
    return { status: 'ok' as const }
  })
  refuseOtherMethods(app, '/meta/deauthorize', ['POST'])

  app.post('/meta/data-deletion', {
    bodyLimit: BODY_LIMIT_BYTES,
    schema: {
      operationId: 'requestDataDeletion',
      summary: 'From Meta: a person wants their data deleted',
      ...form,
      response: { 200: DeletionReply, ...REFUSALS }
    }
  }, async (request, reply) => {
    reply.header('cache-control', 'no-store')
    return requestDeletion(parts, readSignedRequest(request)).catch((error: unknown) => refuse(request, error))
  })
  refuseOtherMethods(app, '/meta/data-deletion', ['POST'])

  app.get('/meta/data-deletion/:code', {
    onRequest: limitByPeer(app, parts, sendPage),
    schema: {
      operationId: 'getDeletionStatus',
      summary: 'What became of a deletion, for the person who asked',
      params: Type.Object({ code: Type.String() }),
      response: { 200: Page, 404: Page, 429: Page, ...problems() }
    }
  }, async (request, reply) => {
    const deletion = await findDeletionStatus(parts, request.params.code)
    return deletion === undefined ? sendPage(reply, 404, notFoundPage()) : sendPage(reply, 200, deletionStatusPage(deletion))
  })
  refuseOtherMethods(app, '/meta/data-deletion/:code', ['GET'])
}

// The form alone: a query stands in the logs of every proxy on the way.
function readSignedRequest (request: FastifyRequest): string {
  return formParameters(request).get('signed_request') ?? ''
}

/**
 * Answers what is not genuine, each reason alike. Only this is counted: Meta calls from few addresses
 * and does not ask twice, so a genuine request is never refused for others that were not.
 */
function refuseAndCount (app: FastifyInstance, { config }: Parts) {
  const check = app.createRateLimit({ max: config.rateLimit, timeWindow: 60_000, keyGenerator: peerOf })
  return async (request: FastifyRequest, error: unknown): Promise<never> => {
    if (!(error instanceof SignedRequestError)) throw error
    request.log.warn({ code: error.code }, 'a signed request was refused')
    const limit = config.rateLimit === 0 ? undefined : await check(request)
    if (limit !== undefined && !limit.isAllowed && limit.isExceeded) {
      throw new Problem(429, 'rate_limited', 'Too many requests.', { headers: { 'retry-after': String(limit.ttlInSeconds) } })
    }
    throw new Problem(400, 'invalid_signed_request', 'The form must hold one genuine signed_request.', { member: 'signed_request' })
  }
}

function answerFormError (error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (error.statusCode !== 415) return answerError(error, request, reply)
  const demand = 'The body must be application/x-www-form-urlencoded.'
  return answerError(new Problem(415, 'unsupported_media_type', demand), request, reply)
}

// A page that a search engine lists is a code that anybody finds.
function sendPage (reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).headers({ 'cache-control': 'no-store', 'x-robots-tag': 'noindex' }).type('text/html; charset=utf-8').send(page)
}
