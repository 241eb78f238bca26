import fc from 'fast-check'
import { test } from 'tap'
import { buildAuthorizationResponse, parseAuthorizationRequest } from '../../src/oauth/authorization.ts'
import { parseParameters } from '../../src/oauth/parameters.ts'

const client = { clientId: 'shop', redirectURI: 'https://shop.example/cb', requiresPKCE: false }

test('a response reads back as it was built, whatever the state, and ends in a fragment of its own', async (t) => {
  fc.assert(fc.property(fc.string({ unit: 'grapheme' }), fc.boolean(), (state, hasQuery) => {
    const redirectURI = hasQuery ? 'https://shop.example/?leadlatch=callback' : 'https://shop.example/cb'
    const url = new URL(buildAuthorizationResponse(redirectURI, { code: 'c', state, iss: 'https://login.example' }))
    return url.href.startsWith(redirectURI) && url.href.endsWith('#') && url.searchParams.get('state') === state.toWellFormed() &&
      url.searchParams.get('leadlatch') === (hasQuery ? 'callback' : null)
  }))
  t.pass()
})

test('scopes that we don’t know are ignored, none that we know means profile', async (t) => {
  const scopesOf = (scope: string) => parseAuthorizationRequest(parseParameters(`response_type=code&${scope}`), client).scopes
  t.same(scopesOf('scope=openid+offline_access+email'), ['openid', 'email'])
  t.same(scopesOf('scope=nothing'), ['profile'])
  t.same(scopesOf(''), ['profile'])
})

test('a request keeps state and nonce to the letter', async (t) => {
  const request = parseAuthorizationRequest(parseParameters('response_type=code&state=%22%C3%A9%22&nonce=n%2Bn&prompt=login'), client)
  t.match(request, { state: '"é"', nonce: 'n+n', isReauthenticationRequired: true, provider: null, codeChallenge: null })
})
