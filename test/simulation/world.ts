import { createUpkeep, type UpkeepParts } from '../../src/flows/renew.ts'
import { createMetrics } from '../../src/metrics.ts'
import { type Database, integerOrNull, type Row, type Statement } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { createVault } from '../../src/vault.ts'
import { openInstantDatabase } from './instant-database.ts'
import { DAY_MS, simulateProvider } from './provider.ts'
import { createScheduler, type Scheduler } from './scheduler.ts'
import { type Lease, type Watch, watch } from './watch.ts'

const START_MS = Date.UTC(2026, 0, 15)
const CHAOS_MS = 12 * 60_000
const CALM_STEPS = 100
const LEASE_MS = 35_000
const WORKERS = 3
const PEOPLE = ['p0', 'p1', 'p2']

const vault = createVault([{ id: 'test', bytes: Buffer.alloc(32, 7) }])
const metrics = createMetrics()
const silent = { warn: () => {}, error: () => {} }

type Worker = {
  name: string
  leases: Map<string, Lease>
  /** Between any two steps: goes on, stalls, freezes whole, or dies. */
  pass: () => Promise<void>
  died: Promise<void>
}

/** A database that one history after the other uses. */
export async function openWorld (): Promise<Database> {
  const database = openInstantDatabase()
  await migrate(database, { version: '0.1.0', nowMs: START_MS })
  await database.run("insert into shops (id, name, url, id_token_alg, created_at_ms) values ('shp_1', 's', 'https://shop.example', 'RS256', 0)")
  return database
}

/**
 * One history: workers that crash, freeze and stall between any two steps renew due tokens at a provider
 * that misbehaves, while people sign in and are erased; then it grows calm.
 * @returns what was broken, in words; empty when every property held
 */
export async function simulate (database: Database, seed: number): Promise<string[]> {
  const scheduler = createScheduler(seed, START_MS)
  const provider = simulateProvider(scheduler)
  const watched = watch(database, vault, { scheduler, provider, startMs: START_MS })
  await database.run('delete from customers where shop_id = $1', ['shp_1'])
  await database.run('delete from provider_pauses where provider = $1', ['instagram'])
  // Some have no more than hours left.
  for (const person of PEOPLE) await watched.logIn(person, START_MS - scheduler.between(40 * DAY_MS, 59.7 * DAY_MS))
  await database.run("update tokens set work = 'refresh', due_at_ms = $1 where work = 'plan'", [START_MS])

  const partsOf = (worker: Worker): UpkeepParts => {
    const skewMs = scheduler.between(-1000, 1000)
    const seen = provider.as(worker, {
      onAsk: (userId) => watched.checkAsk(worker, userId),
      onCall: (userId) => watched.checkCall(worker, userId)
    })
    return {
      database: observe(database, worker, watched), vault, metrics, providers: new Map([[seen.id, seen]]), now: () => scheduler.nowMs + skewMs
    }
  }
  const work = async (name: string): Promise<void> => {
    while (!provider.isCalm) {
      const worker = createWorker(name, scheduler, () => provider.isCalm)
      const upkeep = createUpkeep(partsOf(worker), silent, { random: scheduler.random, leaseMs: LEASE_MS })
      await Promise.race([worker.died, repeat(async () => {
        await upkeep.run()
        await scheduler.sleep(scheduler.between(20_000, 90_000))
        return !provider.isCalm
      })])
      await scheduler.sleep(scheduler.between(100, 60_000))
    }
  }
  for (let i = 0; i < WORKERS; i++) void work(`w${i}`)
  void live(scheduler, watched, () => provider.isCalm)
  await scheduler.runUntil(START_MS + CHAOS_MS)
  provider.isCalm = true
  await scheduler.runUntil(scheduler.nowMs + 20 * 60_000)
  await growCalm(database, scheduler, watched, partsOf(createWorker('last', scheduler, () => true)))
  return watched.broken
}

// People sign in again, or are erased, while their tokens are worked on.
async function live (scheduler: Scheduler, watched: Watch, isOver: () => boolean): Promise<void> {
  const { sleep, between, chance } = scheduler
  await repeat(async () => {
    await sleep(between(30_000, 400_000))
    if (isOver()) return false
    const person = PEOPLE[between(0, PEOPLE.length)] ?? 'p0'
    await (chance(0.3) ? watched.erase(person) : watched.logIn(person, scheduler.nowMs))
    return true
  })
}

// What a lost reply left unsure is settled a day later: Instagram refreshes no token twice in 24 hours.
async function growCalm (database: Database, scheduler: Scheduler, watched: Watch, parts: UpkeepParts): Promise<void> {
  const upkeep = createUpkeep(parts, silent, { random: scheduler.random, leaseMs: LEASE_MS })
  for (let i = 0; i < CALM_STEPS; i++) {
    await upkeep.run()
    if ((await watched.listStale()).length === 0) return
    const next = await database.get('select min(due_at_ms) as due_at_ms from tokens')
    const dueAtMs = next === undefined ? null : integerOrNull(next, 'due_at_ms')
    await scheduler.runUntil(Math.max(scheduler.nowMs + 600_000, dueAtMs ?? 0))
  }
  watched.broken.push(`never fresh: ${(await watched.listStale()).join(', ')}`)
}

function createWorker (name: string, { chance, between, sleep }: Scheduler, isCalm: () => boolean): Worker {
  let frozen: Promise<void> | undefined
  let isDead = false
  let die = (): void => {}
  const died = new Promise<void>((resolve) => { die = resolve })
  return {
    name,
    leases: new Map(),
    died,
    async pass () {
      if (isCalm()) return
      if (chance(0.004)) {
        isDead = true
        die()
      }
      if (isDead) return new Promise<never>(() => {})
      if (chance(0.006)) frozen = sleep(between(1000, 4 * LEASE_MS))
      if (chance(0.02)) await sleep(between(1, 2 * LEASE_MS))
      else if (chance(0.3)) await sleep(between(0, 50))
      await frozen
      if (isDead) return new Promise<never>(() => {})
    }
  }
}

// The database as a worker sees it: each statement may be its last, and be so before or after it took effect.
function observe (database: Database, worker: Worker, watched: Watch): Database {
  async function step<Result> (statements: readonly Statement[], run: () => Promise<Result>, rowsOf: (result: Result) => readonly Row[][]): Promise<Result> {
    await worker.pass()
    const result = await run()
    const rows = rowsOf(result)
    for (const [i, statement] of statements.entries()) await watched.afterWrite(worker, statement, rows[i] ?? [])
    await worker.pass()
    return result
  }
  return {
    ...database,
    get: (sql, values) => step([], () => database.get(sql, values), () => []),
    all: (sql, values) => step([], () => database.all(sql, values), () => []),
    // Housekeeping on other tables is not what this is about.
    run: (sql, values = []) => sql.startsWith('delete') ? Promise.resolve(0) : step([{ sql, values }], () => database.run(sql, values), () => []),
    batch: (statements) => statements[0]?.sql.startsWith('delete') === true ? Promise.resolve([[]]) : step(statements, () => database.batch(statements), (rows) => rows)
  }
}

async function repeat (step: () => Promise<boolean>): Promise<void> {
  while (await step());
}
