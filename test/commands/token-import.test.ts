import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { test, type Test } from 'tap'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { findOver, buildMachine } from '../support/process.ts'
import { member, NOW_MS, type Outcome, parse, runIn } from './edge.ts'

const BIN = fileURLToPath(new URL('../../bin/leadlatch.js', import.meta.url))

async function build (t: Test) {
  const folder = t.testdir({})
  const emulator = await startEmulator({ now: () => NOW_MS, redirectURIs: ['https://login.example/oauth/callback/instagram'] })
  t.teardown(() => emulator.close())
  const environment = Object.fromEntries(Object.entries(emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY')))
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  const run = (argv: readonly string[], input: string | Readable = ''): Promise<Outcome> =>
    runIn(folder, argv, { environment, edge: { stdin: typeof input === 'string' ? Readable.from([Buffer.from(input)]) : input } })
  const mint = (persona = 'creator') => emulator.control.mintToken(persona, { kind: 'short' })
  return { folder, environment, emulator, shopId, run, mint }
}

/** A terminal that types these texts, one after another. */
function createTerminal (typed: readonly string[]) {
  const modes: boolean[] = []
  const stdin = Object.assign(Readable.from(typed), { isTTY: true, setRawMode: (isRaw: boolean) => { modes.push(isRaw) } })
  return { stdin, modes }
}

test('token import reads the token from standard input and prints whose it is and until when', async (t) => {
  const { shopId, run, mint } = await build(t)
  const token = mint()
  const imported = await run(['token', 'import', shopId, 'instagram', '--json'], `\n  "${token}"\n`)
  t.equal(imported.status, 0, imported.stderr)
  t.strictSame(parse(imported), {
    shop_id: shopId,
    customer_id: member(imported, 'customer_id'),
    created: true,
    stored: true,
    provider: 'instagram',
    provider_user_id: '26814093771204518',
    username: 'ana.makes',
    name: 'Ana Ferreira',
    status: 'active',
    expires_at: '2026-12-30T23:59:04.000Z'
  })
  const again = await run(['token', 'import', shopId, 'instagram'], mint())
  t.match(again.stdout, /^Stored the token of @ana\.makes \(Ana Ferreira\)\.\nCustomer: {3}cus_\w+\nGood until: 2026-12-30T23:59:04\.000Z\n$/)
  t.notOk((imported.stdout + imported.stderr + again.stdout + again.stderr).includes(token))
  t.equal((await run(['audit', '--json'])).stdout.match(/"actor": "cli",\s+"action": "token.imported"/g)?.length, 2)
})

test('token import says when a token that lives longer stays, and when a life is not known', async (t) => {
  const { shopId, run, mint, emulator } = await build(t)
  const long = emulator.control.mintToken('business', { kind: 'long' })
  t.match((await run(['token', 'import', shopId, 'instagram'], long)).stdout, /Good until: not known yet/)
  await run(['token', 'import', shopId, 'instagram'], mint())
  t.match((await run(['token', 'import', shopId, 'instagram'], emulator.control.mintToken('creator', { kind: 'long' }))).stdout, /lives longer is stored already and stays/)
})

test('token import fails with one line that says what to do', async (t) => {
  const { shopId, run, mint, emulator } = await build(t)
  const failures: Array<[argv: string[], input: string, stderr: RegExp, status?: number]> = [
    [['shop_x', 'instagram'], 'x', /no shop "shop_x".*shop list/],
    [[shopId, 'facebook'], 'x', /"facebook" is not configured\. Configured: instagram\./],
    [[shopId, 'instagram'], ' \n', /no token on standard input/],
    [[shopId, 'instagram'], 'Schlüssel', /not an access token/],
    [[shopId, 'instagram'], 'IGAAnever', /does not accept this token.*Make a new one/],
    [[shopId, 'instagram'], 'x'.repeat(1_000_000), /more than a token/, 2]
  ]
  for (const [argv, input, stderr, status = 1] of failures) {
    const outcome = await run(['token', 'import', ...argv], input)
    t.match(outcome, { status, stdout: '', stderr }, String(stderr))
    const lines = outcome.stderr.trimEnd().split('\n').filter((line) => !line.includes('Made the key file'))
    t.equal(lines.length, 1, 'one line')
  }
  emulator.control.fault('me', 'html500', 1)
  t.match(await run(['token', 'import', shopId, 'instagram'], mint()), { status: 1, stderr: /cannot check the token at the moment/ })
  t.match(parse(await run(['token', 'list', '--json'])), { data: [] })
})

test('at a terminal the prompt says what to paste and nothing is echoed', async (t) => {
  const { shopId, run, mint } = await build(t)
  const token = mint()
  const { stdin, modes } = createTerminal([token.slice(0, 20), `X\u007f${token.slice(20)}`, '\r', 'the rest'])
  const outcome = await run(['token', 'import', shopId, 'instagram'], stdin)
  t.match(outcome, { status: 0, stdout: /Stored the token of @ana\.makes/, stderr: 'Paste the access token for instagram and press Enter. It is not shown.\n\n' })
  t.same(modes, [true, false], 'the terminal is as before')
})

test('Ctrl-C at the prompt stores nothing and gives the terminal back', async (t) => {
  const { shopId, run } = await build(t)
  const { stdin, modes } = createTerminal(['IGAA', '\u0003'])
  t.match(await run(['token', 'import', shopId, 'instagram'], stdin), { status: 1, stderr: /Broken off/ })
  t.same(modes, [true, false])
  const endless = createTerminal(Array.from({ length: 20 }, () => 'x'.repeat(10_000)))
  t.match(await run(['token', 'import', shopId, 'instagram'], endless.stdin), { status: 2 })
})

test('T-69: the token stands in no argument and no environment of the process that imports it, beside a running service', async (t) => {
  const machine = await buildMachine(t)
  const service = await machine.serve()
  const folder = t.testdirName
  const token = machine.emulator.control.mintToken('creator', { kind: 'short' })
  const settings = Object.fromEntries(Object.entries(machine.emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY')))
  const child = spawn(process.execPath, [BIN, 'token', 'import', machine.shop.id, 'instagram', '--json'], {
    cwd: folder, env: { PATH: process.env['PATH'], LEADLATCH_PUBLIC_URL: machine.publicURL, ...settings }
  })
  let [stdout, stderr] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => { stdout += text })
  child.stderr.setEncoding('utf8').on('data', (text: string) => { stderr += text })
  machine.emulator.control.fault('me', { name: 'slow', ms: 500 }, 1)
  child.stdin.end(token)
  while (machine.emulator.control.count('me') === 0 && child.exitCode === null) await new Promise((resolve) => setTimeout(resolve, 10))
  if (process.platform === 'linux') {
    // Of the process that this test started, and no other; compared without being printed.
    const read = (file: string) => readFileSync(`/proc/${String(child.pid)}/${file}`, 'utf8')
    t.ok(read('cmdline').includes('leadlatch'), 'it is the one that runs')
    t.notOk(read('cmdline').includes(token), 'no argument')
    t.notOk(read('environ').includes(token), 'no environment')
  }
  const [status]: unknown[] = await once(child, 'close')
  t.equal(status, 0, stderr)
  t.equal(await findOver(machine, member({ stdout, stderr }, 'customer_id'), service), 200, 'the service shows it at once')
  t.notOk((stdout + stderr + service.log()).includes(token))
})
