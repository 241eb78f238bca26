import t from 'tap'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { get, graphURL, mintCode, readJSON, redeem, start } from './support/emulator.ts'

function callMe (emulator: Emulator): Promise<Response> {
  return get(graphURL(emulator, 'me', { access_token: emulator.control.mintToken('creator', { kind: 'short' }) }))
}

function readUsage (response: Response, name: string): unknown {
  const value: unknown = JSON.parse(response.headers.get(name) ?? 'null')
  return value
}

t.test('usage headers come from the given call on', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ usageFrom: 3, usagePercent: 85 })
  for (const expected of [null, null, { call_count: 85 }, { call_count: 85 }]) {
    const response = await callMe(emulator)
    t.equal(response.status, 200)
    t.match(readUsage(response, 'x-app-usage'), expected)
  }
  const response = await callMe(emulator)
  t.match(readUsage(response, 'x-business-use-case-usage'), {
    [emulator.apps.instagram.clientId]: [{ type: 'instagram', call_count: 85, estimated_time_to_regain_access: 0 }],
  })
})

t.test('at 100 percent calls are refused with code 4 under status 403, with minutes to wait', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ usagePercent: 100 })
  const response = await callMe(emulator)
  t.equal(response.status, 403)
  t.match(await readJSON(response), { error: { code: 4 } })
  t.match(readUsage(response, 'x-app-usage'), { call_count: 100 })
  t.match(readUsage(response, 'x-business-use-case-usage'), {
    [emulator.apps.instagram.clientId]: [{ estimated_time_to_regain_access: 19 }],
  })
})

t.test('a limit on demand comes with status 403 or 400 and its minutes', async (t) => {
  const emulator = await start(t)
  for (const status of [403, 400] as const) {
    emulator.control.fault('me', { name: 'rate_limit', status, minutes: 7 }, 1)
    const response = await callMe(emulator)
    t.equal(response.status, status)
    t.match(await readJSON(response), { error: { code: 4 } })
    t.match(readUsage(response, 'x-business-use-case-usage'), {
      [emulator.apps.instagram.clientId]: [{ call_count: 100, estimated_time_to_regain_access: 7 }],
    })
  }
  t.equal((await callMe(emulator)).status, 200)
})

t.test('the token endpoint is limited in its own envelope, with status 429', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('token', 'rate_limit', 1)
  const response = await redeem(emulator, mintCode(emulator))
  t.equal(response.status, 429)
  t.match(await readJSON(response), { error_type: 'OAuthRateLimitException', code: 429 })
})
