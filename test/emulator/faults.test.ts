import { request } from 'node:http'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { faultPlaces, parseFault } from '../../src/emulator/faults.ts'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { authorizeURL, get, graphURL, mintCode, readJSON, redeem, start } from './support/emulator.ts'

const usedUp = { error_message: 'Matching code was not found or was already used' }

function callMe (emulator: Emulator): Promise<Response> {
  return get(graphURL(emulator, 'me', { fields: 'id,user_id', access_token: emulator.control.mintToken('hugeid', { kind: 'short' }) }))
}

t.test('an outage is HTML, with status 500 or 200', async (t) => {
  const emulator = await start(t)
  for (const [fault, status, text] of [['html500', 500, 'Oops, an error occurred.'], ['html200', 200, 'Sorry, this page']] as const) {
    for (const endpoint of ['token', 'me'] as const) {
      emulator.control.fault(endpoint, fault, 1)
      const response = endpoint === 'me' ? await callMe(emulator) : await redeem(emulator, mintCode(emulator))
      t.equal(response.status, status)
      t.match(response.headers.get('content-type'), 'text/html')
      t.match(await response.text(), text)
    }
  }
})

t.test('a reply can be empty, cut in half or of the wrong type, and the code is spent', async (t) => {
  const emulator = await start(t)
  const code = mintCode(emulator)
  emulator.control.fault('token', 'empty', 1)
  const empty = await redeem(emulator, code)
  t.equal(empty.status, 200)
  t.equal(await empty.text(), '')
  t.match(await readJSON(await redeem(emulator, code)), usedUp)

  emulator.control.fault('token', 'truncated', 1)
  const truncated = await (await redeem(emulator, mintCode(emulator))).text()
  t.match(truncated, /^\{"access_token":"IGAA/)
  t.throws(() => JSON.parse(truncated))

  emulator.control.fault('token', 'wrong_type', 1)
  t.match((await redeem(emulator, mintCode(emulator))).headers.get('content-type'), 'text/html')
  emulator.control.fault('me', { name: 'wrong_type', type: 'text/plain' }, 1)
  const plain = await callMe(emulator)
  t.equal(plain.headers.get('content-type'), 'text/plain')
  t.match(await readJSON(plain), { id: '27640875392278831' })
})

t.test('a slow reply comes after its delay', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('me', { name: 'slow', ms: 80 }, 1)
  const started = performance.now()
  t.equal((await callMe(emulator)).status, 200)
  t.ok(performance.now() - started >= 75)
})

t.test('a client that gives up on a slow or hanging reply has spent its code', async (t) => {
  const emulator = await start(t)
  const code = mintCode(emulator)
  emulator.control.fault('token', { name: 'slow', ms: 11_000 }, 1)
  const body = new URLSearchParams({ client_id: emulator.apps.instagram.clientId, client_secret: emulator.apps.instagram.clientSecret, grant_type: 'authorization_code', redirect_uri: 'http://127.0.0.1:9/callback', code })
  await t.rejects(fetch(`${emulator.url}/api/oauth/access_token`, { method: 'POST', body, signal: AbortSignal.timeout(100) }))
  t.match(await readJSON(await redeem(emulator, code)), usedUp)
  emulator.control.fault('me', 'hang', 1)
  await t.rejects(fetch(graphURL(emulator, 'me', {}), { signal: AbortSignal.timeout(100) }))
  t.match(emulator.control.calls().map(({ endpoint, status }) => [endpoint, status]), [['token', 0], ['token', 400], ['me', 0]])
})

t.test('a reply can be lost after the code was spent', async (t) => {
  const emulator = await start(t)
  const code = mintCode(emulator)
  emulator.control.fault('token', 'lost', 1)
  await t.rejects(redeem(emulator, code))
  t.match(await readJSON(await redeem(emulator, code)), usedUp)
  t.equal(emulator.control.count('token'), 2)
})

t.test('a connection can be cut before the code is spent', async (t) => {
  const emulator = await start(t)
  const code = mintCode(emulator)
  emulator.control.fault('token', 'reset', 1)
  await t.rejects(redeem(emulator, code))
  t.equal((await redeem(emulator, code)).status, 200)
})

t.test('a reply can trickle', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('me', { name: 'drip', intervalMs: 1 }, 1)
  const response = await callMe(emulator)
  let chunks = 0
  for await (const chunk of response.body ?? []) chunks += chunk.length > 0 ? 1 : 0
  t.ok(chunks > 10)
})

t.test('a body can be far too large, as JSON that is valid so far', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('me', 'huge', 1)
  let bytes = 0
  for await (const chunk of (await callMe(emulator)).body ?? []) {
    bytes += chunk.length
    if (bytes > 3 * 1024 * 1024) break
  }
  t.ok(bytes > 1024 * 1024)
})

t.test('a small compressed body can grow beyond any limit', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('me', 'gzip_bomb', 1)
  const compressed = await new Promise<Buffer>((resolve, reject) => {
    request(graphURL(emulator, 'me', {}), (response) => {
      t.equal(response.headers['content-encoding'], 'gzip')
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks))).on('error', reject)
    }).on('error', reject).end()
  })
  t.ok(compressed.length < 1024 * 1024)
  t.ok(gunzipSync(compressed).length > 60_000_000)
})

t.test('members can be nested too deep, poisoned or of the wrong type', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('me', 'deep', 1)
  t.equal((await (await callMe(emulator)).text()).slice(9_998, 10_002), '[[]]')
  emulator.control.fault('me', 'proto', 1)
  const poisoned = await readJSON(await callMe(emulator))
  t.ok(typeof poisoned === 'object' && poisoned !== null && Object.hasOwn(poisoned, '__proto__'))
  t.match(poisoned, { id: '27640875392278831', constructor: { prototype: { polluted: true } } })
  emulator.control.fault('me', 'ids_as_objects', 1)
  t.match(await readJSON(await callMe(emulator)), { id: { value: '27640875392278831' } })
  emulator.control.set({ replyShape: 'wrapped' })
  emulator.control.fault('token', 'proto', 1)
  t.match(await (await redeem(emulator, mintCode(emulator))).text(), /^\{"data":\[\{"__proto__":/)
})

t.test('a call can be redirected to another host', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('me', 'redirect', 1)
  const response = await callMe(emulator)
  t.equal(response.status, 302)
  t.equal(response.headers.get('location'), 'http://elsewhere.invalid/')
})

t.test('a person can be made to cancel at once, but not a broken request', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('authorize', 'deny')
  t.match((await get(authorizeURL(emulator))).headers.get('location'), 'error=access_denied')
  t.equal((await get(authorizeURL(emulator, { scope: 'basic' }))).status, 400)
})

t.test('a fault lasts for its number of calls, or until cleared', async (t) => {
  const emulator = await start(t)
  const statuses = async (): Promise<number[]> => [(await callMe(emulator)).status, (await callMe(emulator)).status, (await callMe(emulator)).status]
  emulator.control.fault('me', 'html500', 2)
  t.strictSame(await statuses(), [500, 500, 200])
  emulator.control.fault('me', 'html500')
  t.strictSame(await statuses(), [500, 500, 500])
  emulator.control.fault('me', null)
  t.strictSame(await statuses(), [200, 200, 200])
})

for (const [name, places] of Object.entries(faultPlaces)) {
  t.test(`${name} answers or cuts off wherever it can happen`, async (t) => {
    const emulator = await start(t)
    for (const endpoint of places) {
      emulator.control.reset()
      const options = { name, ms: 1, intervalMs: 0.01, code: 2 }
      await emulatorFault(emulator, endpoint, options)
      const url = { authorize: authorizeURL(emulator), token: `${emulator.url}/api/oauth/access_token`, exchange: `${emulator.url}/graph/access_token`, refresh: `${emulator.url}/graph/refresh_access_token`, me: `${emulator.url}/graph/me` }[endpoint]
      const status = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(name === 'hang' ? 300 : 20_000) }).then(async (response) => {
        await response.body?.cancel()
        return response.status
      }, () => 0)
      t.equal(status === 0, ['hang', 'reset', 'lost'].includes(name), `${endpoint}: ${status}`)
      t.equal(emulator.control.count(endpoint), 1)
    }
  })
}

async function emulatorFault (emulator: Emulator, endpoint: string, fault: object): Promise<void> {
  const response = await fetch(`${emulator.url}/emulator/fault`, { method: 'POST', body: JSON.stringify({ endpoint, fault }) })
  if (response.status !== 200) throw new Error(await response.text())
}

const badFaults: [value: unknown, why: string][] = [
  ['nonsense', 'an unknown name'],
  ['toString', 'a name that every object has'],
  [null, 'no name'],
  [{ name: 'slow', ms: -1 }, 'a negative delay'],
  [{ name: 'slow', ms: 'soon' }, 'a delay that is text'],
  [{ name: 'drip', intervalMs: 0 }, 'no interval'],
  [{ name: 'graph_error', code: 1.5 }, 'a code that is not whole'],
  [{ name: 'graph_error', code: 1, status: 99 }, 'a status that HTTP does not have'],
  [{ name: 'graph_error', code: 1, subcode: '458' }, 'a subcode that is text'],
  [{ name: 'graph_error', code: 1, message: 5 }, 'a message that is not text'],
  [{ name: 'redirect', location: 5 }, 'a location that is not text'],
  [{ name: 'wrong_type', type: 5 }, 'a type that is not text'],
  [{ name: 'rate_limit', minutes: 'x' }, 'minutes that are text'],
]

for (const [value, why] of badFaults) {
  t.test(`${why} is refused`, async (t) => {
    t.throws(() => parseFault('me', value), TypeError)
  })
}
