import type { Contestant } from './contestants.ts'
import { formatCount, formatMB, formatMs } from './report.ts'
import { type Latency, median } from './statistics.ts'

/** What a load did to a contestant. */
export type Load = { done: number, elapsedMs: number, latency: Latency | null }

/** One contestant in one round. */
export type Measured = { perSecond: number, latency: Latency | null, cpuMicros: number, busy: number, rssBytes: number }

/**
 * A contestant's rounds, and each of them as a share of the floor's round: by what was done in the time, and by
 * the CPU time that it took, which says more where others use the machine.
 */
export type Standing = { name: string, rounds: Measured[], ratios: number[], cpuRatios: number[] }

/**
 * Has contestants take turns, in the other direction each round, so that what else happens on the
 * machine falls on all of them. A first round warms up and is not counted.
 * @param floorName the contestant that the others are measured by
 */
export async function takeTurns (contestants: readonly Contestant[], options: {
  rounds: number, floorName: string, run: (contestant: Contestant, round: number) => Promise<Load>
}): Promise<Standing[]> {
  const measured = new Map<string, Measured[]>(contestants.map(({ name }) => [name, []]))
  for (let round = 0; round <= options.rounds; round++) {
    for (const contestant of round % 2 === 0 ? contestants : contestants.toReversed()) {
      const result = await measure(contestant, () => options.run(contestant, round))
      if (round > 0) measured.get(contestant.name)?.push(result)
    }
  }
  const floor = measured.get(options.floorName) ?? []
  return Array.from(measured, ([name, rounds]) => ({
    name,
    rounds,
    ratios: rounds.map(({ perSecond }, i) => perSecond / (floor[i]?.perSecond ?? NaN)),
    cpuRatios: rounds.map(({ cpuMicros }, i) => (floor[i]?.cpuMicros ?? NaN) / cpuMicros)
  }))
}

async function measure (contestant: Contestant, run: () => Promise<Load>): Promise<Measured> {
  const before = await contestant.readUsage()
  const { done, elapsedMs, latency } = await run()
  const after = await contestant.readUsage()
  const cpuMicros = after.cpuMicros - before.cpuMicros
  return {
    perSecond: done / elapsedMs * 1000, latency, cpuMicros: cpuMicros / done, busy: cpuMicros / 1000 / elapsedMs, rssBytes: after.rssBytes
  }
}

/** The share of the floor that a contestant reached: the median of its rounds. */
export function ratioOf (standings: readonly Standing[], name: string): number {
  return median(standings.find((standing) => standing.name === name)?.ratios ?? [])
}

/** A contestant's p99 in shares of the floor's, round by round: the median. */
export function p99RatioOf (standings: readonly Standing[], name: string, floorName: string): number {
  const p99s = (wanted: string) => standings.find((standing) => standing.name === wanted)?.rounds.map(({ latency }) => latency?.p99Ms ?? NaN) ?? []
  const floor = p99s(floorName)
  return median(p99s(name).map((p99Ms, i) => p99Ms / (floor[i] ?? NaN)))
}

/** A row of the table: medians over the rounds, and the span of the ratios. */
export function rowOf ({ name, rounds, ratios, cpuRatios }: Standing, unit: string): Record<string, string> {
  const of = (read: (round: Measured) => number) => median(rounds.map(read))
  const ms = (read: (latency: Latency) => number) => rounds[0]?.latency === null
    ? '–'
    : formatMs(of(({ latency }) => latency === null ? NaN : read(latency)))
  return {
    contestant: name,
    [`${unit}/s`]: formatCount(of(({ perSecond }) => perSecond)),
    ratio: median(ratios).toFixed(2),
    'of rounds': `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
    'by CPU': median(cpuRatios).toFixed(2),
    p50: ms(({ p50Ms }) => p50Ms),
    p95: ms(({ p95Ms }) => p95Ms),
    p99: ms(({ p99Ms }) => p99Ms),
    'CPU each': `${of(({ cpuMicros }) => cpuMicros).toFixed(1)} µs`,
    busy: `${(of(({ busy }) => busy) * 100).toFixed(0)} %`,
    RSS: formatMB(of(({ rssBytes }) => rssBytes))
  }
}
