import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { test } from 'tap'

const RUN = fileURLToPath(new URL('run.ts', import.meta.url))
const SEEDS_EACH = 1000

// One history again: node test/simulation/run.ts SEED 1
for (const from of [1, 1 + SEEDS_EACH]) {
  test(`T-64: in the histories ${from} to ${from + SEEDS_EACH - 1} of crashes, stalls and failures no token is lost, none refreshed twice, none older than before, all fresh in the end`, async (t) => {
    const { stdout } = await promisify(execFile)(process.execPath, [RUN, String(from), String(SEEDS_EACH)])
    t.equal(stdout, '')
  })
}
