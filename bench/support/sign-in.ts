import { performance } from 'node:perf_hooks'
import { Pool } from 'undici'
import type { Contestant } from './contestants.ts'
import { authorizationCodeOf } from './instant-provider.ts'
import type { Load } from './rounds.ts'
import { summarize } from './statistics.ts'

export const REDIRECT_URI = 'https://shop.example/callback'

/** The shop in whose name the driver signs people in. */
export type DriverShop = { shopId: string, key: string }

// One verifier for all: to make it anew would cost the driver, and a contestant cannot tell.
const CODE_VERIFIER = 'dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk'
const CODE_CHALLENGE = 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

/**
 * One whole login: the authorization endpoint, the provider's answer in the same browser, the shop's
 * server redeeming the handoff code. The body of the token reply.
 * @throws {Error} when a hop is not answered as it must be
 */
export async function signIn (pool: Pool, shop: DriverShop, person: number): Promise<string> {
  const start = await pool.request({ method: 'GET', path: authorizePath(shop) })
  await start.body.dump()
  const state = parameterOf(start.statusCode, start.headers.location, 'state')
  const cookie = String(start.headers['set-cookie']).split(';', 1)[0] ?? ''

  const path = `/oauth/callback/instagram?code=${authorizationCodeOf(person)}&state=${state}`
  const callback = await pool.request({ method: 'GET', path, headers: { cookie } })
  await callback.body.dump()
  const code = parameterOf(callback.statusCode, callback.headers.location, 'code')

  const form = `grant_type=authorization_code&code=${code}&redirect_uri=${encodeURIComponent(REDIRECT_URI)}&code_verifier=${
    CODE_VERIFIER}&client_id=${shop.shopId}&client_secret=${shop.key}`
  const redemption = await pool.request({ method: 'POST', path: '/oauth/token', headers: FORM, body: form })
  const reply = await redemption.body.text()
  if (redemption.statusCode !== 200) throw new Error(`The redemption was answered with ${redemption.statusCode}: ${reply.slice(0, 200)}`)
  return reply
}

/**
 * Logins of people who were never seen before, so many at once, each with a cookie of its own.
 * @param options.firstPerson the numbers go up from here
 * @param options.until a time in seconds, or a number of logins
 * @throws {Error} when one fails
 */
export async function runLogins (contestant: Contestant, shop: DriverShop, options: {
  firstPerson: number, concurrency: number, until: { seconds: number } | { logins: number }
}): Promise<Load> {
  const { firstPerson, concurrency, until } = options
  const pool = new Pool(contestant.address, { connections: concurrency })
  const latenciesMs: number[] = []
  const startedMs = performance.now()
  let started = 0
  const isOver = 'seconds' in until
    ? () => performance.now() - startedMs >= until.seconds * 1000
    : () => started >= until.logins
  await Promise.all(Array.from({ length: concurrency }, async () => {
    while (!isOver()) {
      const beganMs = performance.now()
      await signIn(pool, shop, firstPerson + started++)
      latenciesMs.push(performance.now() - beganMs)
    }
  }))
  const elapsedMs = performance.now() - startedMs
  await pool.close()
  return { done: latenciesMs.length, elapsedMs, latency: summarize(latenciesMs) }
}

function authorizePath ({ shopId }: DriverShop): string {
  return `/oauth/authorize?response_type=code&client_id=${shopId}&redirect_uri=${encodeURIComponent(REDIRECT_URI)}` +
    `&state=xyzABC123xyzABC123xyzABC123&scope=profile%20email&code_challenge=${CODE_CHALLENGE}&code_challenge_method=S256`
}

// Left as it stands in the address: it goes into the next one as it is.
function parameterOf (status: number, location: string | string[] | undefined, name: string): string {
  const value = new RegExp(`[?&]${name}=([^&#]+)`).exec(String(location))?.[1]
  if (status !== 303 || value === undefined) throw new Error(`A hop was answered with ${status} and no ${name}.`)
  return value
}
