import t from 'tap'
import { buildApps } from '../../src/emulator/apps.ts'
import { saveRequest } from '../../src/emulator/credentials.ts'
import { buildPlatform } from '../../src/emulator/platform.ts'
import { readJSON, redeem, redirectURI, start } from './support/emulator.ts'

t.test('the list of calls is bounded and keeps the newest; the counts stay exact', async (t) => {
  const { calls } = buildPlatform(buildApps(), () => 0)
  for (let index = 0; index < 200_000; index += 1) calls.open('me')
  calls.open('token')
  t.equal(calls.list().length, 100_001)
  t.equal(calls.list().at(-1)?.endpoint, 'token')
  t.equal(calls.count('me'), 200_000)
})

t.test('what is waiting is bounded and keeps the newest', async (t) => {
  const platform = buildPlatform(buildApps(), () => 0)
  const request = { flavour: 'instagram' as const, redirectURI, scopes: [], encodedState: null }
  const oldest = saveRequest(platform, request)
  for (let index = 1; index < 500_000; index += 1) saveRequest(platform, request)
  t.ok(platform.requests.has(oldest))
  const newest = saveRequest(platform, request)
  t.equal(platform.requests.size, 250_001)
  t.notOk(platform.requests.has(oldest))
  t.ok(platform.requests.has(newest))
})

t.test('a body beyond the limit is refused in the envelope of its endpoint', async (t) => {
  const emulator = await start(t)
  const response = await redeem(emulator, 'x'.repeat(100_000))
  t.equal(response.status, 400)
  t.match(await readJSON(response), { error_type: 'OAuthException', code: 400 })
})
