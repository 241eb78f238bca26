import { parseArgs } from 'node:util'

/** What every bench takes from its command line. */
export type BenchOptions = {
  rounds: number
  seconds: number
  /** Customers in the seeded database. */
  rows: number
  /** Requests, or logins, in flight at once. */
  concurrency: number
  /** True: one more round under the profiler, and where the time went. */
  isProfiled: boolean
}

/**
 * Reads `--rounds`, `--seconds`, `--rows`, `--concurrency` and `--profile`.
 * @param defaults what holds for an option that is not given
 */
export function parseOptions (defaults: Omit<BenchOptions, 'isProfiled'>): BenchOptions {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      rows: { type: 'string' },
      concurrency: { type: 'string' },
      profile: { type: 'boolean', default: false }
    }
  })
  const count = (name: 'rounds' | 'seconds' | 'rows' | 'concurrency') => {
    const value = values[name] === undefined ? defaults[name] : Number(values[name])
    if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`--${name} must be a whole number from 1 on.`)
    return value
  }
  return {
    rounds: count('rounds'),
    seconds: count('seconds'),
    rows: count('rows'),
    concurrency: count('concurrency'),
    isProfiled: values.profile
  }
}
