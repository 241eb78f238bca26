import { strict as assert } from 'node:assert'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import SQLite from 'better-sqlite3'
import { startEmulator } from '../src/emulator/emulator.ts'
import { type Contestant, startContestant } from './support/contestants.ts'
import { CORES, pinLoad } from './support/cores.ts'
import { fillTokens } from './support/due-tokens.ts'
import { printProfileOf } from './support/leadlatch.ts'
import { parseOptions } from './support/options.ts'
import { printTable, printTarget } from './support/report.ts'
import { type Load, ratioOf, rowOf, takeTurns } from './support/rounds.ts'
import { prepare } from './support/seed.ts'

const FLOOR = 'bare loop'
const LEADLATCH = 'Leadlatch'
// A token is refreshed at most once in 24 hours: each run is two days after the one before.
const STEP_MS = 2 * 86_400_000

type Entry = { contestant: Contestant, path: string }

const options = parseOptions({ rounds: 7, seconds: 1, rows: 4000, concurrency: 16 })
pinLoad()
const folder = mkdtempSync(join(tmpdir(), 'leadlatch-bench-refresh-'))
// In this process, which does nothing else while a contestant runs.
const emulator = await startEmulator()
const environment = Object.fromEntries(Object.entries(emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY')))
const graphURL = emulator.settings['LEADLATCH_INSTAGRAM_GRAPH_URL'] ?? ''
const entries: Entry[] = []
let aheadMs = 0

try {
  await enter(FLOOR, 'refresh-floor.ts', { graphURL, grouped: 'false' })
  await enter(`${FLOOR}, grouped commits`, 'refresh-floor.ts', { graphURL, grouped: 'true' })
  await enter(LEADLATCH, 'refresh-leadlatch.ts', environment)
  const standings = await takeTurns(entries.map(({ contestant }) => contestant), { rounds: options.rounds, floorName: FLOOR, run })
  console.log(`\nRefreshing ${options.rows.toLocaleString('en-US')} due tokens, ${options.concurrency} calls at once, ${options.rounds} rounds${
    CORES.load === null ? ', cores not pinned' : ', one core for the contestant, another for the emulator'}`)
  printTable(standings.map((standing) => rowOf(standing, 'tokens')))
  printTarget('Leadlatch, share of the bare loop', ratioOf(standings, LEADLATCH), { atLeast: 0.7 })
  if (options.isProfiled) {
    for (const { contestant } of entries.filter(({ contestant: { name } }) => name === FLOOR || name === LEADLATCH)) await printProfileOf(contestant, () => run(contestant))
  }
} finally {
  await Promise.all(entries.map(({ contestant }) => contestant.close()))
  await emulator.close()
  rmSync(folder, { recursive: true })
}

async function enter (name: string, file: string, settings: Record<string, string>): Promise<void> {
  const path = join(folder, `${entries.length}.db`)
  const { shopId, vault } = await prepare(path)
  await fillTokens(path, emulator, { shopId, vault, count: options.rows, isSealed: name === LEADLATCH })
  const contestant = await startContestant(name, file, { settings: { ...settings, path, concurrency: String(options.concurrency) } })
  entries.push({ contestant, path })
}

async function run (contestant: Contestant): Promise<Load> {
  aheadMs += STEP_MS
  emulator.control.advance(STEP_MS)
  emulator.control.resetCalls()
  await ask(contestant, `/reset?ahead=${aheadMs}`)
  const { elapsedMs } = await ask(contestant, '/run')
  checkRefreshed(contestant)
  return { done: options.rows, elapsedMs, latency: null }
}

async function ask ({ address }: Contestant, path: string): Promise<{ elapsedMs: number }> {
  const response = await fetch(address + path)
  assert.equal(response.status, 200)
  return { elapsedMs: Number(Object(await response.json()).elapsedMs) }
}

// Whoever answered without refreshing, or without storing it, would win.
function checkRefreshed (contestant: Contestant): void {
  const granted = emulator.control.calls().filter(({ endpoint, status }) => endpoint === 'refresh' && status === 200).length
  assert.equal(granted, options.rows, `${contestant.name} refreshed ${granted} tokens`)
  const path = entries.find((entry) => entry.contestant === contestant)?.path ?? ''
  const connection = new SQLite(path, { readonly: true })
  const row = connection.prepare<[number], { total: number }>('select count(*) as total from tokens where obtained_at_ms >= ?').get(Date.now() + aheadMs - STEP_MS / 2)
  connection.close()
  assert.equal(row?.total, options.rows, `${contestant.name} did not store all of them`)
}
