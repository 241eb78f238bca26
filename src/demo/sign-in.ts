import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { AuthorizationResponseError } from 'openid-client'
import type { Leadlatch, Shopper, SignIn } from './leadlatch-client.ts'

/** Where Leadlatch sends people back to. Without a query, since some OpenID Connect libraries drop one. */
export const CALLBACK_PATH = '/auth/callback'

const COOKIE_PREFIX = 'shop_sign_in_'
const MAX_AGE_SECONDS = 15 * 60
const MAX_OPEN_SIGN_INS = 4

type SignInOptions = {
  url: string
  leadlatch: Leadlatch
  log: (line: string) => void
  onSignedIn: (request: FastifyRequest, reply: FastifyReply, shopper: Shopper) => void
}

/**
 * The start of a sign-in and its return. State, nonce and verifier wait in a cookie of this one
 * sign-in, so that it ends only in the browser that began it, and two tabs do not harm each other.
 */
export function registerSignIn (app: FastifyInstance, { url, leadlatch, log, onSignedIn }: SignInOptions): void {
  app.get('/auth/start', async (request, reply) => {
    if (isPrefetch(request)) return reply.code(204).send()
    // Another site's link must not start a sign-in unasked: the checkout shows the button instead.
    if (request.headers['sec-fetch-site'] === 'cross-site') return reply.redirect('/checkout', 303)
    const { location, signIn } = await leadlatch.beginSignIn()
    dropOldest(request, reply)
    reply.setCookie(cookieName(signIn.state), formatSignIn(signIn), { ...cookieOptions, maxAge: MAX_AGE_SECONDS })
    return reply.redirect(location, 303)
  })

  app.get<{ Querystring: Record<string, unknown> }>(CALLBACK_PATH, async (request, reply) => {
    if (isPrefetch(request)) return reply.code(204).send()
    const state = request.query['state']
    const name = cookieName(typeof state === 'string' ? state : '')
    const signIn = parseSignIn(request.cookies[name])
    if (signIn === undefined || signIn.state !== state) return leave(reply, 'other_browser')
    reply.clearCookie(name, cookieOptions)
    try {
      onSignedIn(request, reply, await leadlatch.finishSignIn(new URL(request.url, url), signIn))
      return leave(reply)
    } catch (error) {
      if (error instanceof AuthorizationResponseError && error.error === 'access_denied') return leave(reply, 'denied')
      log(`The sign-in failed: ${error instanceof Error ? error.message : 'unknown'}`)
      return leave(reply, 'failed')
    }
  })
}

// Always a redirect, so that the code is neither in the history nor sent again by a reload; it ends
// in a fragment, so that none from before rides along.
function leave (reply: FastifyReply, notice?: 'denied' | 'other_browser' | 'failed'): FastifyReply {
  return reply.redirect(notice === undefined ? '/checkout#' : `/checkout?notice=${notice}#`, 303)
}

// A shop on https sets `secure` as well, and begins the names with `__Host-`.
const cookieOptions = { path: '/', httpOnly: true, sameSite: 'lax' } as const

function cookieName (state: string): string {
  return COOKIE_PREFIX + state.slice(0, 8).replace(/[^\w-]/g, '')
}

function formatSignIn ({ state, nonce, codeVerifier }: SignIn): string {
  return [state, nonce, codeVerifier].join('.')
}

function parseSignIn (value: string | undefined): SignIn | undefined {
  const [state, nonce, codeVerifier] = (value ?? '').split('.')
  if (state === undefined || nonce === undefined || codeVerifier === undefined) return undefined
  return { state, nonce, codeVerifier }
}

// Sign-ins that nobody finished must not fill the browser's cookie jar.
function dropOldest (request: FastifyRequest, reply: FastifyReply): void {
  const open = Object.keys(request.cookies).filter((name) => name.startsWith(COOKIE_PREFIX))
  for (const name of open.slice(0, Math.max(0, open.length - MAX_OPEN_SIGN_INS + 1))) reply.clearCookie(name, cookieOptions)
}

function isPrefetch (request: FastifyRequest): boolean {
  return /\bprefetch\b/.test(String(request.headers['sec-purpose'] ?? ''))
}
