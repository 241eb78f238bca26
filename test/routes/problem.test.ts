import Fastify, { LogController } from 'fastify'
import { test } from 'tap'
import { answerError, problem } from '../../src/routes/problem.ts'
import { StoreError } from '../../src/store/database.ts'
import { sendRaw } from '../support/raw-request.ts'

async function build (t: { teardown: (close: () => unknown) => void }) {
  const lines: string[] = []
  const app = Fastify({
    logController: new LogController({ disableRequestLogging: true }),
    logger: { level: 'trace', stream: { write: (line: string) => { lines.push(line) } } },
    frameworkErrors: (error, request, reply) => { answerError(error, request, reply) }
  })
  t.teardown(() => app.close())
  await app.register(problem)
  app.get('/broken', async () => { throw new Error('the disk of db7 is full') })
  app.get('/busy', async () => { throw new StoreError('unavailable', 'locked') })
  app.get('/teapot', async () => { throw Object.assign(new Error('secret text'), { statusCode: 418 }) })
  app.get('/limited', async () => { throw Object.assign(new Error('x'), { statusCode: 429 }) })
  return { app, lines }
}

test('a 5xx says nothing of its cause, which the log has under the same request id, without the address', async (t) => {
  const { app, lines } = await build(t)
  const response = await app.inject('/broken?code=SECRET')
  t.equal(response.statusCode, 500)
  t.match(response.headers['content-type'], 'application/problem+json')
  const document = response.json()
  t.match(document, { type: 'about:blank', title: 'Internal Server Error', status: 500, code: 'internal_error' })
  t.notMatch(response.payload, /disk|db7/)
  const record = lines.map((line) => JSON.parse(line)).find((each) => each.level === 50)
  t.equal(record.reqId, document.request_id)
  t.equal(record.err.message, 'the disk of db7 is full')
  t.notMatch(lines.join(''), /SECRET|\/broken/)
})

test('what is not there is a problem document, and its address is neither answered nor logged', async (t) => {
  const { app, lines } = await build(t)
  for (const method of ['GET', 'POST', 'DELETE'] as const) {
    const response = await app.inject({ method, url: '/nothing/SECRET?code=SECRET' })
    t.equal(response.statusCode, 404)
    t.match(response.json(), { status: 404, code: 'not_found', title: 'Not Found' })
    t.notMatch(response.payload + lines.join(''), 'SECRET')
  }
})

test('an address that cannot be decoded is a problem document that does not repeat it', async (t) => {
  const { app } = await build(t)
  const { status, body } = await sendRaw(app, { path: '/broken/%zz?SECRET' })
  t.equal(status, 400)
  t.match(JSON.parse(body), { status: 400, code: 'invalid_request' })
  t.notMatch(body, /zz|SECRET/)
})

test('a database that cannot be had for now asks to come again', async (t) => {
  const { app } = await build(t)
  const response = await app.inject('/busy')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['retry-after'], '5')
  t.notMatch(response.payload, 'locked')
})

test('a refusal by another plugin keeps its status and loses its text', async (t) => {
  const { app } = await build(t)
  t.match((await app.inject('/teapot')).json(), { status: 418, code: 'invalid_request' })
  t.notMatch((await app.inject('/teapot')).payload, 'secret')
  t.match((await app.inject('/limited')).json(), { status: 429, code: 'rate_limited' })
})
