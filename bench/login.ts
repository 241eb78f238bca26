import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { Pool } from 'undici'
import { type Contestant, startContestant } from './support/contestants.ts'
import { CORES, pinLoad } from './support/cores.ts'
import { profileOf } from './support/instant-provider.ts'
import { printProfileOf, startLeadlatch } from './support/leadlatch.ts'
import { parseOptions } from './support/options.ts'
import { formatMB, printTable, printTarget } from './support/report.ts'
import { p99RatioOf, ratioOf, rowOf, takeTurns } from './support/rounds.ts'
import { prepare } from './support/seed.ts'
import { type DriverShop, REDIRECT_URI, runLogins, signIn } from './support/sign-in.ts'

const FLOOR = 'bare node:http'
const PROFILED = [FLOOR, 'Leadlatch']
const MEMORY_LOGINS = 10_000
const MEMORY_WARM_UP = 5000

type Entry = { contestant: Contestant, shop: DriverShop, path: string }

const options = parseOptions({ rounds: 7, seconds: 3, rows: 1, concurrency: 32 })
pinLoad()
const folder = mkdtempSync(join(tmpdir(), 'leadlatch-bench-login-'))
const provider = await startContestant('provider', 'provider.ts', { settings: {}, core: CORES.other })
const entries: Entry[] = []
let nextPerson = 1

try {
  await enter('floor', (path, shopId) => startFloor(FLOOR, path, shopId, 'false'))
  await enter('grouped', (path, shopId) => startFloor(`${FLOOR}, grouped commits`, path, shopId, 'true'))
  await enter('leadlatch', (path) => startLeadlatch('Leadlatch', path, providerSettings()))
  await enter('silent', (path) => startLeadlatch('Leadlatch, log silent', path, { ...providerSettings(), LEADLATCH_LOG_LEVEL: 'silent' }))
  await compare()
  await watchMemory()
  if (options.isProfiled) for (const entry of entries.filter(({ contestant }) => PROFILED.includes(contestant.name))) await profile(entry)
} finally {
  await Promise.all([provider, ...entries.map(({ contestant }) => contestant)].map((each) => each.close()))
  rmSync(folder, { recursive: true })
}

async function compare (): Promise<void> {
  for (const entry of entries) await checkLogins(entry)
  const standings = await takeTurns(entries.map(({ contestant }) => contestant), {
    rounds: options.rounds, floorName: FLOOR, run: (contestant) => run(entryOf(contestant), { seconds: options.seconds })
  })
  for (const entry of entries) checkRows(entry)
  console.log(`\nWhole logins of new people, ${options.concurrency} at once, ${options.rounds} rounds of ${options.seconds} s${
    CORES.load === null ? ', cores not pinned' : ', one core for the server, another for load and provider'}`)
  printTable(standings.map((standing) => rowOf(standing, 'logins')))
  printTarget('Leadlatch, share of the floor', ratioOf(standings, 'Leadlatch'), { atLeast: 0.7 })
  printTarget("p99 of Leadlatch in shares of the floor's", p99RatioOf(standings, 'Leadlatch', FLOOR), { atMost: 1.5 })
}

// Its own process, so that nothing of the rounds before is still being let go.
async function watchMemory (): Promise<void> {
  const entry = await enter('memory', (path) => startLeadlatch('memory', path, providerSettings()))
  await run(entry, { logins: MEMORY_WARM_UP })
  const before = await entry.contestant.readUsage({ isCollected: true })
  await run(entry, { logins: MEMORY_LOGINS })
  const after = await entry.contestant.readUsage({ isCollected: true })
  console.log(`\nMemory of Leadlatch over ${MEMORY_LOGINS.toLocaleString('en-US')} logins, after a garbage collection`)
  printTable([['heap', before.heapBytes, after.heapBytes] as const, ['RSS', before.rssBytes, after.rssBytes] as const].map(([name, from, to]) => ({
    memory: name, before: formatMB(from), after: formatMB(to), 'a login': `${((to - from) / MEMORY_LOGINS).toFixed(0)} bytes`
  })))
}

function profile (entry: Entry): Promise<void> {
  return printProfileOf(entry.contestant, () => run(entry, { seconds: options.seconds }))
}

async function enter (name: string, start: (path: string, shopId: string) => Promise<Contestant>): Promise<Entry> {
  const path = join(folder, `${name}.db`)
  const { shopId, key } = await prepare(path, REDIRECT_URI)
  const entry = { contestant: await start(path, shopId), shop: { shopId, key }, path }
  entries.push(entry)
  return entry
}

function startFloor (name: string, path: string, shopId: string, grouped: string): Promise<Contestant> {
  return startContestant(name, 'login-floor.ts', { settings: { path, shopId, grouped, redirectURI: REDIRECT_URI, provider: provider.address } })
}

function providerSettings (): Record<string, string> {
  return {
    LEADLATCH_INSTAGRAM_CLIENT_ID: '1',
    LEADLATCH_INSTAGRAM_CLIENT_SECRET: 'secret',
    LEADLATCH_INSTAGRAM_TOKEN_URL: `${provider.address}/oauth/access_token`,
    LEADLATCH_INSTAGRAM_GRAPH_URL: provider.address
  }
}

async function run ({ contestant, shop }: Entry, until: { seconds: number } | { logins: number }) {
  const load = await runLogins(contestant, shop, { firstPerson: nextPerson, concurrency: options.concurrency, until })
  nextPerson += load.done + options.concurrency
  return load
}

function entryOf (contestant: Contestant): Entry {
  const entry = entries.find((each) => each.contestant === contestant)
  if (entry === undefined) throw new Error('This contestant did not enter.')
  return entry
}

// Twice the same person: made the first time, known the second, with the profile that the provider gave.
async function checkLogins ({ contestant, shop }: Entry): Promise<void> {
  const pool = new Pool(contestant.address)
  const person = nextPerson++
  const [first, second] = [JSON.parse(await signIn(pool, shop, person)), JSON.parse(await signIn(pool, shop, person))]
  await pool.close()
  const expected = profileOf(person)
  const [identity] = first.customer.identities
  assert.deepEqual([first.customer.created, second.customer.created, second.customer.id], [true, false, first.customer.id])
  assert.deepEqual(
    [identity.provider_user_id, identity.provider_account_id, identity.username, identity.name, identity.account_type, identity.picture_url],
    [expected.id, expected.user_id, expected.username, expected.name, expected.account_type, expected.profile_picture_url])
  assert.equal(typeof first.access_token, 'string')
}

// Whoever answered without writing would win.
function checkRows ({ contestant, path }: Entry): void {
  const connection = new SQLite(path, { readonly: true })
  const row = connection.prepare<[], Record<string, number>>(`select (select count(*) from claims) as claims, (select count(*) from customers) as customers,
    (select count(*) from identities) as identities, (select count(*) from tokens) as tokens,
    (select sum(login_count) from identities) as logins`).get()
  connection.close()
  assert(row !== undefined && (row['tokens'] ?? 0) > 0, `${contestant.name} wrote nothing`)
  const { claims, logins, customers, identities, tokens } = row
  assert.deepEqual([claims, customers, identities], [logins, identities, tokens], `${contestant.name} did not write all of its logins`)
}
