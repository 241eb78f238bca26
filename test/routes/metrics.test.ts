import { test } from 'tap'
import { buildParts, buildRest, DAY_MS, seedLogin, seedShop, START_MS } from '../support/rest.ts'

const TOKEN = 'metrics-token-of-the-operator'

test('T-52: without a metrics token there are no metrics, not for loopback and not for any bearer', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { headers } = await seedShop(parts)
  const absent = (await app.inject('/nothing')).json()
  for (const sent of [{}, headers, { authorization: 'Bearer null' }, { authorization: 'Bearer ' }]) {
    const response = await app.inject({ url: '/metrics', headers: sent, remoteAddress: '127.0.0.1' })
    t.equal(response.statusCode, 404)
    t.strictSame({ ...response.json(), request_id: '' }, { ...absent, request_id: '' })
  }
})

test('T-52: with a metrics token the metrics are for its bearer alone', async (t) => {
  const parts = await buildParts(t, { metricsToken: TOKEN })
  const { app } = await buildRest(t, parts)
  const { headers } = await seedShop(parts)
  for (const sent of [{}, headers, { authorization: `Bearer ${TOKEN}x` }, { authorization: `Basic ${TOKEN}` }, { authorization: TOKEN }]) {
    const response = await app.inject({ url: '/metrics', headers: sent, remoteAddress: '127.0.0.1' })
    t.equal(response.statusCode, 401)
    t.match(response.headers['www-authenticate'], /^Bearer /)
  }
  const response = await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${TOKEN}` } })
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], /^text\/plain/)
  t.match(response.payload, /^# HELP leadlatch_logins_total /m)
})

test('the metrics count tokens by status, and those that expire within 1, 7 and 30 days', async (t) => {
  const parts = await buildParts(t, { metricsToken: TOKEN })
  const { app } = await buildRest(t, parts)
  const { shopId } = await seedShop(parts)
  for (const [i, days] of [0.5, 3, 20, 50, -1].entries()) {
    await seedLogin(parts, shopId, { providerUserId: String(i), tokenExpiresAtMs: START_MS + days * DAY_MS })
  }
  const read = async () => (await app.inject({ url: '/metrics', headers: { authorization: `Bearer ${TOKEN}` } })).payload
  const payload = await read()
  for (const line of [
    'leadlatch_tokens{status="active"} 2', 'leadlatch_tokens{status="expiring"} 2', 'leadlatch_tokens{status="expired"} 1', 'leadlatch_tokens{status="revoked"} 0',
    'leadlatch_tokens_expiring{within_days="1"} 1', 'leadlatch_tokens_expiring{within_days="7"} 2', 'leadlatch_tokens_expiring{within_days="30"} 3'
  ]) t.ok(payload.includes(`${line}\n`), line)
  parts.clock.nowMs += 30 * DAY_MS
  t.ok((await read()).includes('leadlatch_tokens{status="expired"} 4\n'), 'counted anew each time')
})
