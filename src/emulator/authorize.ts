import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { redirectAnswer, type Answer } from './answer.ts'
import { buildCancelLocation, buildSuccessLocation, checkAuthorizationRequest } from './authorization-request.ts'
import { consentAnswer } from './consent-page.ts'
import { issueCode, saveRequest } from './credentials.ts'
import { answerCall } from './endpoint.ts'
import { flavours } from './flavours.ts'
import { bodyText, findCookie, queryText } from './incoming.ts'
import { messageAnswer, unavailableAnswer } from './page.ts'
import { isPersonal, type Persona } from './personas.ts'
import type { AuthorizationRequest, Platform } from './platform.ts'

const browserCookie = 'emulator_browser'

/** Which of Instagram's two hosts a path stands for. Only Basic Display still answers on `api`. */
export type AuthorizationHost = 'www' | 'api'

/** The authorization window and its decision, under the prefix of one host. */
export function registerAuthorize (app: FastifyInstance, platform: Platform, host: AuthorizationHost): void {
  app.get(`/${host}/oauth/authorize`, (request, reply) =>
    answerCall({ platform, endpoint: 'authorize', request, reply }, () => answerAuthorize(platform, host, request)))
  app.post(`/${host}/oauth/authorize/decision`, (request, reply) =>
    answerCall({ platform, endpoint: 'decision', request, reply }, () => answerDecision(platform, request)))
}

function answerAuthorize (platform: Platform, host: AuthorizationHost, incoming: FastifyRequest): Answer {
  const query = queryText(incoming)
  if (host === 'api' && isInstagramApp(platform, query)) return unavailableAnswer()
  const checked = checkAuthorizationRequest(platform.apps, query)
  if ('refusal' in checked) return messageAnswer('Invalid request', `Invalid Request: ${checked.refusal}`)
  const { request } = checked
  const persona = findPersonaWithoutPage(platform, request, incoming)
  if (persona !== undefined) return answerAllowed(platform, request, persona)
  return consentAnswer({
    request,
    requestId: saveRequest(platform, request),
    clientId: platform.apps[request.flavour].clientId,
    personas: platform.personas.values(),
  })
}

function isInstagramApp (platform: Platform, query: string): boolean {
  return new URLSearchParams(query).get('client_id') === platform.apps.instagram.clientId
}

function findPersonaWithoutPage (platform: Platform, request: AuthorizationRequest, incoming: FastifyRequest): Persona | undefined {
  const { instant, remember } = platform.switches
  if (instant !== null) return platform.personas.get(instant)
  if (!remember || asksForCredentials(incoming)) return undefined
  const browser = findCookie(incoming, browserCookie)
  if (browser === undefined) return undefined
  return platform.personas.get(platform.remembered.get(rememberKey(platform, request, browser)) ?? '')
}

function asksForCredentials (incoming: FastifyRequest): boolean {
  const query = new URLSearchParams(queryText(incoming))
  return [query.get('force_reauth'), query.get('force_authentication')].some((value) => value === 'true' || value === '1')
}

function answerDecision (platform: Platform, incoming: FastifyRequest): Answer {
  const form = new URLSearchParams(bodyText(incoming))
  const request = platform.requests.get(form.get('request') ?? '')
  if (request === undefined) return messageAnswer('This request has expired', 'Go back to the app and start again.')
  if (form.get('decision') === 'cancel') return redirectAnswer(buildCancelLocation(request))
  const persona = platform.personas.get(form.get('persona') ?? '')
  if (form.get('decision') !== 'allow' || persona === undefined) {
    return messageAnswer('Choose an account', 'Go back, choose an account, and allow or cancel.')
  }
  const answer = answerAllowed(platform, request, persona)
  return platform.switches.remember && answer.status === 302
    ? rememberBrowser(platform, request, persona, incoming, answer)
    : answer
}

function answerAllowed (platform: Platform, request: AuthorizationRequest, persona: Persona): Answer {
  if (isPersonal(persona) && !flavours[request.flavour].admitsPersonal) {
    // The platform leaves personal accounts here: the app never hears of them.
    return messageAnswer('You need a professional account', 'This app works with business and creator accounts only. Switch to a professional account in the app settings and try again.', 200)
  }
  return redirectAnswer(buildSuccessLocation(request, issueCode(platform, request, persona.id)))
}

function rememberBrowser (platform: Platform, request: AuthorizationRequest, persona: Persona, incoming: FastifyRequest, answer: Answer): Answer {
  const browser = findCookie(incoming, browserCookie) ?? randomUUID()
  platform.remembered.set(rememberKey(platform, request, browser), persona.id)
  return { ...answer, headers: { ...answer.headers, 'set-cookie': `${browserCookie}=${browser}; Path=/; HttpOnly; SameSite=Lax` } }
}

function rememberKey (platform: Platform, request: AuthorizationRequest, browser: string): string {
  return `${browser} ${platform.apps[request.flavour].clientId}`
}
