import { chmodSync, writeFileSync } from 'node:fs'
import { test, type Test } from 'tap'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { buildMachine } from '../support/process.ts'
import { parse, runIn } from './edge.ts'

const now = { now: Date.now }
const PUBLIC_URL = { LEADLATCH_PUBLIC_URL: 'http://localhost:1' }

/** A folder with a shop, an emulator and settings in `.env`. */
async function withEverything (t: Test) {
  const folder = t.testdir({})
  chmodSync(folder, 0o700)
  const emulator = await startEmulator({ redirectURIs: ['http://localhost:1/oauth/callback/instagram'] })
  t.teardown(() => emulator.close())
  const settings = Object.entries(emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY')).map(([name, value]) => `${name}=${value}`)
  writeFileSync(`${folder}/.env`, ['LEADLATCH_PUBLIC_URL=http://localhost:1', ...settings, ''].join('\n'), { mode: 0o600 })
  await runIn(folder, ['shop', 'add', 'https://shop.example'])
  return { folder, emulator }
}

const secretsOf = (emulator: Awaited<ReturnType<typeof startEmulator>>) => [emulator.apps.instagram.clientSecret, emulator.apps.instagram.metaAppSecret]

test('doctor without errors exits 0 and prints its findings by group, cures under them', async (t) => {
  const { folder, emulator } = await withEverything(t)
  const outcome = await runIn(folder, ['doctor'], { environment: PUBLIC_URL, edge: now })
  t.match(outcome, { status: 0, stderr: '' })
  t.match(outcome.stdout, /^SETTING +FROM\n/)
  t.match(outcome.stdout, /LEADLATCH_INSTAGRAM_CLIENT_SECRET +\.env\n/)
  t.match(outcome.stdout, /\nprogram\n {2}ok {7}Leadlatch .* on Node /)
  t.match(outcome.stdout, /\n {2}warning {2}Nobody answers at .*\n {13}Start Leadlatch/)
  t.match(outcome.stdout, /\nNo errors, \d+ warnings?\.\n$/)
  for (const secret of secretsOf(emulator)) t.notMatch(outcome.stdout, secret)
})

test('doctor with an error exits 1; --json holds the same findings and the counts', async (t) => {
  const { folder, emulator } = await withEverything(t)
  const outcome = await runIn(folder, ['doctor', '--json'], { environment: { ...PUBLIC_URL, LEADLATCH_INSTAGRAM_CLIENT_SECRET: 'hunter2', LEADLATCH_PORT: 'x' }, edge: now })
  t.match(outcome, { status: 1, stderr: /^leadlatch: The doctor found 2 errors and \d+ warnings?\.\n$/ })
  const report = parse(outcome)
  t.equal(report.errors, 2)
  const findings = Array.isArray(report.findings) ? report.findings : []
  t.strictSame(findings.filter(({ level }) => level === 'error').map(({ code }) => code), ['wrong_setting', 'credentials'])
  for (const finding of findings) t.strictSame(Object.keys(finding), ['group', 'code', 'level', 'what', 'cure'])
  t.match(report.settings, [{ name: 'LEADLATCH_PUBLIC_URL', source: 'environment', is_file: false }])
  for (const secret of ['hunter2', ...secretsOf(emulator)]) t.notMatch(outcome.stdout, secret)
})

test('T-72: doctor names a .env that everybody may change instead of reading it', { skip: process.platform === 'win32' }, async (t) => {
  const { folder } = await withEverything(t)
  chmodSync(`${folder}/.env`, 0o666)
  const outcome = await runIn(folder, ['doctor'], { environment: PUBLIC_URL, edge: now })
  t.match(outcome, { status: 1, stdout: /ERROR {4}The settings file .*can be changed by every user/ })
  t.match(outcome.stdout, /Not given: .*LEADLATCH_INSTAGRAM_CLIENT_ID/)
})

test('T-76: doctor escapes what a terminal would obey', async (t) => {
  const folder = t.testdir({})
  const outcome = await runIn(folder, ['doctor'], { environment: { ...PUBLIC_URL, 'LEADLATCH_X\u001b[2J': '1' }, edge: now })
  t.match(outcome.stdout, 'LEADLATCH_X\\u{1b}[2J')
  t.notMatch(outcome.stdout, '\u001b')
})

test('doctor in an empty folder makes nothing, and says where to begin', async (t) => {
  const folder = t.testdir({})
  const outcome = await runIn(folder, ['doctor'], { environment: { LEADLATCH_PUBLIC_URL: '' }, edge: now })
  t.match(outcome, { status: 1, stdout: /LEADLATCH_PUBLIC_URL must be set/ })
  t.match(outcome.stdout, /There is no database .* yet/)
  t.match((await runIn(folder, ['shop', 'list'])).stderr, /There is no database/)
})

test('doctor finds a real service in order', { timeout: 60_000 }, async (t) => {
  const machine = await buildMachine(t)
  const service = await machine.serve()
  const folder = t.testdirName
  const environment = {
    ...Object.fromEntries(Object.entries(machine.emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY'))),
    LEADLATCH_PUBLIC_URL: machine.publicURL,
    LEADLATCH_PORT: new URL(service.origin).port
  }
  const outcome = await runIn(folder, ['doctor', '--json'], { environment, edge: now })
  t.match(outcome, { status: 0, stderr: '' })
  const { findings } = parse(outcome)
  const faults = Array.isArray(findings) ? findings.filter(({ level }) => level !== 'ok').map(({ code }) => code) : []
  t.strictSame(faults, ['provider_emulated'])
  t.ok(Array.isArray(findings) && findings.some(({ code }) => code === 'public_url'))
})
