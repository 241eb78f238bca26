import { performance } from 'node:perf_hooks'
import { setTimeout } from 'node:timers/promises'
import autocannon from 'autocannon'
import { Pool } from 'undici'
import type { Contestant } from './contestants.ts'
import { customerIdOf, externalIdOf } from './people.ts'
import type { Load } from './rounds.ts'
import type { Seeded } from './seed.ts'
import { summarize } from './statistics.ts'

/** By what a lookup finds its customer. */
export type LookupKey = 'id' | 'external_id'

const REQUESTS_A_CONNECTION = 500

/** The address of a lookup of any one customer. */
export function pickLookup (seeded: Seeded, by: LookupKey): string {
  const i = Math.floor(Math.random() * seeded.rows)
  return by === 'id' ? `/v1/customers/${customerIdOf(i, seeded.startMs)}` : `/v1/customers?external_id=${externalIdOf(i)}`
}

/**
 * As many lookups as a contestant answers, each connection asking for customers of its own.
 * @throws {Error} when one was not answered with 200
 */
export async function runLookups (contestant: Contestant, seeded: Seeded, options: {
  by: LookupKey, seconds: number, connections: number
}): Promise<Load> {
  const latenciesMs: number[] = []
  let failed = 0
  const run = autocannon({
    url: contestant.address,
    connections: options.connections,
    duration: options.seconds,
    headers: { authorization: `Bearer ${seeded.key}` },
    setupClient: (client) => client.setRequests(Array.from({ length: REQUESTS_A_CONNECTION }, () => ({
      method: 'GET', path: pickLookup(seeded, options.by)
    })))
  })
  run.on('response', (_client: unknown, status: number, _bytes: number, latencyMs: number) => {
    if (status === 200) latenciesMs.push(latencyMs)
    else failed++
  })
  const { errors, timeouts, duration } = await run
  if (failed + errors + timeouts > 0) throw new Error(`${contestant.name} failed ${failed + errors + timeouts} lookups.`)
  return { done: latenciesMs.length, elapsedMs: duration * 1000, latency: summarize(latenciesMs) }
}

/** Lookups one by one with a pause between them, as a shop's own pages make them; how long each took. */
export async function paceLookups (contestant: Contestant, seeded: Seeded, options: {
  seconds: number, pauseMs: number
}): Promise<number[]> {
  const pool = new Pool(contestant.address, { connections: 1 })
  const latenciesMs: number[] = []
  const endMs = performance.now() + options.seconds * 1000
  while (performance.now() < endMs) {
    const startedMs = performance.now()
    await lookUp(pool, seeded, pickLookup(seeded, 'id'))
    latenciesMs.push(performance.now() - startedMs)
    await setTimeout(options.pauseMs)
  }
  await pool.close()
  return latenciesMs
}

/** The body of one lookup. @throws {Error} when it is not answered with 200 */
export async function lookUp (pool: Pool, seeded: Seeded, path: string): Promise<string> {
  const { statusCode, body } = await pool.request({ method: 'GET', path, headers: { authorization: `Bearer ${seeded.key}` } })
  const text = await body.text()
  if (statusCode !== 200) throw new Error(`A lookup was answered with ${statusCode}.`)
  return text
}
