import { request } from 'node:http'
import t from 'tap'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { authorizeURL, get, graphURL, post, readJSON, redeem, redirectURI, start } from './support/emulator.ts'

async function act (emulator: Emulator, action: string, input?: object): Promise<Response> {
  const body = input === undefined ? null : JSON.stringify(input)
  return await fetch(`${emulator.url}/emulator/${action}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
}

t.test('the state lists switches, faults, personas and the clock', async (t) => {
  const emulator = await start(t, { now: () => 5 })
  emulator.control.fault('token', 'lost', 2)
  t.match(await readJSON(await get(`${emulator.url}/emulator/state`)), {
    now: 5,
    switches: { remember: false, instant: null },
    faults: [{ endpoint: 'token', fault: { name: 'lost' }, timesLeft: 2 }],
    personas: [{ id: 'creator', userId: '17841405793187218' }],
  })
})

t.test('faults, switches, clock, calls and personas are set over HTTP', async (t) => {
  const emulator = await start(t, { now: () => 0 })
  t.equal((await act(emulator, 'fault', { endpoint: 'me', fault: { name: 'graph_error', code: 2, status: 500 }, times: 1 })).status, 200)
  t.equal((await get(graphURL(emulator, 'me', {}))).status, 500)
  t.equal((await act(emulator, 'fault', { endpoint: 'me', fault: 'html500' })).status, 200)
  t.equal((await act(emulator, 'clear-fault', { endpoint: 'me' })).status, 200)
  t.equal((await get(graphURL(emulator, 'me', {}))).status, 400)
  await act(emulator, 'set', { instant: 'creator' })
  t.equal((await get(authorizeURL(emulator))).status, 302)
  await act(emulator, 'advance', { ms: 1000 })
  t.match(await readJSON(await get(`${emulator.url}/emulator/state`)), { now: 1000 })
  t.match(await readJSON(await act(emulator, 'save-persona', { id: 'creator', username: 'moved' })), { username: 'moved' })
  t.match(await readJSON(await get(`${emulator.url}/emulator/calls`)), [{ endpoint: 'me' }, { endpoint: 'me' }, { endpoint: 'authorize', status: 302 }])
  await act(emulator, 'reset-calls')
  t.strictSame(await readJSON(await get(`${emulator.url}/emulator/calls`)), [])
  await act(emulator, 'reset')
  t.equal(emulator.control.persona('creator').username, 'ana.makes')
})

t.test('codes, tokens and signed requests are minted over HTTP, and tokens revoked', async (t) => {
  const emulator = await start(t)
  const code = textOf(await readJSON(await act(emulator, 'mint-code', { persona: 'creator', redirectURI, flavour: 'basicDisplay' })), 'code')
  t.equal((await redeem(emulator, code, {}, 'basicDisplay')).status, 200)
  const token = textOf(await readJSON(await act(emulator, 'mint-token', { persona: 'creator', kind: 'short', ageMs: 5 })), 'token')
  t.equal((await get(graphURL(emulator, 'me', { access_token: token }))).status, 200)
  await act(emulator, 'revoke', { persona: 'creator', subcode: 460 })
  t.match(await readJSON(await get(graphURL(emulator, 'me', { access_token: token }))), { error: { error_subcode: 460 } })
  const signed = textOf(await readJSON(await act(emulator, 'signed-request', { persona: 'creator', issuedAt: 1, id: 'number', expires: true })), 'signedRequest')
  t.equal(Buffer.from(signed.split('.')[1] ?? '', 'base64url').toString(), '{"user_id":17841405793187218,"algorithm":"HMAC-SHA256","issued_at":1,"expires":3601}')
})

const refused: [action: string, input: object][] = [
  ['fault', { endpoint: 'decision', fault: 'lost' }],
  ['fault', { endpoint: 'me', fault: 'nonsense' }],
  ['fault', { endpoint: 'me', fault: 'lost', times: -1 }],
  ['set', { nonsense: true }],
  ['set', { remember: 'yes' }],
  ['set', { usageFrom: 1.5 }],
  ['set', { replyShape: 'round' }],
  ['set', { instant: 'nobody' }],
  ['advance', {}],
  ['save-persona', { username: 'x' }],
  ['save-persona', { id: 'x', nonsense: 1 }],
  ['save-persona', { id: 'x', permissions: [1] }],
  ['revoke', { persona: 'creator', subcode: 1 }],
  ['mint-code', { persona: 'creator' }],
  ['mint-token', { persona: 'creator', kind: 'eternal' }],
  ['set', ['instant']],
]

for (const [action, input] of refused) {
  t.test(`${action} does not take ${JSON.stringify(input)}`, async (t) => {
    const emulator = await start(t)
    const response = await act(emulator, action, input)
    t.equal(response.status, 400)
    t.match(await readJSON(response), { error: String })
  })
}

t.test('broken JSON is refused', async (t) => {
  const { url } = await start(t)
  t.equal((await fetch(`${url}/emulator/set`, { method: 'POST', body: '{' })).status, 400)
})

t.test('the page lists apps, settings, personas, faults and calls', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('token', 'lost', 2)
  await get(graphURL(emulator, 'me', {}))
  const response = await get(`${emulator.url}/emulator/`)
  const html = await response.text()
  t.match(response.headers.get('content-security-policy'), "default-src 'none'")
  for (const [name, value] of Object.entries(emulator.settings)) t.match(html, `${name}=${value}`)
  for (const text of [emulator.apps.instagram.metaAppId, 'ana.makes', '27640875392278831', '<strong>token</strong>: lost, 2 more', 'gzip_bomb']) t.match(html, text)
  t.notMatch(html, '<img')
})

t.test("the page's forms work, and lead back to it", async (t) => {
  const { url, control } = await start(t)
  const forms: [action: string, fields: Record<string, string>][] = [
    ['fault', { endpoint: 'me', name: 'slow', times: '', ms: '5', minutes: '', code: '', subcode: '' }],
    ['fault', { endpoint: 'token', name: 'lost', times: '1', ms: '' }],
    ['clear-fault', { endpoint: 'token' }],
    ['set', { remember: 'true', instant: 'null', refreshReturns: 'new', tokenUserId: 'id', replyShape: 'null', tokenErrors: 'plain', usageFrom: '', usagePercent: '50' }],
    ['advance', { ms: '3600000' }],
    ['revoke', { persona: 'creator', subcode: '' }],
    ['reset-calls', {}],
  ]
  for (const [action, fields] of forms) {
    const response = await post(`${url}/emulator/${action}`, fields)
    t.equal(response.status, 303, action)
    t.equal(response.headers.get('location'), '/emulator/')
  }
  t.match(await readJSON(await get(`${url}/emulator/state`)), {
    faults: [{ endpoint: 'me', fault: { name: 'slow', ms: 5 }, timesLeft: null }],
    switches: { remember: true, instant: null, refreshReturns: 'new', usageFrom: null, usagePercent: 50 },
  })
  control.reset()
})

t.test("another site's page cannot reach the control API through a browser", async (t) => {
  const { url } = await start(t)
  t.equal((await post(`${url}/emulator/set`, { remember: 'true' }, { 'sec-fetch-site': 'cross-site' })).status, 400)
  t.equal(await statusUnderHost(url, 'evil.test'), 400)
  t.equal(await statusUnderHost(url, 'instagram.localhost'), 200)
})

function statusUnderHost (url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(`${url}/emulator/state`, { headers: { host } }, (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    }).on('error', reject).end()
  })
}

function textOf (value: unknown, name: string): string {
  return typeof value === 'object' && value !== null ? String(Reflect.get(value, name)) : ''
}
