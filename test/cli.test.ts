import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { member, parse, runIn } from './commands/edge.ts'

const BIN = fileURLToPath(new URL('../bin/leadlatch.js', import.meta.url))

type Started = { child: ChildProcess, stdout: () => string, stderr: () => string, status: Promise<unknown>, firstOutput: Promise<void> }

/** Starts the program itself in a folder, with nothing of our own environment but the path. */
function start (t: Test, folder: string, argv: readonly string[], environment: Record<string, string> = {}, nodeArgv: readonly string[] = []): Started {
  const child = spawn(process.execPath, [...nodeArgv, BIN, ...argv], { cwd: folder, env: { PATH: process.env['PATH'], ...environment } })
  t.teardown(() => child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    status: once(child, 'close').then(([status]: unknown[]) => status),
    firstOutput: once(child.stdout, 'data').then(() => {})
  }
}

async function finish (t: Test, folder: string, argv: readonly string[], environment: Record<string, string> = {}) {
  const started = start(t, folder, argv, environment)
  return { status: await started.status, stdout: started.stdout(), stderr: started.stderr() }
}

const SERVE = { LEADLATCH_PUBLIC_URL: 'http://localhost:8787', LEADLATCH_PORT: '0' }

/** The address from the log of a service that is being started. */
async function listening ({ child, stdout }: Started): Promise<string> {
  for (;;) {
    const address = /listening at (http:[^"]+)"/.exec(stdout())?.[1]
    if (address !== undefined) return address
    if (child.stdout === null || child.exitCode !== null) throw new Error('it ended')
    await once(child.stdout, 'data')
  }
}

test('without a command, and with one that does not exist, the exit status is 2', async (t) => {
  const folder = t.testdir({})
  t.match(await finish(t, folder, []), { status: 2, stdout: '', stderr: /Usage: leadlatch/ })
  t.match(await finish(t, folder, ['bogus']), { status: 2, stdout: '', stderr: /^leadlatch: unknown command 'bogus'\n/ })
  t.match(await runIn(folder, ['shop']), { status: 2 })
  t.match(await runIn(folder, ['shop', 'add']), { status: 2, stderr: /missing required argument 'url'/ })
  t.match(await runIn(folder, ['shop', 'list', '--all']), { status: 2, stderr: /unknown option '--all'/ })
  t.match(await runIn(folder, ['backup', 'a', 'b']), { status: 2, stderr: /too many arguments/ })
})

test('help and version go to standard output and are no failure', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  t.strictSame(await finish(t, t.testdir({}), ['--version']), { status: 0, stdout: `${version}\n`, stderr: '' })
  t.match(await runIn(t.testdir({}), ['shop', 'add', '--help']), { status: 0, stdout: /--redirect-uri/, stderr: '' })
  t.match(await runIn(t.testdir({}), ['help', 'key']), { status: 0, stdout: /revoke/ })
})

test('an older Node is told what to do', async (t) => {
  const older = start(t, t.testdir({}), ['serve'], {}, ['--import', 'data:text/javascript,Object.defineProperty(process,"versions",{value:{node:"24.11.1"}})'])
  t.equal(await older.status, 1)
  t.match(older.stderr(), /^leadlatch: Node 24\.12 or newer is needed, this is 24\.11\.1\..*npm 11.*\n$/)
})

test('the program registers a shop and lists it, with settings from .env', async (t) => {
  const folder = t.testdir({ '.env': 'LEADLATCH_PUBLIC_URL=https://login.example/path\n' })
  const added = await finish(t, folder, ['shop', 'add', 'https://shop.example', '--json'])
  t.match(added, { status: 0, stderr: '' })
  t.match(member(added, 'connection_string'), /^https:\/\/shop_\w+:llk_[\w-]+@login\.example\/path$/)
  t.match(parse(await finish(t, folder, ['shop', 'list', '--json'])), { data: [{ id: member(added, 'id') }] })
  t.ok(existsSync(join(folder, 'data', 'leadlatch.db')), 'in its default place')
})

test('serve answers until it is asked to end, and then ends with 0', async (t) => {
  const folder = t.testdir({})
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const service = start(t, folder, ['serve'], SERVE)
    const address = await listening(service)
    t.equal((await fetch(`${address}/health/live`)).status, 200)
    service.child.kill(signal)
    t.equal(await service.status, 0, signal)
    t.doesNotThrow(() => service.stdout().trimEnd().split('\n').map((line) => JSON.parse(line)), 'one JSON record a line')
    t.match(service.stdout(), /"signal":"SIG(TERM|INT)","msg":"closing"/)
  }
  t.ok(existsSync(join(folder, 'data', 'leadlatch.key')))
})

test('serve with wrong settings exits 2 with one message that names each, and no stack', async (t) => {
  const outcome = await finish(t, t.testdir({}), ['serve'], { LEADLATCH_PORT: 'x', LEADLATCH_LOG_LEVEL: 'loud', LEADLATCH_ENCRYPTION_KEYS: 'hunter2' })
  t.match(outcome, { status: 2, stdout: '' })
  for (const name of ['LEADLATCH_PUBLIC_URL', 'LEADLATCH_PORT', 'LEADLATCH_LOG_LEVEL', 'LEADLATCH_ENCRYPTION_KEYS']) t.match(outcome.stderr, `  ${name} must `)
  t.equal(outcome.stderr.trimEnd().split('\n').length, 5)
  t.notMatch(outcome.stderr, /hunter2|^\s+at /m)
})

test('T-62: serve without the key file of a database in use exits 1 and names the file', async (t) => {
  const folder = t.testdir({})
  const service = start(t, folder, ['serve'], SERVE)
  await listening(service)
  service.child.kill('SIGTERM')
  await service.status
  rmSync(join(folder, 'data', 'leadlatch.key'))
  const outcome = await finish(t, folder, ['serve'], SERVE)
  t.match(outcome, { status: 1, stdout: '', stderr: /^leadlatch: The key file .*leadlatch\.key is missing.*\n$/ })
})

test('serve on an address that is taken says so in one line', async (t) => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  t.teardown(() => taken.close())
  const address = taken.address()
  const port = typeof address === 'object' && address !== null ? String(address.port) : ''
  const outcome = await finish(t, t.testdir({}), ['serve'], { ...SERVE, LEADLATCH_PORT: port, LEADLATCH_LOG_LEVEL: 'silent' })
  t.match(outcome, { status: 1, stderr: /^leadlatch: The address is in use\..*LEADLATCH_PORT.*$/m })
  t.notMatch(outcome.stderr, /^\s+at /m)
})

test('T-72: a .env that every user may change ends every command that reads settings with 2', async (t) => {
  const folder = t.testdir({ '.env': 'LEADLATCH_PUBLIC_URL=https://evil.test' })
  chmodSync(join(folder, '.env'), 0o666)
  for (const argv of [['serve'], ['shop', 'add', 'https://shop.example'], ['shop', 'list'], ['migrate'], ['backup', 'x'], ['token', 'list'], ['audit']]) {
    t.match(await runIn(folder, argv), { status: 2, stdout: '', stderr: /\.env can be changed by every user/ }, argv.join(' '))
  }
})

test('T-69: no command takes a secret as an argument', async (t) => {
  const commands = [['serve'], ['demo'], ['emulator'], ['shop', 'add'], ['shop', 'update'], ['shop', 'list'], ['shop', 'remove'], ['key', 'add'],
    ['key', 'list'], ['key', 'revoke'], ['leads', 'export'], ['token', 'list'], ['token', 'get'], ['token', 'import'], ['token', 'guide'], ['audit'], ['backup'], ['migrate']]
  for (const argv of commands) {
    const { status, stdout } = await runIn(t.testdir({}), [...argv, '--help'])
    t.equal(status, 0)
    t.notMatch(stdout, /--(?!id-token-alg )\S*(secret|token|password|key|connection)/, argv.join(' '))
  }
})

test('every command that prints has --json', async (t) => {
  const commands = [['demo'], ['emulator'], ['shop', 'add'], ['shop', 'update'], ['shop', 'list'], ['shop', 'remove'], ['key', 'add'],
    ['key', 'list'], ['key', 'revoke'], ['leads', 'export'], ['token', 'list'], ['token', 'get'], ['token', 'import'], ['token', 'guide'], ['audit'], ['backup'], ['migrate']]
  for (const argv of commands) t.match((await runIn(t.testdir({}), [...argv, '--help'])).stdout, /--json/, argv.join(' '))
})

test('a reader that has enough is no failure', async (t) => {
  const folder = t.testdir({})
  await finish(t, folder, ['shop', 'add', 'https://shop.example'], SERVE)
  const listing = start(t, folder, ['leads', 'export'])
  listing.child.stdout?.destroy()
  t.equal(await listing.status, 0)
  t.equal(listing.stderr(), '')
})

test('an unexpected failure is one line without a stack', async (t) => {
  const outcome = await runIn(t.testdir({}), ['migrate'], { edge: { now: () => { throw new Error('first\u001b[2J\nsecond') } } })
  t.strictSame(outcome, { status: 1, stdout: '', stderr: 'leadlatch: first\\u{1b}[2J\n' })
})

test('demo --once prints the lead as JSON and nothing else on standard output', async (t) => {
  const outcome = await finish(t, t.testdir({}), ['demo', '--once'])
  t.equal(outcome.status, 0, outcome.stderr)
  t.match(parse(outcome), { id: /^cus_/, provider: 'instagram', provider_user_id: /^\d+$/, token: { status: 'active' }, login_count: 1 })
})

test('demo says where to click until it is asked to end', async (t) => {
  const folder = t.testdir({})
  const demo = start(t, folder, ['demo', '--port', '0', '--json'])
  await demo.firstOutput
  t.match(parse({ stdout: demo.stdout() }), { shop_url: /^http:\/\/shop\.localhost:\d+$/ })
  demo.child.kill('SIGINT')
  t.equal(await demo.status, 0)
  t.match(await runIn(folder, ['demo', '--port', '99999']), { status: 2 })
})

test('emulator prints its address and the settings for Leadlatch', async (t) => {
  const emulator = start(t, t.testdir({}), ['emulator', '--port', '0', '--json'])
  await emulator.firstOutput
  const printed = parse({ stdout: emulator.stdout() })
  t.match(printed, { url: /^http:\/\/127\.0\.0\.1:\d+$/, settings: { LEADLATCH_INSTAGRAM_CLIENT_ID: /^\d+$/, LEADLATCH_INSTAGRAM_GRAPH_URL: /^http:/ } })
  emulator.child.kill('SIGTERM')
  t.equal(await emulator.status, 0)
})

test('T-74: emulator refuses to be reached from outside without --allow-public, and production names always', async (t) => {
  const folder = t.testdir({})
  t.match(await runIn(folder, ['emulator', '--port', '0', '--host', '0.0.0.0']), { status: 2, stdout: '', stderr: /loopback only/ })
  t.match(await runIn(folder, ['emulator', '--port', '0', '--host', 'www.instagram.com', '--allow-public']), { status: 2, stdout: '' })
  t.match(await runIn(folder, ['emulator', '--port', '0', '--host', '0.0.0.0', '--allow-public', '--json']), { status: 0 })
  t.match(await runIn(folder, ['emulator', '--port', '0', '--redirect-uri', 'https://a.example/?x=1']), { status: 2, stderr: /redirect URI/ })
})
