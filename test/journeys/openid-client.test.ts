import * as client from 'openid-client'
import { test, type Test } from 'tap'
import { build } from '../support/build.ts'
import { keepCookies, openBrowser } from '../support/journey.ts'
import { freePort } from '../support/process.ts'

// As its documentation shows; over http it has to be told that this is a development server.
async function logInAsDocumented (t: Test, authentication: 'basic' | 'post'): Promise<void> {
  const port = await freePort()
  const issuer = `http://localhost:${port}`
  const built = await build(t, { publicURL: issuer })
  await built.app.listen({ port, host: '127.0.0.1' })
  built.clock.nowMs = Date.now()

  const auth = authentication === 'basic' ? client.ClientSecretBasic(built.shop.key) : client.ClientSecretPost(built.shop.key)
  const config = await client.discovery(new URL(issuer), built.shop.id, undefined, auth, { execute: [client.allowInsecureRequests] })
  const codeVerifier = client.randomPKCECodeVerifier()
  const [state, nonce] = [client.randomState(), client.randomNonce()]
  const authorizationURL = client.buildAuthorizationUrl(config, {
    redirect_uri: built.shop.redirectURI,
    scope: 'openid profile email',
    code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
    code_challenge_method: 'S256',
    state,
    nonce
  })

  built.emulator.control.set({ instant: 'emoji' })
  const browser = openBrowser()
  const start = await built.app.inject(authorizationURL.pathname + authorizationURL.search)
  keepCookies(browser, start)
  const provider = await fetch(String(start.headers.location), { redirect: 'manual' })
  t.match(provider.headers.get('location'), /#_$/, 'the provider adds its fragment')
  const callbackURL = new URL(String(provider.headers.get('location')))
  const back = await built.app.inject({ url: callbackURL.pathname + callbackURL.search, headers: browser.header() })

  const tokens = await client.authorizationCodeGrant(config, new URL(String(back.headers.location)), {
    pkceCodeVerifier: codeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true
  })
  const subject = tokens.claims()?.sub ?? ''
  t.match(subject, /^cus_/)
  const userInfo = await client.fetchUserInfo(config, tokens.access_token, subject)
  t.equal(userInfo.name, built.emulator.control.persona('emoji').name)

  const replayed = await client.authorizationCodeGrant(config, new URL(String(back.headers.location)), {
    pkceCodeVerifier: codeVerifier, expectedState: state, expectedNonce: nonce
  }).catch((error: unknown) => error)
  t.match(replayed, { error: 'invalid_grant' }, 'a replayed code')
}

test('openid-client logs in with client_secret_basic and no special code', (t) => logInAsDocumented(t, 'basic'))

test('openid-client logs in with client_secret_post and no special code', (t) => logInAsDocumented(t, 'post'))
