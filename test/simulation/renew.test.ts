import { test } from 'tap'
import { openWorld, simulate } from './world.ts'

const SEEDS = 2000
// One history again: SIMULATION_SEED=123 tap test/simulation/renew.test.ts
const only = process.env.SIMULATION_SEED

test('T-64: whatever crashes, stalls or fails, no token is lost, none refreshed twice, none older than before, all fresh in the end', async (t) => {
  const database = await openWorld()
  t.teardown(() => database.close())
  const seeds = only === undefined ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [Number(only)]
  for (const seed of seeds) {
    const broken = await simulate(database, seed)
    if (broken.length > 0) t.fail(`seed ${seed}: ${broken.slice(0, 3).join('; ')}`)
    if (broken.length > 0 && t.counts.fail >= 5) break
  }
  t.pass(`${seeds.length} histories`)
})
