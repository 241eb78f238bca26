import * as client from 'openid-client'
import { isObject } from '../json.ts'

const SCOPE = 'openid profile email'
const TIMEOUT_MS = 25_000

/** What the shop has to remember of a sign-in, in the browser that began it, until it comes back. */
export type SignIn = { state: string, nonce: string, codeVerifier: string }

/** Who has signed in. `customerId` is the `sub` of the ID token, and the id of the customer's REST resource. */
export type Shopper = { customerId: string, username: string | null, name: string | null }

/** What the shop tells Leadlatch about a customer. */
export type CustomerReport = { external_id: string, email: string, email_source: 'typed', name?: string }

/** A shop's connection to Leadlatch: a plain OpenID Connect client, and two calls of the REST API. */
export type Leadlatch = {
  beginSignIn: () => Promise<{ location: string, signIn: SignIn }>
  /** @throws what openid-client throws: a denial, an answer that does not belong to this sign-in, a failed redemption */
  finishSignIn: (currentURL: URL, signIn: SignIn) => Promise<Shopper>
  reportCustomer: (customerId: string, report: CustomerReport) => Promise<void>
  /** The newest leads, as the API answers them. */
  listLeads: () => Promise<Record<string, unknown>[]>
}

/**
 * Connects a shop by its connection string, `http://SHOP_ID:llk_KEY@HOST`: reads the service's own
 * description of itself (OpenID Connect Discovery) and needs no other setting.
 * @param options.fetch reaches the service; the demo's knows the names of this machine
 */
export async function connectToLeadlatch ({ connection, redirectURI, fetch }: {
  connection: string, redirectURI: string, fetch: client.CustomFetch
}): Promise<Leadlatch> {
  const { issuer, clientId, key } = parseConnection(connection)
  const configuration = await client.discovery(issuer, clientId, key, client.ClientSecretBasic(key), {
    // Plain http only where the connection string says so, which Leadlatch allows on loopback alone.
    execute: issuer.protocol === 'http:' ? [client.allowInsecureRequests] : [],
    [client.customFetch]: fetch
  })

  async function callAPI (method: string, path: string, body: object | null): Promise<unknown> {
    const response = await fetch(issuer.href.replace(/\/$/, '') + path, {
      method,
      headers: { authorization: `Bearer ${key}`, accept: 'application/json', ...(body && { 'content-type': 'application/json' }) },
      body: body === null ? undefined : JSON.stringify(body),
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
    if (!response.ok) throw new Error(`Leadlatch answered ${method} ${path} with status ${response.status}.`)
    return response.json()
  }

  return {
    beginSignIn: () => beginSignIn(configuration, redirectURI),
    finishSignIn: (currentURL, signIn) => finishSignIn(configuration, currentURL, signIn),
    async reportCustomer (customerId, report) {
      await callAPI('PATCH', `/v1/customers/${encodeURIComponent(customerId)}`, report)
    },
    async listLeads () {
      const answer = await callAPI('GET', '/v1/leads?limit=50', null)
      return isObject(answer) && Array.isArray(answer['data']) ? answer['data'].filter(isObject) : []
    }
  }
}

async function beginSignIn (configuration: client.Configuration, redirectURI: string): Promise<{ location: string, signIn: SignIn }> {
  const signIn = { state: client.randomState(), nonce: client.randomNonce(), codeVerifier: client.randomPKCECodeVerifier() }
  const location = client.buildAuthorizationUrl(configuration, {
    redirect_uri: redirectURI,
    scope: SCOPE,
    state: signIn.state,
    nonce: signIn.nonce,
    code_challenge: await client.calculatePKCECodeChallenge(signIn.codeVerifier),
    code_challenge_method: 'S256',
    provider: 'instagram'
  })
  return { location: location.href, signIn }
}

async function finishSignIn (configuration: client.Configuration, currentURL: URL, signIn: SignIn): Promise<Shopper> {
  const tokens = await client.authorizationCodeGrant(configuration, currentURL, {
    pkceCodeVerifier: signIn.codeVerifier,
    expectedState: signIn.state,
    expectedNonce: signIn.nonce
  })
  const subject = tokens.claims()?.sub
  if (subject === undefined) throw new Error('The answer has no ID token.')
  const { preferred_username: username, name } = await client.fetchUserInfo(configuration, tokens.access_token, subject)
  return { customerId: subject, username: username ?? null, name: name ?? null }
}

function parseConnection (connection: string): { issuer: URL, clientId: string, key: string } {
  const issuer = new URL(connection)
  const [clientId, key] = [decodeURIComponent(issuer.username), decodeURIComponent(issuer.password)]
  issuer.username = issuer.password = ''
  if (clientId === '' || key === '') throw new Error('A connection string has the form https://SHOP_ID:llk_KEY@HOST.')
  return { issuer, clientId, key }
}
