import { test } from 'tap'
import { buildParts, buildRest, seedShop } from '../support/rest.ts'

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
