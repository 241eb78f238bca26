import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { type Built, createPKCE, type TestShop } from './build.ts'

/** A browser: it keeps cookies of one host and sends them back. */
export type Browser = { cookies: Map<string, string>, header: () => Record<string, string> }

export function openBrowser (): Browser {
  const cookies = new Map<string, string>()
  return {
    cookies,
    header: () => cookies.size === 0 ? {} : { cookie: Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ') }
  }
}

/** Does what a browser does with the Set-Cookie headers of an answer. */
export function keepCookies (browser: Browser, response: LightMyRequestResponse): void {
  for (const { name, value, maxAge } of response.cookies) {
    if (maxAge === 0) browser.cookies.delete(name)
    else browser.cookies.set(name, value)
  }
}

export type Started = {
  browser: Browser
  shop: TestShop
  verifier: string
  response: LightMyRequestResponse
  /** Our state at the provider; empty when the start failed. */
  state: string
}

export type StartOptions = {
  browser?: Browser
  shop?: TestShop
  app?: FastifyInstance
  /** Sent instead of or besides the usual parameters; undefined leaves one out. */
  parameters?: Record<string, string | undefined>
}

/** A shop's own start: the authorization request in a browser. */
export async function start (built: Built, options: StartOptions = {}): Promise<Started> {
  const { browser = openBrowser(), shop = built.shop, app = built.app } = options
  const { verifier, challenge } = createPKCE()
  const parameters = {
    response_type: 'code',
    client_id: shop.id,
    redirect_uri: shop.redirectURI,
    state: 'shop-state',
    scope: 'openid profile email',
    code_challenge: challenge,
    code_challenge_method: 'S256',
    nonce: 'shop-nonce',
    ...options.parameters
  }
  const query = new URLSearchParams(Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined))
  const response = await app.inject({ url: `/oauth/authorize?${query}`, headers: browser.header() })
  keepCookies(browser, response)
  const location = response.headers.location ?? ''
  const state = URL.canParse(String(location)) ? new URL(String(location)).searchParams.get('state') ?? '' : ''
  return { browser, shop, verifier, response, state }
}

/** The address to which the provider sends the browser once the persona has allowed. */
export function approvedURL (built: Built, started: Started, persona = 'creator', provider = 'instagram'): string {
  const redirectURI = `${built.parts.config.publicURL}/oauth/callback/${provider}`
  const code = built.emulator.control.mintCode(persona, {
    redirectURI, flavour: provider === 'instagram' ? 'instagram' : 'basicDisplay'
  })
  return `/oauth/callback/${provider}?${new URLSearchParams({ code, state: started.state })}`
}

/** Loads an address of the service in a browser. */
export async function visit (built: Built, browser: Browser, url: string, app: FastifyInstance = built.app): Promise<LightMyRequestResponse> {
  const response = await app.inject({ url, headers: browser.header() })
  keepCookies(browser, response)
  return response
}

/** The parameters of a redirect. */
export function parametersOf (response: LightMyRequestResponse): URLSearchParams {
  return new URL(String(response.headers.location)).searchParams
}

export type Redeemed = { status: number, headers: LightMyRequestResponse['headers'], body: Record<string, unknown> }

/** The shop's server redeems a handoff code. Members of `form` replace or, undefined, remove the usual ones. */
export async function redeem (built: Built, started: Started, code: string, options: {
  shop?: TestShop, form?: Record<string, string | undefined>, headers?: Record<string, string>, app?: FastifyInstance
} = {}): Promise<Redeemed> {
  const { shop = started.shop, app = built.app } = options
  const form = {
    grant_type: 'authorization_code',
    code,
    redirect_uri: started.shop.redirectURI,
    code_verifier: started.verifier,
    client_id: shop.id,
    client_secret: shop.key,
    ...options.form
  }
  const entries = Object.entries(form).filter((entry): entry is [string, string] => entry[1] !== undefined)
  const response = await app.inject({
    method: 'POST',
    url: '/oauth/token',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...options.headers },
    payload: new URLSearchParams(entries).toString()
  })
  return { status: response.statusCode, headers: response.headers, body: response.json() }
}

/** A login up to the handoff code. */
export async function reachHandoff (built: Built, options: StartOptions & { persona?: string } = {}): Promise<{ started: Started, code: string }> {
  const started = await start(built, options)
  const response = await visit(built, started.browser, approvedURL(built, started, options.persona), options.app)
  return { started, code: parametersOf(response).get('code') ?? '' }
}

/** A whole login. */
export async function logIn (built: Built, options: StartOptions & { persona?: string, form?: Record<string, string> } = {}): Promise<Redeemed> {
  const { started, code } = await reachHandoff(built, options)
  return redeem(built, started, code, { ...(options.form && { form: options.form }) })
}
