import { strict as assert } from 'node:assert'
import { Pool } from 'undici'
import { type Contestant, startContestant } from './support/contestants.ts'
import { CORES, pinLoad } from './support/cores.ts'
import { printProfileOf, startLeadlatch } from './support/leadlatch.ts'
import { type LookupKey, lookUp, pickLookup, runLookups } from './support/lookups.ts'
import { parseOptions } from './support/options.ts'
import { printTable, printTarget } from './support/report.ts'
import { p99RatioOf, ratioOf, rowOf, takeTurns } from './support/rounds.ts'
import { seed, type Seeded } from './support/seed.ts'

const FLOOR = 'bare Fastify + better-sqlite3'
const SAMPLES = 200
const KEYS: readonly LookupKey[] = ['id', 'external_id']

const options = parseOptions({ rounds: 7, seconds: 3, rows: 1_000_000, concurrency: 32 })
pinLoad()
const seeded = await seed(options.rows)
const { path } = seeded

const contestants = await Promise.all([
  startContestant(FLOOR, 'lookup-floor.ts', { settings: { path } }),
  startLeadlatch('Leadlatch', path),
  startLeadlatch('Leadlatch, log silent', path, { LEADLATCH_LOG_LEVEL: 'silent' })
])
try {
  for (const by of KEYS) await compare(by)
  if (options.isProfiled) for (const contestant of contestants.slice(0, 2)) await profile(contestant)
} finally {
  await Promise.all(contestants.map((contestant) => contestant.close()))
}

async function compare (by: LookupKey): Promise<void> {
  await checkAnswers(contestants, seeded, by)
  const standings = await takeTurns(contestants, {
    rounds: options.rounds,
    floorName: FLOOR,
    run: (contestant) => runLookups(contestant, seeded, { by, seconds: options.seconds, connections: options.concurrency })
  })
  console.log(`\nLookup by ${by} over ${options.rows.toLocaleString('en-US')} customers, ${options.concurrency} connections, ${
    options.rounds} rounds of ${options.seconds} s${CORES.load === null ? ', cores not pinned' : ', one core each for server and load'}`)
  printTable(standings.map((standing) => rowOf(standing, 'lookups')))
  printTarget(`Leadlatch by ${by}, share of the floor`, ratioOf(standings, 'Leadlatch'), { atLeast: 0.85 })
  console.log(`        p99 of Leadlatch in shares of the floor's: ${p99RatioOf(standings, 'Leadlatch', FLOOR).toFixed(2)}`)
}

function profile (contestant: Contestant): Promise<void> {
  return printProfileOf(contestant, () =>
    runLookups(contestant, seeded, { by: 'id', seconds: options.seconds, connections: options.concurrency }))
}

// A bench that compares different answers compares nothing.
async function checkAnswers (all: readonly Contestant[], from: Seeded, by: LookupKey): Promise<void> {
  const pools = all.map(({ address }) => new Pool(address))
  for (let i = 0; i < SAMPLES; i++) {
    const lookup = pickLookup(from, by)
    const [expected, ...others] = await Promise.all(pools.map((pool) => lookUp(pool, from, lookup)))
    assert(expected?.includes('"identities":[{'), 'a lookup found nobody')
    for (const other of others) assert.equal(other, expected, `the answers to ${lookup} differ`)
  }
  await Promise.all(pools.map((pool) => pool.close()))
}
