import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { test, type Test } from 'tap'
import { MockAgent } from 'undici'
import { startServer } from '../../../src/server.ts'
import { freePort } from '../../support/process.ts'
import { examineIn, faults, found } from './patient.ts'

async function serve (t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port }: AddressInfo = Object(server.address())
  return `localhost:${port}`
}

const at = (t: Test, publicURL: string, more: Parameters<typeof examineIn>[2] = {}) =>
  examineIn(t, t.testdir({}), { ...more, settings: { LEADLATCH_PUBLIC_URL: publicURL, ...more.settings } })

test('a running Leadlatch is found at its public URL, its path included, with the time', async (t) => {
  for (const path of ['', '/login']) {
    const port = await freePort()
    const publicURL = `http://localhost:${port}${path}`
    const server = await startServer({
      environment: { LEADLATCH_PUBLIC_URL: publicURL, LEADLATCH_PORT: String(port), DATABASE_URL: 'sqlite::memory:', LEADLATCH_LOG_LEVEL: 'silent' },
      readFile: () => '',
      now: Date.now
    })
    t.teardown(() => server.close())
    const report = await at(t, publicURL)
    t.match(found(report, 'public_url'), [{ level: 'ok' }], publicURL)
    t.match(found(report, 'clock_skew'), [{ level: 'ok' }])
    t.strictSame(faults(report, 'public URL'), [])
  }
})

test('a Leadlatch that calls itself by another address is an error with both', async (t) => {
  const host = await serve(t, (_request, response) => response.end(JSON.stringify({ issuer: 'https://other\u001b.example' })))
  t.match(found(await at(t, `http://${host}`), 'public_url_issuer'), [{ level: 'error', what: /other.*example/, cure: /LEADLATCH_PUBLIC_URL/ }])
})

test('something else at the public URL is an error; a redirect is not followed', async (t) => {
  const wrongs: RequestListener[] = [
    (_request, response) => response.end('<html>'),
    (_request, response) => response.end('{"issuer":7}'),
    (_request, response) => response.writeHead(404).end('{}'),
    (request, response) => request.url === '/there' ? response.end(`{"issuer":"http://${request.headers.host}"}`) : response.writeHead(301, { location: '/there' }).end(),
    (_request, response) => response.end(`{"issuer":"${'x'.repeat(1_000_000)}"}`)
  ]
  for (const wrong of wrongs) t.match(found(await at(t, `http://${await serve(t, wrong)}`), 'public_url_foreign'), [{ level: 'error' }])
})

test('a proxy in front of nobody, and nobody at all, are warnings: the service need not run', async (t) => {
  const host = await serve(t, (_request, response) => response.writeHead(502).end())
  t.match(found(await at(t, `http://${host}`), 'public_url_down'), [{ level: 'warning', what: /502/ }])
  t.match(found(await at(t, `http://localhost:${await freePort()}`), 'public_url_down'), [{ level: 'warning', what: /ECONNREFUSED/ }])
})

test('an https address that leads to Leadlatch itself is told from a wrong certificate', async (t) => {
  const host = await serve(t, (_request, response) => response.end())
  t.match(found(await at(t, `https://${host}`), 'public_url_plain'), [{ level: 'error', cure: /proxy with a certificate/ }])
})

test('a server that never answers costs five seconds, no more', async (t) => {
  const host = await serve(t, () => {})
  const startedMs = performance.now()
  t.match(found(await at(t, `http://${host}`), 'public_url_down'), [{ what: /timed_out/ }])
  t.ok(performance.now() - startedMs < 8000)
})

test('a clock that is wrong is told by how much and in which direction', async (t) => {
  const host = await serve(t, (_request, response) => response.end('{}'))
  for (const [offMs, level, text] of [[-20_000, 'warning', /(19|20|21) seconds behind/], [120_000, 'error', /1(19|20|21) seconds ahead of/], [2000, 'ok', /agrees/]] as const) {
    t.match(found(await at(t, `http://${host}`, { now: () => Date.now() + offMs }), 'clock_skew'), [{ level, what: text }])
  }
})

test('T-12: the doctor warns when all traffic comes from one untrusted proxy', async (t) => {
  const dispatcher = new MockAgent()
  dispatcher.disableNetConnect()
  const ask = (publicURL: string, settings: Record<string, string> = {}) => at(t, publicURL, { settings, dispatcher })
  t.match(found(await ask('https://login.example'), 'proxy_untrusted'), [{ level: 'warning', what: /share one limit of 300/, cure: /LEADLATCH_TRUST_PROXY/ }])
  t.match(found(await ask('https://login.example', { LEADLATCH_TRUST_PROXY: '10.0.0.5' }), 'proxy'), [{ level: 'ok' }])
  t.strictSame(found(await ask('http://localhost:1'), 'proxy_untrusted'), [])
})
