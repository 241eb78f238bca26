// The smallest shop that signs people in through Leadlatch, with nothing but openid-client.
//
//   leadlatch shop add http://localhost:9000 --redirect-uri http://localhost:9000/auth/callback
//   LEADLATCH_CONNECTION='http://shop_…:llk_…@localhost:8787' node examples/shop.js
//
// then open http://localhost:9000/
import { createServer } from 'node:http'
import * as client from 'openid-client'

const connection = new URL(process.env.LEADLATCH_CONNECTION ?? '')
const origin = process.env.SHOP_URL ?? 'http://localhost:9000'
const redirectURI = `${origin}/auth/callback`

// The connection string is the issuer with client_id and client_secret as user and password.
const issuer = new URL(connection)
issuer.username = issuer.password = ''
const config = await client.discovery(issuer, connection.username, decodeURIComponent(connection.password), undefined, {
  // Plain http is for trying on one machine; leave this out for a real shop.
  execute: issuer.protocol === 'http:' ? [client.allowInsecureRequests] : []
})

const secure = origin.startsWith('https:')
const cookieName = secure ? '__Host-sign-in' : 'sign-in'

async function signIn (response) {
  const [state, nonce, verifier] = [client.randomState(), client.randomNonce(), client.randomPKCECodeVerifier()]
  const url = client.buildAuthorizationUrl(config, {
    redirect_uri: redirectURI,
    scope: 'openid profile',
    state,
    nonce,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256'
  })
  // State and verifier belong to this browser: whoever comes back without the cookie did not begin here.
  const value = [state, nonce, verifier].join('.')
  response.writeHead(303, {
    location: url.href,
    'set-cookie': `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=600${secure ? '; Secure' : ''}`
  }).end()
}

async function finish (request, response) {
  const [, value = ''] = new RegExp(`(?:^|; )${cookieName}=([^;]+)`).exec(request.headers.cookie ?? '') ?? []
  const [expectedState, expectedNonce, pkceCodeVerifier] = value.split('.')
  const tokens = await client.authorizationCodeGrant(config, new URL(request.url, origin), {
    expectedState, expectedNonce, pkceCodeVerifier
  })
  // `customer` is the whole customer; tokens.claims() says who signed in.
  response.setHeader('set-cookie', `${cookieName}=; Path=/; Max-Age=0`)
  response.setHeader('content-type', 'text/plain; charset=utf-8')
  response.end(`Hello @${tokens.claims().preferred_username}, customer ${tokens.customer.id}\n`)
}

createServer(async (request, response) => {
  try {
    if (request.url === '/login') await signIn(response)
    else if (request.url.startsWith('/auth/callback?')) await finish(request, response)
    else response.setHeader('content-type', 'text/html').end('<a href="/login">Continue with Instagram</a>')
  } catch (error) {
    response.writeHead(400, { 'content-type': 'text/plain' }).end(`The sign-in did not work: ${error.error ?? error.code ?? 'try again'}\n`)
  }
}).listen(new URL(origin).port, () => console.log(`The shop is at ${origin}/`))
