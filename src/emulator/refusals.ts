import type { FastifyInstance, FastifyRequest } from 'fastify'
import { jsonAnswer, sendAnswer, type Answer } from './answer.ts'
import { graphErrorAnswer, tokenError, tokenErrorAnswer, unsupportedError } from './errors.ts'
import { messageAnswer, unavailableAnswer } from './page.ts'

/** Answers unknown addresses and broken requests in the way of the host that they were meant for. */
export function registerRefusals (app: FastifyInstance): void {
  app.setNotFoundHandler((request, reply) => sendAnswer(reply, refusalAnswer(request)))
  app.setErrorHandler((error, request, reply) => {
    const message = error instanceof Error ? error.message : String(error)
    if (request.url.startsWith('/emulator')) return sendAnswer(reply, jsonAnswer(400, JSON.stringify({ error: message })))
    if (error instanceof Error && 'statusCode' in error) return sendAnswer(reply, refusalAnswer(request))
    // A defect of the emulator itself: its text is shown, so that it is not taken for the platform's.
    return sendAnswer(reply, messageAnswer('The emulator failed', message, 500))
  })
}

function refusalAnswer (request: FastifyRequest): Answer {
  if (request.url.startsWith('/graph')) return graphErrorAnswer(unsupportedError(request.method))
  if (request.url.startsWith('/api/oauth/access_token')) return tokenErrorAnswer(tokenError('Invalid request'), 'plain')
  return unavailableAnswer()
}
