import { test, type Test } from 'tap'
import { createUpkeep, runUpkeep } from '../../src/flows/renew.ts'
import { addKey } from '../../src/flows/shops.ts'
import type { APIKeyScope } from '../../src/flows/api-keys.ts'
import { build, type Built } from '../support/build.ts'
import { logIn } from '../support/journey.ts'

const DAY_MS = 24 * 3_600_000
const silent = { warn: () => {}, error: () => {} }

async function open (t: Test, scopes: APIKeyScope[] = ['tokens:write', 'leads:read', 'tokens:read']) {
  const built = await build(t)
  const { body } = await logIn(built)
  const customerId = String(Object(body['customer']).id)
  const { id: keyId, key } = await addKey(built.parts.database, { shopId: built.shop.id, scopes, nowMs: built.clock.nowMs })
  const headers = { authorization: `Bearer ${key}` }
  const ask = (method: 'GET' | 'POST' | 'DELETE', path: string) => built.app.inject({ method, url: `/v1/customers/${customerId}/tokens${path}`, headers })
  built.emulator.control.resetCalls()
  return { ...built, built, customerId, keyId, headers, ask }
}

function audited ({ parts }: Built): Promise<unknown> {
  return parts.database.all('select actor, action, customer_id from audit_entries order by id')
}

test('a refresh on request lengthens the life now, is recorded, and shows the state but never the token', async (t) => {
  const { built, ask, clock, emulator, keyId, customerId } = await open(t)
  clock.advance(2 * DAY_MS)
  const response = await ask('POST', '/instagram/refresh')
  t.equal(response.statusCode, 200)
  t.match(response.json(), { provider: 'instagram', status: 'active', reason: null, obtained_at: new Date(clock.nowMs).toISOString() })
  t.notMatch(response.payload, 'IGAA')
  t.equal(response.headers['cache-control'], 'no-store')
  t.equal(emulator.control.count('refresh'), 1)
  t.strictSame(await audited(built), [{ actor: `key:${keyId}`, action: 'token.refresh', customer_id: customerId }])
  await runUpkeep(built.parts, silent)
  t.equal(emulator.control.count('refresh'), 1, 'upkeep finds nothing left to do')
})

test('what stands in the way of a refresh is said, and the provider is not asked in vain', async (t) => {
  const { ask, clock, emulator, parts } = await open(t)
  t.match((await ask('POST', '/instagram/refresh')).json(), { status: 409, code: 'too_young' })
  clock.advance(61 * DAY_MS)
  t.match((await ask('POST', '/instagram/refresh')).json(), { status: 409, code: 'reconnect_needed' })
  await parts.database.run("update tokens set revoked_at_ms = 1, revoked_reason = 'checkpoint' where 1 = 1")
  t.match((await ask('POST', '/instagram/refresh')).json(), { status: 409, code: 'reconnect_needed' })
  t.match((await ask('GET', '')).json(), { data: [{ status: 'revoked', reason: 'checkpoint' }] })
  await parts.database.run("update identities set provider_app_id = '999' where 1 = 1")
  t.match((await ask('POST', '/instagram/refresh')).json(), { status: 409, code: 'refresh_unsupported' })
  t.equal(emulator.control.count('refresh'), 0)
})

test('a provider that is down, limits or refuses answers 503 with Retry-After, and the token stays', async (t) => {
  const { ask, clock, emulator } = await open(t)
  clock.advance(2 * DAY_MS)
  emulator.control.fault('refresh', 'html500', 1)
  const down = await ask('POST', '/instagram/refresh')
  t.match([down.statusCode, down.json(), down.headers], [503, { code: 'provider_unavailable' }, { 'retry-after': '60' }])
  emulator.control.fault('refresh', { name: 'graph_error', code: 9999 }, 1)
  t.match((await ask('POST', '/instagram/refresh')).json(), { status: 503, code: 'provider_refused' })
  emulator.control.fault('refresh', { name: 'rate_limit', status: 403, minutes: 5 }, 1)
  const limited = await ask('POST', '/instagram/refresh')
  t.match([limited.statusCode, limited.json()], [503, { code: 'provider_unavailable' }])
  t.ok(Number(limited.headers['retry-after']) >= 300)
  const calls = emulator.control.count('refresh')
  t.equal((await ask('POST', '/instagram/refresh')).statusCode, 503)
  t.equal(emulator.control.count('refresh'), calls, 'not asked during the block')
  t.match((await ask('GET', '')).json(), { data: [{ status: 'active' }] })
})

test('a token that turns out to be dead is told so, with the reason in its state', async (t) => {
  const { ask, clock, emulator } = await open(t)
  clock.advance(2 * DAY_MS)
  emulator.control.revoke('creator', 458)
  t.match((await ask('POST', '/instagram/refresh')).json(), { status: 409, code: 'reconnect_needed' })
  t.match((await ask('GET', '')).json(), { data: [{ status: 'revoked', reason: 'app_removed' }] })
})

test('T-64: two replicas, a timer and manual calls at once are one call at the provider', async (t) => {
  const { built, ask, clock, emulator, parts } = await open(t)
  clock.advance(40 * DAY_MS)
  await parts.database.run("update tokens set work = 'refresh', provider = 'instagram', due_at_ms = 0 where work = 'plan'")
  emulator.control.fault('refresh', { name: 'slow', ms: 100 })
  const upkeeps = [createUpkeep(built.parts, silent), createUpkeep(built.parts, silent)]
  const [, , ...answers] = await Promise.all([
    ...upkeeps.map((upkeep) => upkeep.run().then(() => undefined)),
    ...Array.from({ length: 4 }, () => ask('POST', '/instagram/refresh'))
  ])
  t.equal(emulator.control.count('refresh'), 1)
  for (const answer of answers) {
    t.ok(answer?.statusCode === 200 || answer?.json().code === 'refresh_in_progress')
  }
})

test('a token is forgotten for good: the identity stays, its status is none, and the record tells who did it', async (t) => {
  const { built, ask, keyId, customerId, parts } = await open(t)
  const before = await parts.database.get('select updated_at_ms from customers')
  t.match([(await ask('DELETE', '/instagram')).statusCode, (await ask('DELETE', '/instagram')).statusCode], [204, 404])
  t.match((await ask('GET', '')).json(), { data: [{ status: 'none', reason: null, expires_at: null }] })
  t.equal((await ask('GET', '/instagram')).statusCode, 404)
  t.equal((await ask('POST', '/instagram/refresh')).statusCode, 404)
  t.strictSame(await audited(built), [{ actor: `key:${keyId}`, action: 'token.forget', customer_id: customerId }])
  t.ok(Number((await parts.database.get('select updated_at_ms from customers'))?.['updated_at_ms']) > Number(before?.['updated_at_ms']))
  await logIn(built)
  t.match((await ask('GET', '')).json(), { data: [{ status: 'active' }] })
})

test('both need tokens:write, an account of that customer, and a customer of that shop', async (t) => {
  const reader = await open(t, ['tokens:read', 'leads:read', 'leads:write'])
  for (const [method, path] of [['POST', '/instagram/refresh'], ['DELETE', '/instagram']] as const) {
    t.match((await reader.ask(method, path)).json(), { status: 403, code: 'insufficient_scope' })
  }
  const writer = await open(t)
  const stranger = await writer.built.addShop({ url: 'https://other.example', redirectURIs: ['https://other.example/cb'] })
  const foreign = await addKey(writer.parts.database, { shopId: stranger.id, scopes: ['tokens:write'], nowMs: writer.clock.nowMs })
  for (const [method, path] of [['POST', '/instagram/refresh'], ['DELETE', '/instagram']] as const) {
    t.equal((await writer.ask(method, path.replace('instagram', 'facebook'))).statusCode, 404)
    t.equal((await writer.ask(method, `${path}?provider_user_id=1`)).statusCode, 404)
    t.match((await writer.ask(method, `${path}?who=1`)).json(), { status: 400, member: 'who' })
    const url = `/v1/customers/${writer.customerId}/tokens${path}`
    t.equal((await writer.app.inject({ method, url, headers: { authorization: `Bearer ${foreign.key}` } })).statusCode, 404)
  }
  t.equal((await writer.ask('GET', '/instagram')).statusCode, 200, 'nothing was changed by any of these')
})
