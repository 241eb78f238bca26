import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { printTable } from './report.ts'

type CallFrame = { functionName: string, url: string, lineNumber: number }

type Profile = { nodes: Array<{ id: number, callFrame: CallFrame }>, samples: number[], timeDeltas: number[] }

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** A new folder for the files of the profiler. */
export function createProfileFolder (): string {
  return mkdtempSync(join(tmpdir(), 'leadlatch-profile-'))
}

/** Prints in which functions a profiled process spent its time, the function's own time alone. */
export function printProfile (folder: string, { entries = 30 } = {}): void {
  const [file] = readdirSync(folder)
  if (file === undefined) throw new Error('The profiler wrote nothing.')
  const profile: Profile = JSON.parse(readFileSync(join(folder, file), 'utf8'))
  rmSync(folder, { recursive: true })
  const micros = new Map<number, number>()
  profile.samples.forEach((id, i) => micros.set(id, (micros.get(id) ?? 0) + (profile.timeDeltas[i] ?? 0)))
  const byFunction = new Map<string, number>()
  for (const { id, callFrame } of profile.nodes) {
    const name = nameOf(callFrame)
    byFunction.set(name, (byFunction.get(name) ?? 0) + (micros.get(id) ?? 0))
  }
  byFunction.delete('(idle)')
  const total = Array.from(byFunction.values()).reduce((sum, each) => sum + each, 0)
  const sorted = Array.from(byFunction).sort(([, a], [, b]) => b - a).slice(0, entries)
  printTable(sorted.map(([name, time]) => ({ 'own time in': name, share: `${(time / total * 100).toFixed(1)} %` })))
}

function nameOf ({ functionName, url, lineNumber }: CallFrame): string {
  const name = functionName || '(anonymous)'
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  return path === '' ? name : `${name} ${path.replace(PROJECT, '').replace('node_modules/', '')}:${lineNumber + 1}`
}
