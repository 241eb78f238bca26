import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { beginLogin, chooseProvider, takeAnswer } from '../flows/connect.ts'
import { FLOW_LIFE_MS } from '../flows/flow.ts'
import { type AuthorizationRequest, buildAuthorizationResponse, formatAuthorizationRequest, parseAuthorizationRequest, readState } from '../oauth/authorization.ts'
import { OAuthError } from '../oauth/errors.ts'
import type { Parameters } from '../oauth/parameters.ts'
import { chooseProviderPage } from '../pages/choose-provider.ts'
import { flowErrorPage } from '../pages/flow-error.ts'
import { isInAppBrowser } from '../pages/in-app-browser.ts'
import { unavailablePage } from '../pages/other-errors.ts'
import { requestErrorPage } from '../pages/request-error.ts'
import type { RequestErrorReason } from '../pages/texts.ts'
import type { Parts } from '../parts.ts'
import { findShop, type Shop } from '../store/shops.ts'
import { limitByPeer } from './limit-by-peer.ts'
import { BUSY_RETRY_SECONDS, formParameters, ignorePrefetch, isStoreBusy, queryParameters, refuseOtherMethods, takeForms } from './oauth-requests.ts'

/** The authorization endpoint and the provider callback: what a shopper's browser visits. */
export async function authorizeRoutes (app: FastifyInstance, { parts }: { parts: Parts }): Promise<void> {
  takeForms(app)
  app.addHook('onRequest', ignorePrefetch)
  app.addHook('onRequest', limitByPeer(app, parts, sendPage))
  app.setErrorHandler((error, request, reply) => {
    const status = statusOf(error)
    if (status < 500) return sendPage(reply, status, requestErrorPage({ reason: 'missing_parameter' }))
    request.log.error({ err: error }, 'a login hop failed')
    if (!isStoreBusy(error)) return sendPage(reply, 500, unavailablePage())
    return sendPage(reply.header('retry-after', BUSY_RETRY_SECONDS), 503, unavailablePage())
  })

  app.get('/oauth/authorize', { schema: { hide: true } }, (request, reply) =>
    authorize(parts, reply, queryParameters(request), (shop, authorization) => startFlow(parts, request, reply, shop, authorization)))
  // A POST from the shop's site carries no Lax cookie, so the flows that are open would not be seen: the
  // browser asks again by GET.
  app.post('/oauth/authorize', { schema: { hide: true } }, (request, reply) =>
    authorize(parts, reply, formParameters(request), async (_shop, authorization) => redirect(reply, formatRequestURL(parts, authorization))))
  refuseOtherMethods(app, '/oauth/authorize', ['GET', 'POST'])

  app.get<{ Params: { provider: string } }>('/oauth/callback/:provider', { schema: { hide: true } }, async (request, reply) => {
    const answer = await takeAnswer(parts, {
      providerId: request.params.provider,
      parameters: queryParameters(request),
      cookieHeader: request.headers.cookie
    })
    if (answer.kind === 'redirect') return redirect(reply, answer.location)
    const { reason, shop } = answer
    request.log.info({ reason }, 'a callback was refused')
    return sendPage(reply, 400, flowErrorPage({ reason, shop, isInAppBrowser: isInAppBrowser(request.headers['user-agent']) }))
  })
  refuseOtherMethods(app, '/oauth/callback/:provider', ['GET'])
}

async function authorize (
  parts: Parts, reply: FastifyReply, parameters: Parameters,
  goOn: (shop: Shop, authorization: AuthorizationRequest) => Promise<FastifyReply>
): Promise<FastifyReply> {
  const proven = await proveClient(parts, parameters)
  if ('reason' in proven) {
    reply.log.info({ reason: proven.reason }, 'an authorization request was refused')
    return sendPage(reply, 400, requestErrorPage(proven))
  }
  const { shop, redirectURI } = proven
  try {
    const { id: clientId, requiresPKCE } = shop
    const authorization = parseAuthorizationRequest(parameters, { clientId, redirectURI, requiresPKCE })
    return await goOn(shop, authorization)
  } catch (error) {
    if (!(error instanceof OAuthError)) throw error
    reply.log.info({ shop: shop.id, error: error.code }, 'an authorization request was refused')
    return redirect(reply, buildAuthorizationResponse(redirectURI, {
      error: error.code, error_description: error.description, state: readState(parameters) ?? null, iss: parts.config.publicURL
    }))
  }
}

/** Client and redirect URI come first: until both are proven, no error may be sent anywhere (RFC 6749 4.1.2.1). */
async function proveClient (parts: Parts, parameters: Parameters): Promise<
  { shop: Shop, redirectURI: string } | { reason: RequestErrorReason, parameter?: string }
> {
  const repeated = ['client_id', 'redirect_uri'].find((name) => parameters.isRepeated(name))
  if (repeated !== undefined) return { reason: 'repeated_parameter', parameter: repeated }
  const clientId = parameters.get('client_id')
  if (clientId === undefined) return { reason: 'missing_parameter', parameter: 'client_id' }
  const shop = await findShop(parts.database, clientId)
  if (shop === undefined) return { reason: 'unknown_client' }
  const redirectURI = parameters.get('redirect_uri')
  if (redirectURI === undefined) return { reason: 'missing_parameter', parameter: 'redirect_uri' }
  // Text against text: a parsed URL would make equal what is not (T-01).
  if (!shop.redirectURIs.includes(redirectURI)) return { reason: 'unregistered_redirect_uri' }
  return { shop, redirectURI }
}

async function startFlow (parts: Parts, request: FastifyRequest, reply: FastifyReply, shop: Shop, authorization: AuthorizationRequest): Promise<FastifyReply> {
  const provider = chooseProvider(parts.providers, authorization.provider)
  if (provider === undefined) return sendPage(reply, 200, buildChoice(parts, shop, authorization))
  const { location, cookies } = await beginLogin(parts, { request: authorization, provider, cookieHeader: request.headers.cookie })
  const attributes = {
    path: '/', httpOnly: true, secure: parts.config.publicURL.startsWith('https:'), sameSite: 'lax'
  } as const
  for (const { name, value } of cookies) {
    reply.setCookie(name, value, { ...attributes, maxAge: value === '' ? 0 : FLOW_LIFE_MS / 1000 })
  }
  return redirect(reply, location)
}

function buildChoice (parts: Parts, shop: Shop, request: AuthorizationRequest): string {
  return chooseProviderPage({
    shopName: shop.name,
    choices: Array.from(parts.providers.values(), ({ id, label }) => ({
      id, label, href: formatRequestURL(parts, { ...request, provider: id })
    }))
  })
}

function formatRequestURL ({ config }: Parts, request: AuthorizationRequest): string {
  return `${config.publicURL}/oauth/authorize?${formatAuthorizationRequest(request)}`
}

function statusOf (error: unknown): number {
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  return status >= 400 && status < 500 ? status : 500
}

/** The one way out to another address: one that we built or that is registered. */
function redirect (reply: FastifyReply, location: string): FastifyReply {
  return reply.code(303).header('cache-control', 'no-store').header('location', location).send()
}

function sendPage (reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(page)
}
