import type { FastifyRequest } from 'fastify'
import { jsonAnswer, redirectAnswer, type Answer } from './answer.ts'
import { buildCancelLocation, checkAuthorizationRequest } from './authorization-request.ts'
import { graphErrorAnswer, permissionError, rateLimitError, tokenError, tokenErrorAnswer, tokenMessages } from './errors.ts'
import type { ActiveFault, FaultName, FaultyEndpoint } from './faults.ts'
import { queryText } from './incoming.ts'
import { messageAnswer, unavailableAnswer } from './page.ts'
import type { Platform } from './platform.ts'
import { buildUsageHeaders } from './usage.ts'

/** A call that goes wrong, and the work that it would have done. */
export type FaultyCall = {
  platform: Platform
  endpoint: FaultyEndpoint
  fault: ActiveFault
  request: FastifyRequest
  work: () => Answer
}

/** Faults that break the connection or its pace; all others are complete replies. */
export type TransportFault = 'hang' | 'slow' | 'drip' | 'huge' | 'gzip_bomb' | 'reset' | 'lost'

const builders: Readonly<Record<Exclude<FaultName, TransportFault>, (call: FaultyCall) => Answer>> = {
  deny: denyAnswer,
  used_code: (call) => tokenFaultAnswer(call, tokenMessages.used),
  invalid_code: (call) => tokenFaultAnswer(call, tokenMessages.invalid),
  wrong_secret: (call) => tokenFaultAnswer(call, tokenMessages.verification),
  platform_app: (call) => call.endpoint === 'authorize'
    ? messageAnswer('Invalid request', `Invalid Request: ${tokenMessages.platformApp}`)
    : tokenFaultAnswer(call, tokenMessages.platformApp),
  html500: () => messageAnswer('Oops, an error occurred.', 'Please try again later.', 500),
  html200: () => unavailableAnswer(200),
  empty: ({ work }) => ({ ...work(), body: '' }),
  truncated: ({ work }) => spoil(work(), (body) => body.slice(0, Math.floor(body.length / 2))),
  wrong_type: ({ work, fault }) => withHeaders(work(), { 'content-type': fault.type }),
  deep: () => jsonAnswer(200, '['.repeat(10_000) + ']'.repeat(10_000)),
  proto: ({ work }) => spoil(work(), addPrototypeKeys),
  ids_as_objects: ({ work }) => spoil(work(), (body) => body.replace(/"(user_id|id)":("?\d+"?)/g, '"$1":{"value":$2}')),
  rate_limit: rateLimitAnswer,
  graph_error: ({ fault: { status, code, subcode, message } }) =>
    graphErrorAnswer({ status, type: 'OAuthException', code, message, ...(subcode === null ? {} : { subcode }) }),
  permission: () => graphErrorAnswer(permissionError()),
  redirect: ({ fault }) => redirectAnswer(fault.location),
}

/** Whether a fault is a complete reply. */
export function isFaultAnswer (name: FaultName): name is Exclude<FaultName, TransportFault> {
  return Object.hasOwn(builders, name)
}

/** Builds the reply of a fault that is a complete reply. */
export function buildFaultAnswer (name: Exclude<FaultName, TransportFault>, call: FaultyCall): Answer {
  return builders[name](call)
}

function denyAnswer ({ platform, request, work }: FaultyCall): Answer {
  const checked = checkAuthorizationRequest(platform.apps, queryText(request))
  return 'request' in checked ? redirectAnswer(buildCancelLocation(checked.request)) : work()
}

function tokenFaultAnswer ({ platform }: FaultyCall, message: string): Answer {
  return tokenErrorAnswer(tokenError(message), platform.switches.tokenErrors)
}

function rateLimitAnswer ({ platform, endpoint, fault }: FaultyCall): Answer {
  if (endpoint === 'authorize') return messageAnswer('Please wait a few minutes before you try again.', 'Too many requests.', 429)
  if (endpoint === 'token') {
    const error = { status: 429, type: 'OAuthRateLimitException', message: tokenMessages.rateLimit }
    return tokenErrorAnswer(error, platform.switches.tokenErrors)
  }
  const answer = graphErrorAnswer(rateLimitError(fault.status))
  return withHeaders(answer, buildUsageHeaders(platform, { percent: 100, minutes: fault.minutes }))
}

// A client that copies members into an object of its own takes these for inherited ones.
function addPrototypeKeys (body: string): string {
  const keys = '"__proto__":{"id":"1","user_id":"1","username":"polluted","polluted":true},"constructor":{"prototype":{"polluted":true}},'
  return body.replace(/^\{("data":\[\{)?/, (opening) => opening + keys)
}

function spoil (answer: Answer, change: (body: string) => string): Answer {
  return { ...answer, body: change(answer.body) }
}

function withHeaders (answer: Answer, headers: Record<string, string>): Answer {
  return { ...answer, headers: { ...answer.headers, ...headers } }
}
