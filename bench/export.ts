import { strict as assert } from 'node:assert'
import { type Contestant, startContestant } from './support/contestants.ts'
import { CORES, pinLoad } from './support/cores.ts'
import { drainExport, type ExportFormat, exportPath, readExport, runExport } from './support/exports.ts'
import { printProfileOf, startLeadlatch } from './support/leadlatch.ts'
import { paceLookups, runLookups } from './support/lookups.ts'
import { parseOptions } from './support/options.ts'
import { STEP_MS } from './support/people.ts'
import { formatCount, formatMB, formatMs, printTable, printTarget } from './support/report.ts'
import { ratioOf, rowOf, takeTurns } from './support/rounds.ts'
import { seed } from './support/seed.ts'
import { median, summarize } from './support/statistics.ts'

const FLOOR = 'hand-joined CSV'
const FORMATS: readonly ExportFormat[] = ['csv', 'ndjson', 'json']
const CHECKED_ROWS = 5000
const PAUSE_MS = 5

const options = parseOptions({ rounds: 7, seconds: 3, rows: 1_000_000, concurrency: 16 })
pinLoad()
const seeded = await seed(options.rows)
const { path, shopId, key } = seeded

const floor = await startContestant(FLOOR, 'export-floor.ts', { settings: { path, shopId } })
// One process for all formats; the name says which one is asked for.
const leadlatch = await startLeadlatch('Leadlatch', path)
try {
  await checkAnswers()
  await watchMemory()
  await compare()
  await watchLookups()
  if (options.isProfiled) {
    for (const format of FORMATS) await printProfileOf({ ...leadlatch, name: nameOf(format) }, () => runExport(leadlatch, seeded, format))
    await printProfileOf(floor, () => runExport(floor, seeded, 'csv'))
  }
} finally {
  await Promise.all([floor.close(), leadlatch.close()])
}

async function compare (): Promise<void> {
  const entries = FORMATS.map((format) => ({ format, contestant: { ...leadlatch, name: nameOf(format) } }))
  const standings = await takeTurns([floor, ...entries.map(({ contestant }) => contestant)], {
    rounds: options.rounds,
    floorName: FLOOR,
    run: (contestant) => runExport(contestant, seeded, entries.find((entry) => entry.contestant === contestant)?.format ?? 'csv')
  })
  console.log(`\nExport of ${formatCount(options.rows)} leads, ${options.rounds} rounds${
    CORES.load === null ? ', cores not pinned' : ', one core each for server and reader'}`)
  printTable(standings.map((standing) => {
    const { p50, p95, p99, ...row } = rowOf(standing, 'rows')
    return row
  }))
  printTarget('CSV, share of the floor', ratioOf(standings, nameOf('csv')), { atLeast: 0.8 })
  printTarget('NDJSON, share of the floor', ratioOf(standings, nameOf('ndjson')), { atLeast: 1.1 })
}

// The first exports of a fresh process: its peak after a tenth of the rows, and after all of them.
async function watchMemory (): Promise<void> {
  const tenth = seeded.startMs + Math.floor(options.rows * 0.9) * STEP_MS
  const rows: Array<Record<string, string>> = []
  for (const [name, sinceMs] of [['a tenth', tenth], ['all', undefined]] as const) {
    for (const format of FORMATS) await drainExport(leadlatch.address, key, exportPath(format, sinceMs))
    const { peakRSSBytes, heapBytes } = await leadlatch.readUsage({ isCollected: true })
    rows.push({ 'rows exported': name, 'peak RSS until then': formatMB(peakRSSBytes), 'heap left': formatMB(heapBytes) })
  }
  console.log('\nMemory of Leadlatch, each format once')
  printTable(rows)
}

async function watchLookups (): Promise<void> {
  const paced: Record<'idle' | 'exporting', number[]> = { idle: [], exporting: [] }
  const full: Record<'idle' | 'exporting', number[]> = { idle: [], exporting: [] }
  const measure = async (state: 'idle' | 'exporting') => {
    paced[state].push(summarize(await paceLookups(leadlatch, seeded, { seconds: options.seconds, pauseMs: PAUSE_MS })).p95Ms)
    const { latency } = await runLookups(leadlatch, seeded, { by: 'id', seconds: options.seconds, connections: options.concurrency })
    full[state].push(latency?.p95Ms ?? NaN)
  }
  for (let round = 0; round < options.rounds; round++) {
    await measure('idle')
    const reader = await startContestant('reader', 'export-reader.ts', {
      settings: { address: leadlatch.address, key, path: exportPath('csv') }, core: CORES.other
    })
    await measure('exporting')
    await reader.close()
  }
  console.log('\np95 of lookups by id while a CSV export runs')
  printTable([[`one every ${PAUSE_MS} ms`, paced] as const, [`${options.concurrency} connections, as fast as they go`, full] as const].map(([name, p95s]) => ({
    lookups: name,
    idle: formatMs(median(p95s.idle)),
    exporting: formatMs(median(p95s.exporting)),
    ratio: median(p95s.exporting.map((p95, i) => p95 / (p95s.idle[i] ?? NaN))).toFixed(2)
  })))
  for (const [name, p95s] of [['paced', paced], ['full', full]] as const) {
    printTarget(`p95 of ${name} lookups during an export`, median(p95s.exporting.map((p95, i) => p95 / (p95s.idle[i] ?? NaN))), { atMost: 2 })
  }
}

// The floor's CSV is byte for byte ours, and the other formats hold the same leads in the same order.
async function checkAnswers (): Promise<void> {
  const whole = async ({ address }: Contestant) => {
    let checksum = 0
    const { bytes, lines } = await drainExport(address, key, exportPath('csv'), (chunk) => {
      for (let i = 0; i < chunk.length; i++) checksum = (checksum * 31 + (chunk[i] ?? 0)) >>> 0
    })
    return { bytes, lines, checksum }
  }
  const expected = await whole(floor)
  assert.equal(expected.lines, options.rows + 1)
  assert.deepEqual(await whole(leadlatch), expected, "Leadlatch's CSV is not the floor's")
  const sinceMs = seeded.startMs + Math.max(0, options.rows - CHECKED_ROWS) * STEP_MS
  const [csv = '', ndjson = '', json = ''] = await Promise.all(FORMATS.map((format) => readExport(leadlatch.address, key, exportPath(format, sinceMs))))
  const ids = csv.trimEnd().split('\r\n').slice(1).map((line) => line.slice(0, line.indexOf(',')))
  const idOf = (lead: { id: string }) => lead.id
  assert.equal(ids.length, Math.min(CHECKED_ROWS, options.rows))
  assert.deepEqual(ndjson.trimEnd().split('\n').map((line) => idOf(JSON.parse(line))), ids)
  assert.deepEqual(JSON.parse(json).data.map(idOf), ids)
}

function nameOf (format: ExportFormat): string {
  return `Leadlatch, ${format.toUpperCase()}`
}
