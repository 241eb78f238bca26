import type { FastifyInstance, FastifyRequest } from 'fastify'
import { jsonAnswer, type Answer } from './answer.ts'
import { findApp, type RegisteredApp } from './apps.ts'
import { issueToken } from './credentials.ts'
import { answerCall } from './endpoint.ts'
import { tokenError, tokenErrorAnswer, tokenMessages, type TokenError } from './errors.ts'
import { parseForm } from './incoming.ts'
import { readPersona, type AuthorizationCode, type Platform } from './platform.ts'

/** The token endpoint, which turns a code into a short-lived token. */
export function registerToken (app: FastifyInstance, platform: Platform): void {
  app.route({
    method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/api/oauth/access_token',
    handler: (request, reply) =>
      answerCall({ platform, endpoint: 'token', request, reply }, () => answerToken(platform, request)),
  })
}

function answerToken (platform: Platform, request: FastifyRequest): Answer {
  const redeemed = redeemCode(platform, request)
  return 'message' in redeemed
    ? tokenErrorAnswer(redeemed, platform.switches.tokenErrors)
    : jsonAnswer(200, formatTokenReply(platform, redeemed))
}

function redeemCode (platform: Platform, request: FastifyRequest): AuthorizationCode | TokenError {
  if (request.method !== 'POST') return { status: 405, type: 'OAuthException', message: 'Method not allowed' }
  const form = parseForm(request) ?? new URLSearchParams()
  for (const name of ['client_id', 'client_secret', 'grant_type', 'redirect_uri', 'code']) {
    if (!form.get(name)) return tokenError(`Missing required field ${name}`)
  }
  if (form.get('grant_type') !== 'authorization_code') return tokenError('Invalid grant_type')
  const registered = findApp(platform.apps, form.get('client_id'))
  if (registered === undefined) return tokenError(tokenMessages.platformApp)
  // The platform answers a wrong secret with the text about redirect_uri.
  if (form.get('client_secret') !== registered.app.clientSecret) return tokenError(tokenMessages.verification)
  return takeCode(platform, registered, form)
}

function takeCode (platform: Platform, { flavour }: RegisteredApp, form: URLSearchParams): AuthorizationCode | TokenError {
  const text = form.get('code') ?? ''
  const code = platform.codes.get(text)
  if (code === undefined || code.flavour !== flavour) return tokenError(tokenMessages.used)
  if (code.redirectURI !== form.get('redirect_uri')) return tokenError(tokenMessages.verification)
  platform.codes.delete(text)
  return platform.clock.now() < code.expiresAtMs ? code : tokenError(tokenMessages.invalid)
}

// Written as text: a number above 2^53 does not survive JSON.stringify.
function formatTokenReply (platform: Platform, code: AuthorizationCode): string {
  const persona = readPersona(platform, code.personaId)
  const app = platform.apps[code.flavour]
  const usesId = code.flavour === 'instagram' && platform.switches.tokenUserId === 'id'
  const userId = usesId ? persona.appScopedId : persona.userId
  const token = issueToken(platform, code, 'short')
  const hasPermissions = code.flavour === 'instagram'
  if ((platform.switches.replyShape ?? app.replyShape) === 'wrapped') {
    const permissions = hasPermissions ? `,"permissions":${JSON.stringify(code.permissions.join(','))}` : ''
    return `{"data":[{"access_token":"${token}","user_id":"${userId}"${permissions}}]}`
  }
  const permissions = hasPermissions ? `,"permissions":${JSON.stringify(code.permissions)}` : ''
  return `{"access_token":"${token}","user_id":${userId}${permissions}}`
}
