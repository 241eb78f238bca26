import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { Agent } from 'undici'
import { examine, type Patient, type Report } from '../../../src/flows/doctor/doctor.ts'
import type { Finding, Group, Notes } from '../../../src/flows/doctor/finding.ts'
import { takeNotes } from '../../../src/flows/doctor/finding.ts'

/** Examines a folder with a database `leadlatch.db`; what a test does not give is right. */
export async function examineIn (t: Test, folder: string, options: Partial<Patient> & { settings?: Record<string, string> } = {}): Promise<Report> {
  const { settings, ...rest } = options
  const dispatcher = new Agent()
  t.teardown(() => dispatcher.destroy())
  return examine({
    environment: { LEADLATCH_PUBLIC_URL: 'http://localhost:1', DATABASE_URL: `sqlite:${folder}/leadlatch.db`, ...settings },
    envFile: {},
    envFileFault: null,
    readFile: (path) => readFileSync(path, 'utf8'),
    version: '0.1.0',
    nodeVersion: '24.12.0',
    folder,
    userId: process.geteuid?.(),
    dispatcher,
    now: Date.now,
    ...rest
  })
}

/** The findings with this code. */
export function found ({ findings }: { findings: readonly Finding[] }, code: string): Finding[] {
  return findings.filter((finding) => finding.code === code)
}

/** The codes of what is not in order, by level. */
export function faults ({ findings }: { findings: readonly Finding[] }, group?: Group): string[] {
  return findings.filter((finding) => finding.level !== 'ok' && (group === undefined || finding.group === group)).map(({ level, code }) => `${level} ${code}`)
}

/** Notes of one group alone. */
export function collect (group: Group): { notes: Notes, findings: Finding[] } {
  const findings: Finding[] = []
  return { notes: takeNotes(group, findings), findings }
}
