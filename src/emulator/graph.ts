import type { FastifyInstance, FastifyRequest } from 'fastify'
import { jsonAnswer, type Answer } from './answer.ts'
import { issueToken, longLifeSeconds, refreshableAfterMs } from './credentials.ts'
import { answerCall } from './endpoint.ts'
import { graphErrorAnswer, invalidTokenError, parameterError, unsupportedError, type GraphError } from './errors.ts'
import { queryText } from './incoming.ts'
import type { AccessToken, Platform } from './platform.ts'
import { answerProfile } from './profile.ts'
import { answerWithinUsage } from './usage.ts'

/** A token that works, with its text. */
export type LiveToken = { text: string, token: AccessToken }

type GraphCall = { path: string, endpoint: 'exchange' | 'refresh' | 'me', answer: (platform: Platform, query: URLSearchParams) => Answer }

const graphCalls: readonly GraphCall[] = [
  { path: '/access_token', endpoint: 'exchange', answer: answerExchange },
  { path: '/refresh_access_token', endpoint: 'refresh', answer: answerRefresh },
  { path: '/me', endpoint: 'me', answer: answerMe },
]

/** The Graph host: exchange, refresh and profile, with or without a version in the path. */
export function registerGraph (app: FastifyInstance, platform: Platform): void {
  for (const { path, endpoint, answer } of graphCalls) {
    for (const prefix of ['/graph', '/graph/:version(^v\\d+\\.\\d+$)']) {
      app.route({
        method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        url: prefix + path,
        handler: (request, reply) => answerCall({ platform, endpoint, request, reply }, () =>
          answerWithinUsage(platform, () => answerGet(platform, request, answer))),
      })
    }
  }
}

function answerGet (platform: Platform, request: FastifyRequest, answer: GraphCall['answer']): Answer {
  if (request.method !== 'GET') return graphErrorAnswer(unsupportedError(request.method))
  return answer(platform, new URLSearchParams(queryText(request)))
}

function answerExchange (platform: Platform, query: URLSearchParams): Answer {
  if (query.get('grant_type') !== 'ig_exchange_token') return graphErrorAnswer(unsupportedError('get'))
  const missing = ['client_secret', 'access_token'].find((name) => !query.get(name))
  if (missing !== undefined) return graphErrorAnswer(parameterError(`The parameter ${missing} is required`))
  const { instagram, basicDisplay } = platform.apps
  const secret = query.get('client_secret')
  const owner = secret === instagram.clientSecret ? 'instagram' : secret === basicDisplay.clientSecret ? 'basicDisplay' : undefined
  if (owner === undefined) return graphErrorAnswer(parameterError('Error validating client secret.'))
  const found = findLiveToken(platform, query)
  if ('code' in found) return graphErrorAnswer(found)
  if (found.token.flavour !== owner) return graphErrorAnswer(invalidTokenError(null))
  if (found.token.kind !== 'short') return graphErrorAnswer(unsupportedError('get'))
  return tokenAnswer(issueToken(platform, found.token, 'long'))
}

function answerRefresh (platform: Platform, query: URLSearchParams): Answer {
  if (query.get('grant_type') !== 'ig_refresh_token') return graphErrorAnswer(unsupportedError('get'))
  const found = findLiveToken(platform, query)
  if ('code' in found) return graphErrorAnswer(found)
  const { text, token } = found
  if (token.kind !== 'long') return graphErrorAnswer(unsupportedError('get'))
  const nowMs = platform.clock.now()
  if (nowMs - token.issuedAtMs < refreshableAfterMs) {
    return graphErrorAnswer(parameterError('The access token must be at least 24 hours old to be refreshed'))
  }
  if (platform.switches.refreshReturns === 'new') return tokenAnswer(issueToken(platform, token, 'long'))
  token.issuedAtMs = nowMs
  token.expiresAtMs = nowMs + longLifeSeconds * 1000
  return tokenAnswer(text)
}

function answerMe (platform: Platform, query: URLSearchParams): Answer {
  const found = findLiveToken(platform, query)
  return 'code' in found ? graphErrorAnswer(found) : answerProfile(platform, found.token, query)
}

function findLiveToken (platform: Platform, query: URLSearchParams): LiveToken | GraphError {
  const text = query.get('access_token') ?? ''
  const token = platform.tokens.get(text)
  if (token === undefined) return invalidTokenError(null)
  if (token.revokedWith !== undefined) return invalidTokenError(token.revokedWith)
  if (platform.clock.now() >= token.expiresAtMs) return invalidTokenError(463)
  return { text, token }
}

function tokenAnswer (text: string): Answer {
  return jsonAnswer(200, `{"access_token":"${text}","token_type":"bearer","expires_in":${longLifeSeconds}}`)
}
