import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify, SignJWT } from 'jose'
import { test } from 'tap'
import { ACTIVATION_MS, AFTERLIFE_MS, createSigningKeys } from '../../src/flows/signing-keys.ts'
import { runUpkeep } from '../../src/flows/renew.ts'
import { updateShop } from '../../src/flows/shops.ts'
import { build, type Built } from '../support/build.ts'
import { logIn, reachHandoff, redeem } from '../support/journey.ts'

const silent = { warn: () => {}, error: () => {} }

async function keySet (built: Built) {
  return (await built.app.inject('/oauth/jwks.json')).json()
}

function userinfo (built: Built, token: string) {
  return built.app.inject({ url: '/oauth/userinfo', headers: { authorization: `Bearer ${token}` } })
}

test('T-37: discovery names the public URL, whatever the request’s headers say', async (t) => {
  const built = await build(t, { publicURL: 'https://login.example/auth', settings: { LEADLATCH_TRUST_PROXY: '127.0.0.1' } })
  const headers = { host: 'evil.test', 'x-forwarded-host': 'evil.test', 'x-forwarded-proto': 'http', forwarded: 'host=evil.test;proto=http' }
  for (const url of [
    '/.well-known/openid-configuration', '/auth/.well-known/openid-configuration',
    '/.well-known/oauth-authorization-server', '/.well-known/oauth-authorization-server/auth'
  ]) {
    const response = await built.app.inject({ url, headers })
    t.equal(response.statusCode, 200, url)
    t.match(response.json(), {
      issuer: 'https://login.example/auth',
      authorization_endpoint: 'https://login.example/auth/oauth/authorize',
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true
    })
    t.notMatch(response.body, 'evil')
  }
})

test('a public URL with a path works whether the proxy strips it or leaves it', async (t) => {
  const built = await build(t, { publicURL: 'https://login.example/auth' })
  for (const prefix of ['', '/auth']) {
    const response = await built.app.inject(`${prefix}/oauth/authorize?client_id=${built.shop.id}&redirect_uri=${encodeURIComponent(built.shop.redirectURI)}&response_type=code&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`)
    t.equal(response.statusCode, 303)
    t.equal(new URL(String(response.headers.location)).searchParams.get('redirect_uri'), 'https://login.example/auth/oauth/callback/instagram')
    t.match(response.cookies[0], { name: /^__Host-/, path: '/' })
  }
})

test('the id_token is signed by a published key and says who came', async (t) => {
  const built = await build(t)
  const { body } = await logIn(built)
  const keys = await keySet(built)
  t.strictSame(keys.keys.map((key: object) => 'd' in key || 'p' in key), [false, false], 'T-36: no private part is published')
  const { payload, protectedHeader } = await jwtVerify(String(body.id_token), createLocalJWKSet(keys), {
    issuer: 'https://login.example', audience: built.shop.id, algorithms: ['RS256'], currentDate: new Date(built.clock.nowMs)
  })
  const persona = built.emulator.control.persona('creator')
  t.match(payload, {
    sub: (body.customer as { id: string }).id,
    nonce: 'shop-nonce',
    name: persona.name,
    preferred_username: persona.username,
    provider: 'instagram',
    provider_user_id: persona.appScopedId
  })
  t.equal(payload.exp, (payload.iat ?? 0) + 300)
  t.equal(protectedHeader.alg, 'RS256')
  t.notOk('email' in payload || 'auth_time' in payload, 'T-34, T-10: nothing is claimed that no provider said')
})

test('a shop may have its id_tokens signed by ES256, and gets no profile claims without the scope', async (t) => {
  const built = await build(t)
  await updateShop(built.parts.database, built.shop.id, { idTokenAlg: 'ES256' })
  const { body } = await logIn(built, { parameters: { scope: 'openid', nonce: undefined } })
  t.equal(decodeProtectedHeader(String(body.id_token)).alg, 'ES256')
  const claims = decodeJwt(String(body.id_token))
  t.notOk('name' in claims || 'preferred_username' in claims || 'nonce' in claims)
})

test('userinfo answers the claims of the login for five minutes', async (t) => {
  const built = await build(t)
  const { body } = await logIn(built)
  const token = String(body.access_token)
  const response = await userinfo(built, token)
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  t.match(response.json(), { sub: (body.customer as { id: string }).id, provider: 'instagram' })
  const posted = await built.app.inject({
    method: 'POST', url: '/oauth/userinfo', payload: `access_token=${token}`, headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })
  t.same(posted.json(), response.json())
  built.clock.advance(300_000)
  t.equal((await userinfo(built, token)).statusCode, 401)
})

test('an access token dies with the customer, and when its code is presented again', async (t) => {
  const built = await build(t)
  const { started, code } = await reachHandoff(built)
  const first = await redeem(built, started, code)
  t.equal((await userinfo(built, String(first.body.access_token))).statusCode, 200)
  await redeem(built, started, code)
  t.equal((await userinfo(built, String(first.body.access_token))).statusCode, 401, 'replayed')
  const { body } = await logIn(built)
  await built.parts.database.run('delete from customers where id = $1', [(body.customer as { id: string }).id])
  t.equal((await userinfo(built, String(body.access_token))).statusCode, 401, 'erased')
})

test('T-32: no kind of token passes for another', async (t) => {
  const built = await build(t)
  const { body } = await logIn(built)
  const { code } = await reachHandoff(built)
  for (const token of [String(body.id_token), built.shop.key, code, 'x', '']) {
    const response = await userinfo(built, token)
    t.equal(response.statusCode, 401, token.slice(0, 12))
    t.match(response.headers['www-authenticate'], /^Bearer realm=/)
  }
  for (const token of [String(body.access_token), String(body.id_token)]) {
    const response = await built.app.inject({ url: '/v1/shop', headers: { authorization: `Bearer ${token}` } })
    t.equal(response.statusCode, 401)
  }
})

test('T-33: a forged id_token is no bearer token', async (t) => {
  const built = await build(t)
  const { body } = await logIn(built)
  const claims = decodeJwt(String(body.id_token))
  const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', jku: 'https://evil.test/jwks' }).sign(new Uint8Array(32))
  t.equal((await userinfo(built, forged)).statusCode, 401)
  t.equal((await userinfo(built, `${Buffer.from('{"alg":"none"}').toString('base64url')}.${forged.split('.')[1]}.`)).statusCode, 401)
})

test('T-36: a signing key is replaced after 90 days; its successor is seen before it signs, and it stays until its last token died', async (t) => {
  const built = await build(t)
  const { parts, clock } = built
  const kidOf = async () => decodeProtectedHeader(String((await logIn(built)).body.id_token)).kid
  const published = async () => (await keySet(built)).keys.filter(({ alg }: { alg: string }) => alg === 'RS256').map(({ kid }: { kid: string }) => kid)
  const first = await kidOf()
  clock.advance(90 * 86_400_000 + 60_001)
  t.equal(await kidOf(), first, 'the new key does not sign yet')
  const both = await published()
  t.equal(both.length, 2)
  clock.advance(ACTIVATION_MS)
  const second = await kidOf()
  t.not(second, first)
  t.same(await published(), both, 'tokens of the old key still verify')
  clock.advance(AFTERLIFE_MS + 1)
  t.same(await published(), [second])
  await runUpkeep(parts, silent)
  t.equal((await parts.database.all("select kid from signing_keys where alg = 'RS256'")).length, 1)
})

test('T-36: the private part of a signing key is sealed at rest and bound to its name', async (t) => {
  const built = await build(t)
  await logIn(built)
  const row = await built.parts.database.get('select private_jwk from signing_keys')
  t.notMatch(String(row?.private_jwk), '"d"')
  await built.parts.database.run("update signing_keys set kid = 'another'")
  await t.rejects(createSigningKeys(built.parts).current('RS256'), { code: 'not_authentic' })
})

test('a client that read the key set before the first login knows the key of its id_token, for either algorithm', async (t) => {
  const built = await build(t)
  const early = createLocalJWKSet(await keySet(built))
  const currentDate = new Date(built.clock.nowMs)
  await jwtVerify(String((await logIn(built)).body.id_token), early, { currentDate })
  await updateShop(built.parts.database, built.shop.id, { idTokenAlg: 'ES256' })
  t.equal((await jwtVerify(String((await logIn(built)).body.id_token), early, { currentDate })).protectedHeader.alg, 'ES256')
})

test('userinfo refuses two access tokens in one request', async (t) => {
  const built = await build(t)
  const token = String((await logIn(built)).body.access_token)
  const response = await built.app.inject({
    method: 'POST', url: '/oauth/userinfo', payload: `access_token=${token}`, headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: `Bearer ${token}` }
  })
  t.match([response.statusCode, response.json()], [400, { error: 'invalid_request' }])
})
