import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, statSync } from 'node:fs'
import { connect } from 'node:net'
import { Writable } from 'node:stream'
import { test, type Test } from 'tap'
import { closeWithin, describeError, type Server, startServer } from '../src/server.ts'
import { openDatabase } from '../src/store/open.ts'

const noFiles = (): string => { throw new Error('no files here') }

type Started = { server: Server, log: () => string[] }

async function start (t: Test, environment: Record<string, string>): Promise<Started> {
  const lines: string[] = []
  const logStream = new Writable({
    decodeStrings: false,
    write (chunk, _encoding, done) {
      lines.push(String(chunk))
      done()
    }
  })
  const server = await startServer({
    environment: { LEADLATCH_PUBLIC_URL: 'http://localhost:8787', LEADLATCH_PORT: '0', DATABASE_URL: 'sqlite::memory:', ...environment },
    readFile: noFiles,
    now: Date.now,
    logStream
  })
  t.teardown(() => server.close())
  return { server, log: () => lines.map((line) => JSON.parse(line).msg) }
}

test('a started server answers, and after closing it does not', async (t) => {
  const { server } = await start(t, {})
  t.equal((await fetch(`${server.address}/health/live`)).status, 200)
  const metadata = await (await fetch(`${server.address}/.well-known/openid-configuration`)).json()
  t.match(metadata, { issuer: 'http://localhost:8787' })
  await server.close()
  await t.rejects(fetch(`${server.address}/health/live`))
})

test('closing twice is closing once', async (t) => {
  const { server } = await start(t, {})
  await Promise.all([server.close(), server.close()])
})

test('an idle connection does not hold a close up', async (t) => {
  const { server } = await start(t, {})
  const { hostname, port } = new URL(server.address)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write('GET /health/live HTTP/1.1\r\nhost: x\r\n\r\n')
  await once(socket, 'data')
  t.equal(await closeWithin(server, 5_000), true)
})

test('a new database is made private, migrated and given a key file, and the log warns of the key file', async (t) => {
  const folder = t.testdir({})
  const { log } = await start(t, { DATABASE_URL: `sqlite:${folder}/deep/leadlatch.db` })
  t.equal(statSync(`${folder}/deep/leadlatch.db`).mode & 0o777, 0o600)
  t.match(log().join('\n'), `Made the key file ${folder}/deep/leadlatch.key`)
})

test('T-70: a database file that others can read is reported', async (t) => {
  const folder = t.testdir({})
  const database = openDatabase(`sqlite:${folder}/a.db`)
  await database.run('create table t (x text)')
  await database.close()
  chmodSync(`${folder}/a.db`, 0o644)
  const { log } = await start(t, { DATABASE_URL: `sqlite:${folder}/a.db` })
  t.match(log().join('\n'), new RegExp(`${folder}/a\\.db can be read by other users.*chmod 600`))
})

test('settings without effect are warned of', async (t) => {
  const { log } = await start(t, { LEADLATCH_INSTGRAM_CLIENT_ID: '1', LEADLATCH_RETENTION_DAYS: '30' })
  t.match(log().join('\n'), /There is no setting LEADLATCH_INSTGRAM_CLIENT_ID/)
  t.match(log().join('\n'), /LEADLATCH_RETENTION_DAYS is not used by this version/)
  t.match(log().join('\n'), /No provider is configured/)
})

test('a login with the retired Basic Display at Instagram itself is warned of, one at a look-alike is not', async (t) => {
  const app = { LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_ID: '1', LEADLATCH_INSTAGRAM_BASIC_DISPLAY_CLIENT_SECRET: 's' }
  const lookAlike = { ...app, LEADLATCH_INSTAGRAM_BASIC_DISPLAY_AUTHORIZE_URL: 'http://localhost:1/oauth/authorize' }
  t.match((await start(t, app)).log().join('\n'), /2024-12-04/)
  t.notMatch((await start(t, lookAlike)).log().join('\n'), /2024-12-04/)
})

test('two servers live in one process', async (t) => {
  const [first, second] = await Promise.all([start(t, {}), start(t, { LEADLATCH_PUBLIC_URL: 'http://localhost:1' })])
  await first.server.close()
  t.equal((await fetch(`${second.server.address}/health/live`)).status, 200)
})

test('a start that fails lets go of the database', async (t) => {
  const folder = t.testdir({})
  const environment = { LEADLATCH_PORT: new URL((await start(t, {})).server.address).port, DATABASE_URL: `sqlite:${folder}/a.db` }
  await t.rejects(start(t, environment), { code: 'EADDRINUSE' })
  await t.rejects(start(t, { LEADLATCH_PORT: 'x' }), { code: 'invalid_settings' })
  // In WAL mode the last connection that closes removes the -wal.
  t.equal(statSync(`${folder}/a.db-wal`, { throwIfNoEntry: false }), undefined)
})

test('a close that hangs is given up', async (t) => {
  t.equal(await closeWithin({ close: () => new Promise(() => {}) }, 1), false)
  t.equal(await closeWithin({ close: async () => {} }, 10_000), true)
  await t.rejects(closeWithin({ close: async () => { throw new Error('broken') } }, 10_000), { message: 'broken' })
})

test('T-75: an error is described without its message, which may hold a secret', async (t) => {
  const secret = randomBytes(8).toString('hex')
  const error = Object.assign(new TypeError(`token=${secret}\nsecond line ${secret}`), { code: 'EX' })
  const described = describeError(error)
  t.match(described, { name: 'TypeError', code: 'EX' })
  t.ok(described.frames.length > 0)
  t.notMatch(JSON.stringify(described), secret)
  t.strictSame(describeError(secret), { name: 'string', code: 'unknown', frames: [] })
})
