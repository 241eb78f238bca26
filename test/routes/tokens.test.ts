import { test } from 'tap'
import { buildParts, buildRest, seedLogin, seedShop } from '../support/rest.ts'

test('a token is read with its own scope, unstored by anybody between, and the read is recorded', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { shopId, headers, keyId } = await seedShop(parts, { scopes: ['tokens:read'] })
  const id = await seedLogin(parts, shopId, { providerUserId: '90071992547409931', accessToken: 'IGAA-secret' })
  const response = await app.inject({ url: `/v1/customers/${id}/tokens/instagram`, headers })
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  t.strictSame(response.json(), {
    provider: 'instagram',
    provider_user_id: '90071992547409931',
    access_token: 'IGAA-secret',
    scopes: ['instagram_business_basic'],
    status: 'active',
    obtained_at: '2026-01-15T12:00:00.000Z',
    expires_at: '2026-03-16T12:00:00.000Z'
  })
  t.match(await parts.database.all('select actor, action, customer_id from audit_entries'), [{ actor: `key:${keyId}`, action: 'token.read', customer_id: id }])
  t.equal((await app.inject({ url: `/v1/customers/${id}/tokens/instagram?provider_user_id=90071992547409931`, headers })).statusCode, 200)
  t.equal((await app.inject({ url: `/v1/customers/${id}/tokens/instagram?provider_user_id=90071992547409932`, headers })).statusCode, 404)
  t.match((await app.inject({ url: `/v1/customers/${id}/tokens/instagram?account=1`, headers })).json(), { status: 400, member: 'account' })
  for (const provider of ['facebook', 'constructor', '__proto__', 'INSTAGRAM', 'instagram%2F']) {
    t.equal((await app.inject({ url: `/v1/customers/${id}/tokens/${provider}`, headers })).statusCode, 404, provider)
  }
})

test('no other answer holds a token, sealed or open', async (t) => {
  const parts = await buildParts(t)
  const { app, routes } = await buildRest(t, parts)
  const { shopId, headers } = await seedShop(parts, { scopes: ['leads:read', 'leads:write'] })
  const id = await seedLogin(parts, shopId, { accessToken: 'IGAA-secret' })
  const [{ access_token: sealed } = {}] = await parts.database.all('select access_token from tokens')
  for (const { method, url } of routes.filter((route) => route.url.startsWith('/v1'))) {
    for (const query of ['', '?format=csv', '?format=ndjson', '?format=json', '?username=ana']) {
      const response = await app.inject({ method: method as 'GET', url: url.replace(':id', id).replace(':provider', 'instagram') + query, headers, ...(method === 'PATCH' && { payload: {} }) })
      t.notMatch(response.payload, 'IGAA-secret', url)
      t.notMatch(response.payload, String(sealed), url)
    }
  }
})

test('the state of the tokens is told with leads:read', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { shopId, headers } = await seedShop(parts, { scopes: ['leads:read'] })
  const id = await seedLogin(parts, shopId, { tokenExpiresAtMs: null })
  const response = await app.inject({ url: `/v1/customers/${id}/tokens`, headers })
  t.strictSame(response.json(), {
    data: [{
      provider: 'instagram',
      provider_user_id: '17841400000000001',
      scopes: ['instagram_business_basic'],
      status: 'active',
      reason: null,
      obtained_at: '2026-01-15T12:00:00.000Z',
      expires_at: null
    }]
  })
})
