import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { buildCallbackURL } from '../flows/connect.ts'
import { type Guide, GUIDE_KEPT_MS, openGuide, takePastedToken } from '../flows/guide.ts'
import { GUIDE_CSP, guideDonePage, guideGonePage, guidePage, guideRefusalPage } from '../pages/guide.ts'
import type { GuideProblemReason, GuideRefusalReason } from '../pages/guide-texts.ts'
import { unavailablePage } from '../pages/other-errors.ts'
import type { Parts } from '../parts.ts'
import { formParameters, ignorePrefetch, refuseOtherMethods, takeForms } from './oauth-requests.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The guided page that a POST was let through for; null elsewhere. */
    guide: Guide | null
  }
}

/** A megabyte that was pasted by mistake, three bytes a character, still gets an answer. */
const BODY_LIMIT_BYTES = 4 * 1024 * 1024

const STATUSES: Readonly<Record<GuideRefusalReason, number>> = {
  unknown: 404, other_browser: 403, cross_site: 403, expired: 410, unavailable: 404
}

const URL_PATTERN = '/guide/:secret'

// Programs that fetch a link to show a preview of it: none may take the link from the person it was sent to.
const PREVIEW = /bot\b|crawler|spider|preview|facebookexternalhit|whatsapp|slack|skypeuripreview|vkshare|embedly|iframely/i

type Visit = { Params: { secret: string } }

/** The guided page behind a one-time link: how to make a token without code, and a form that takes it. */
export async function guideRoutes (app: FastifyInstance, { parts }: { parts: Parts }): Promise<void> {
  takeForms(app)
  app.decorateRequest('guide', null)
  app.addHook('onRequest', ignorePrefetch)
  app.setErrorHandler((error, request, reply) => {
    const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
    const isOurs = !(status >= 400 && status < 500)
    if (isOurs) request.log.error({ err: error }, 'the guided page failed')
    if (request.guide === null) return isOurs ? sendPage(reply, 500, unavailablePage()) : refuse(reply, 'unknown')
    return sendGuide(parts, reply, request.guide, { problem: isOurs ? 'our_fault' : status === 413 ? 'too_long' : 'missing_token' })
  })
  // The one page with a form of its own.
  app.addHook('onRequest', async (_request, reply) => { reply.header('content-security-policy', GUIDE_CSP) })
  const options = { schema: { hide: true } }

  app.get<Visit>(URL_PATTERN, options, async (request, reply) => {
    if (PREVIEW.test(request.headers['user-agent'] ?? '')) return reply.code(204).header('cache-control', 'no-store').send()
    const opened = await openGuide(parts, { secret: request.params.secret, cookieHeader: request.headers.cookie, canBind: true })
    if ('refusal' in opened) return refuse(reply, opened.refusal)
    const { guide, newCookie } = opened
    if (newCookie !== null) {
      reply.setCookie(newCookie.name, newCookie.value, {
        path: '/', httpOnly: true, secure: parts.config.publicURL.startsWith('https:'), sameSite: 'lax', maxAge: GUIDE_KEPT_MS / 1000
      })
    }
    if (guide.result === null) return sendGuide(parts, reply, guide)
    return sendPage(reply, 200, guide.result === 'gone' ? guideGonePage() : guideDonePage(guide.result))
  })

  app.post<Visit>(URL_PATTERN, {
    ...options,
    bodyLimit: BODY_LIMIT_BYTES,
    // Before the body is read: only the browser that opened the link may send us megabytes.
    onRequest: async (request: FastifyRequest<Visit>, reply) => {
      if (!isFromOurPage(request, parts.config.publicURL)) return refuse(reply, 'cross_site')
      const opened = await openGuide(parts, { secret: request.params.secret, cookieHeader: request.headers.cookie, canBind: false })
      if ('refusal' in opened) return refuse(reply, opened.refusal)
      request.guide = opened.guide
    }
  }, async (request, reply) => {
    const { guide } = request
    if (guide === null) return refuse(reply, 'unknown')
    const outcome = await takePastedToken(parts, guide, formParameters(request).get('access_token'), request.log)
    if (outcome !== undefined) return sendGuide(parts, reply, guide, outcome)
    // Back to the page itself, so that a reload shows the result and sends nothing again.
    return reply.code(303).header('cache-control', 'no-store').header('location', `${parts.config.publicURL}/guide/${request.params.secret}`).send()
  })
  refuseOtherMethods(app, URL_PATTERN, ['GET', 'POST'])
}

/**
 * Login CSRF in another dress: a form elsewhere must not have this browser store somebody else's token.
 * Our pages send no referrer, for which browsers send `Origin: null`; then Sec-Fetch-Site must speak.
 */
function isFromOurPage ({ headers }: FastifyRequest<Visit>, publicURL: string): boolean {
  const { origin, 'sec-fetch-site': site } = headers
  const isOriginOurs = origin === new URL(publicURL).origin
  if (origin !== undefined && origin !== 'null' && !isOriginOurs) return false
  return site === undefined ? isOriginOurs : site === 'same-origin'
}

function sendGuide (parts: Parts, reply: FastifyReply, guide: Guide, outcome?: { problem: GuideProblemReason, retryAfterSeconds?: number | null }): FastifyReply {
  const { provider, link, shop } = guide
  if (outcome?.retryAfterSeconds != null) reply.header('retry-after', outcome.retryAfterSeconds)
  return sendPage(reply, outcome === undefined ? 200 : statusOf(outcome.problem), guidePage({
    shopName: shop.name,
    provider,
    appId: provider.appId,
    redirectURI: buildCallbackURL(parts.config.publicURL, provider.id),
    expiresAtMs: link.expiresAtMs
  }, outcome?.problem ?? null))
}

function statusOf (problem: GuideProblemReason): number {
  switch (problem) {
    case 'busy': return 409
    case 'too_long': return 413
    case 'provider_unavailable': return 503
    case 'provider_misconfigured':
    case 'our_fault': return 500
    case 'unknown_shop':
    case 'unknown_provider': return 404
    default: return 400
  }
}

function refuse (reply: FastifyReply, reason: GuideRefusalReason): FastifyReply {
  return sendPage(reply, STATUSES[reason], guideRefusalPage(reason))
}

function sendPage (reply: FastifyReply, status: number, page: string): FastifyReply {
  return reply.code(status).header('cache-control', 'no-store').type('text/html; charset=utf-8').send(page)
}
