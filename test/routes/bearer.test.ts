import Fastify from 'fastify'
import { test } from 'tap'
import { API_KEY_SCOPES, type APIKeyScope } from '../../src/flows/api-keys.ts'
import { requireBearer } from '../../src/routes/bearer.ts'
import { problem } from '../../src/routes/problem.ts'
import { revokeKey } from '../../src/store/shops.ts'
import { sendRaw } from '../support/raw-request.ts'
import { buildParts, buildRest, seedLogin, seedShop } from '../support/rest.ts'

test('a request without a key is told the scheme and no error', async (t) => {
  const { app } = await buildRest(t, await buildParts(t))
  for (const authorization of [undefined, 'Basic c2hvcDpsbGtfeA==', 'Bearer', 'llk_x', 'Bearer a b']) {
    const response = await app.inject({ url: '/v1/shop', headers: authorization === undefined ? {} : { authorization } })
    t.equal(response.statusCode, 401, String(authorization))
    t.equal(response.headers['www-authenticate'], 'Bearer realm="leadlatch"')
    t.match(response.json(), { code: 'unauthorized', status: 401, title: 'Unauthorized' })
  }
})

test('T-32: a wrong key, an access token or an id_token is an invalid token', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { key } = await seedShop(parts)
  const last = key.endsWith('A') ? 'E' : 'A'
  for (const token of ['x', `${key}A`, key.slice(0, -1) + last, key.toUpperCase(), 'eyJhbGciOiJSUzI1NiJ9.e30.c2ln', parts.vault.seal('access-token', '', '{}')]) {
    const response = await app.inject({ url: '/v1/shop', headers: { authorization: `Bearer ${token}` } })
    t.equal(response.statusCode, 401)
    t.equal(response.headers['www-authenticate'], 'Bearer realm="leadlatch", error="invalid_token"')
    t.notMatch(response.payload, token === 'x' ? 'llk_' : token)
  }
})

test('T-28: a revoked key is refused at the next request, on a connection that lives on', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { headers, keyId } = await seedShop(parts)
  t.equal((await app.inject({ url: '/v1/shop', headers })).statusCode, 200)
  await revokeKey(parts.database, keyId, parts.now())
  t.equal((await app.inject({ url: '/v1/shop', headers })).statusCode, 401)
})

test('a request with two Authorization headers is refused', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { key } = await seedShop(parts)
  const { status, body } = await sendRaw(app, { path: '/v1/shop', headers: { Authorization: [`Bearer ${key}`, 'Bearer other'] } })
  t.equal(status, 400)
  t.match(body, 'two Authorization headers')
})

test('T-46: every route answers a key with its scope and refuses every other', async (t) => {
  const parts = await buildParts(t)
  const { app, routes } = await buildRest(t, parts)
  const { shopId } = await seedShop(parts)
  const id = await seedLogin(parts, shopId)
  const guarded = routes.filter(({ url }) => url.startsWith('/v1/'))
  t.ok(guarded.length >= 8)
  for (const only of API_KEY_SCOPES) {
    const { headers } = await seedShop(parts, { url: `https://${only.replace(':', '-')}.example`, scopes: [only] })
    for (const { method, url, scope } of guarded) {
      const path = url.replace(':id', id).replace(':provider', 'instagram') + (url.endsWith('/export') ? '?format=csv' : '')
      const response = await app.inject({ method: method as 'GET', url: path, headers, ...(method === 'PATCH' && { payload: {} }) })
      const isAllowed = scope === 'any' || scope === only
      t.equal(response.statusCode === 403, !isAllowed, `${only} at ${method} ${url}: ${response.statusCode}`)
      if (isAllowed) t.not(response.statusCode, 401)
      else if (method !== 'HEAD') t.equal(response.headers['www-authenticate'], `Bearer realm="leadlatch", error="insufficient_scope", scope="${scope}"`)
    }
  }
})

test('T-46: each spelling of a route asks for a key with the scope, or is no route', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { shopId, key } = await seedShop(parts, { scopes: ['login'] })
  const id = await seedLogin(parts, shopId)
  const spellings = ['/v1/leads', '//v1/leads', '/v1//leads', '/%761/leads', '/v1/%6ceads', '/v1%2fleads', '/v1/leads/', '/v1/leads;x', '/v1;x/leads',
    '/V1/leads', '/v1/LEADS', '/v1/./leads', '/v1/x/../leads', '/v1/leads%00', '/v1/leads?', '/v1/leads#', '/v1/leads.json', '/v1\\leads', '/v1/leads%20',
    `/v1/customers/${id}`, `/v1/customers//${id}`, `/v1/customers/${id}/`, `/v1/customers/${id}/tokens/instagram`, `/v1/customers/${id}/%74okens/instagram`]
  for (const path of spellings) {
    for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST']) {
      const without = await sendRaw(app, { path, method })
      t.ok([400, 401, 404].includes(without.status), `${method} ${path} without a key: ${without.status}`)
      const lacking = await sendRaw(app, { path, method, headers: { authorization: `Bearer ${key}` } })
      t.ok([400, 403, 404].includes(lacking.status), `${method} ${path} without the scope: ${lacking.status}`)
    }
  }
})

for (const [name, config] of [['no scope', undefined], ['a scope that there is not', { scope: 'leads:all' as APIKeyScope }]] as const) {
  test(`T-46: a route that declares ${name} fails at registration`, async (t) => {
    const parts = await buildParts(t)
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(problem)
    await t.rejects(async () => app.register(async (api) => {
      requireBearer(api, parts)
      api.get('/v1/forgotten', config === undefined ? {} : { config }, async () => ({}))
    }), { message: 'The route GET /v1/forgotten declares no scope.' })
  })
}

test('every answer of the API is no-store, errors too, and grants no other origin anything', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { headers } = await seedShop(parts)
  const requests = ['/v1/shop', '/v1/leads', '/v1/leads?x=1', '/v1/leads/export?format=csv', '/v1/customers/none', '/v1/nothing']
  for (const url of requests) {
    for (const sent of [headers, {}]) {
      const response = await app.inject({ url, headers: { ...sent, origin: 'https://evil.example' } })
      t.equal(response.headers['cache-control'], 'no-store', url)
      t.equal(response.headers['access-control-allow-origin'], undefined)
    }
  }
})
