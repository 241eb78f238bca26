import { performance } from 'node:perf_hooks'
import { Pool } from 'undici'
import type { Contestant } from './contestants.ts'
import type { Load } from './rounds.ts'
import type { Seeded } from './seed.ts'

export type ExportFormat = 'csv' | 'ndjson' | 'json'

const LINE_FEED = 10

/** The address of an export of all leads, or of those first seen since a time. */
export function exportPath (format: ExportFormat, sinceMs?: number): string {
  return `/v1/leads/export?format=${format}${sinceMs === undefined ? '' : `&since=${new Date(sinceMs).toISOString()}`}`
}

/**
 * Reads a whole export and throws it away, counting its lines.
 * @throws {Error} when it is not answered with 200, or breaks off
 */
export async function drainExport (address: string, key: string, path: string, take: (chunk: Buffer) => void = () => {}): Promise<{ bytes: number, lines: number }> {
  const pool = new Pool(address, { connections: 1 })
  const { statusCode, body } = await pool.request({ method: 'GET', path, headers: { authorization: `Bearer ${key}` } })
  if (statusCode !== 200) throw new Error(`An export was answered with ${statusCode}.`)
  let bytes = 0
  let lines = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    bytes += chunk.length
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines++
    take(chunk)
  }
  await pool.close()
  return { bytes, lines }
}

/** One export of everything. @throws {Error} when a row is missing */
export async function runExport (contestant: Contestant, seeded: Seeded, format: ExportFormat): Promise<Load> {
  const startedMs = performance.now()
  const { lines, bytes } = await drainExport(contestant.address, seeded.key, exportPath(format))
  const elapsedMs = performance.now() - startedMs
  const rows = format === 'csv' ? lines - 1 : lines
  // JSON has no lines to count; no row of it is shorter than this.
  if (format === 'json' ? bytes < seeded.rows * 300 : rows !== seeded.rows) throw new Error(`${contestant.name} exported ${rows} rows of ${seeded.rows}.`)
  return { done: seeded.rows, elapsedMs, latency: null }
}

/** A small export as one text. */
export async function readExport (address: string, key: string, path: string): Promise<string> {
  const chunks: Buffer[] = []
  await drainExport(address, key, path, (chunk) => chunks.push(chunk))
  return Buffer.concat(chunks).toString('utf8')
}
