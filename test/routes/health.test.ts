import { test } from 'tap'
import { buildParts, buildRest } from '../support/rest.ts'

test('a service whose database answers is live and ready', async (t) => {
  const { app } = await buildRest(t, await buildParts(t))
  for (const url of ['/health/live', '/health/ready']) {
    const response = await app.inject(url)
    t.equal(response.statusCode, 200)
    t.strictSame(response.json(), { status: 'ok' })
    t.equal(response.headers['cache-control'], 'no-store')
  }
})

test('a service whose database is closed is live but not ready', async (t) => {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  await parts.database.close()
  t.equal((await app.inject('/health/live')).statusCode, 200)
  const response = await app.inject('/health/ready')
  t.equal(response.statusCode, 503)
  t.match(response.json(), { code: 'not_ready', status: 503 })
  t.match(response.headers['retry-after'], /^\d+$/)
})
