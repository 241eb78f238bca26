import { connect } from 'node:net'
import { Writable } from 'node:stream'
import { test, type Test } from 'tap'
import { build, type BuildOptions, type Built } from '../support/build.ts'

async function listen (t: Test, options: BuildOptions = {}): Promise<{ built: Built, port: number }> {
  const built = await build(t, options)
  await built.app.listen({ port: 0, host: '127.0.0.1' })
  const address = built.app.server.address()
  return { built, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** Sends bytes as they are; what came back until the server closed the connection. */
function exchange (port: number, parts: Iterable<string>): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => { for (const part of parts) socket.write(part) })
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk })
    socket.on('error', (error: NodeJS.ErrnoException) => text === '' && error.code !== 'ECONNRESET' && error.code !== 'EPIPE' ? reject(error) : resolve(text))
    socket.on('close', () => resolve(text))
  })
}

function statusOf (answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
}

const HEAD = 'POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n'

test('T-79: requests whose length can be read in two ways are refused and the connection is closed', async (t) => {
  const { port } = await listen(t)
  for (const [request, why] of [
    [`${HEAD}Content-Length: 3\r\nContent-Length: 4\r\n\r\na=b`, 'two lengths'],
    [`${HEAD}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`, 'length and chunks'],
    [`${HEAD}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`, 'a space before the colon'],
    ['GET /health/live HTTP/1.1\nHost: x\n\n', 'bare LF'],
    ['GET /health/live HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n', 'bare CR']
  ]) {
    t.equal(statusOf(await exchange(port, [String(request)])), 400, String(why))
  }
})

test('T-75: what the HTTP parser refuses is not logged, not even as bytes', async (t) => {
  let log = ''
  const stream = new Writable({ write: (chunk, _encoding, done) => { log += String(chunk); done() } })
  const { port } = await listen(t, { logger: { level: 'trace', stream } })
  const answer = await exchange(port, ['GET /v1/shop?code=secret-code HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer llk_secret-key\r\nX Bad : y\r\n\r\n'])
  t.equal(statusOf(answer), 400)
  t.match(answer, 'application/problem+json')
  const bytes = Array.from(log.matchAll(/\[(\d+(?:,\d+)+)\]/g), (match) => Buffer.from(String(match[1]).split(',').map(Number)).toString())
  t.match(log, 'HPE_')
  t.notMatch([log, ...bytes].join('\n'), 'secret')
})

test('T-78: a body over the limit is 413, endless chunks too, headers over theirs 431; others are answered meanwhile', async (t) => {
  const { built, port } = await listen(t)
  t.equal(statusOf(await exchange(port, [`${HEAD}Content-Length: 10000000\r\nConnection: close\r\n\r\n`])), 413)
  const chunk = `4000\r\n${'a'.repeat(0x4000)}\r\n`
  t.equal(statusOf(await exchange(port, [`${HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n`, ...Array<string>(10).fill(chunk)])), 413)
  t.equal(statusOf(await exchange(port, ['GET / HTTP/1.1\r\nHost: x\r\n', ...Array.from({ length: 20 }, (_, i) => `X-${i}: ${'h'.repeat(8000)}\r\n`), '\r\n'])), 431)
  t.equal((await built.app.inject('/health/live')).statusCode, 200)
})

test('T-18: a full jar of cookies, 100 KB of them, is no 431', async (t) => {
  const { built, port } = await listen(t)
  const cookies = Array.from({ length: 100 }, (_, i) => `c${i}=${'x'.repeat(1000)}`).join('; ')
  const path = `/oauth/authorize?response_type=code&client_id=${built.shop.id}&redirect_uri=${encodeURIComponent(built.shop.redirectURI)}&code_challenge=${'a'.repeat(43)}&code_challenge_method=S256`
  const answer = await exchange(port, [`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nCookie: ${cookies}\r\n\r\n`])
  t.equal(statusOf(answer), 303)
})

test('T-78: a request that trickles in is ended with 408', { timeout: 40_000 }, async (t) => {
  const { port } = await listen(t)
  const startedAt = performance.now()
  const answer = await exchange(port, ['GET / HTTP/1.1\r\nHost: x\r\nX-Slow: '])
  t.equal(statusOf(answer), 408)
  t.ok(performance.now() - startedAt < 15_000)
})

function measure (work: () => unknown): number {
  const startedAt = performance.now()
  try {
    work()
  } catch {
    // Refusing is one way to be quick.
  }
  return performance.now() - startedAt
}

test('T-81: hostile input goes through every check in well under 50 ms', async (t) => {
  const built = await build(t)
  const { parseJSON } = await import('../../src/json.ts')
  const { parseParameters } = await import('../../src/oauth/parameters.ts')
  const { parseClientCredentials } = await import('../../src/oauth/client-credentials.ts')
  const { isInAppBrowser } = await import('../../src/pages/in-app-browser.ts')
  const { defuse } = await import('../../src/flows/export/csv.ts')
  const { checkRedirectURI } = await import('../../src/flows/shop-addresses.ts')
  const hostile = ['a', ' ', '=', '\\', '"', '[', '%', '/', '.', '@', '\u200b', "'", '{"a":'].map((unit) => unit.repeat(Math.ceil(100_000 / unit.length)))
  const checks: Array<(text: string) => unknown> = [
    (text) => parseJSON(text, { numbers: 'text' }),
    (text) => parseParameters(text).get('a'),
    (text) => parseClientCredentials(`Basic ${text}`, parseParameters('')),
    isInAppBrowser, defuse, checkRedirectURI,
    (text) => built.parts.vault.unseal('state', '', text)
  ]
  for (const check of checks) {
    for (const text of hostile) {
      // The best of three: a busy machine is no slow check.
      const ms = Math.min(...[1, 2, 3].map(() => measure(() => check(text))))
      t.ok(ms < 50, `${check.name} ${JSON.stringify(text.slice(0, 3))} ${ms.toFixed(1)} ms`)
    }
  }
})
