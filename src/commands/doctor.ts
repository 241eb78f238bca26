import type { Command } from 'commander'
import { Agent } from 'undici'
import { ConfigError, type Environment } from '../config.ts'
import { addEnvFile } from '../env-file.ts'
import { examine, type Report } from '../flows/doctor/doctor.ts'
import { countOf, type Finding, GROUPS, type Level } from '../flows/doctor/finding.ts'
import type { SettingSource } from '../flows/doctor/settings.ts'
import { readVersion } from '../version.ts'
import { CommandError, type Edge } from './edge.ts'
import { printJSON, printLine, printTable } from './print.ts'

const SIGNS: Readonly<Record<Level, string>> = { ok: '  ok     ', warning: '  warning', error: '  ERROR  ' }
const CURE_INDENT = ' '.repeat(13)

/** Adds `doctor`. */
export function addDoctorCommand (program: Command, edge: Edge): void {
  program.command('doctor').description('look for what is wrong, and say the cure; changes nothing')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => doctor(edge, options))
}

async function doctor (edge: Edge, options: { json?: boolean }): Promise<void> {
  const dispatcher = new Agent()
  const report = await examine({
    ...readSources(edge),
    readFile: edge.readFile,
    version: readVersion(),
    nodeVersion: process.versions.node,
    folder: edge.folder,
    userId: edge.userId,
    dispatcher,
    now: edge.now
  }).finally(() => dispatcher.destroy())
  const [errors, warnings] = (['error', 'warning'] as const).map((level) => report.findings.filter((finding) => finding.level === level).length)
  if (options.json === true) printJSON(edge, { ...jsonOf(report), errors, warnings })
  else printReport(edge, report)
  if (errors !== undefined && errors > 0) throw new CommandError(`The doctor found ${countOf(errors, 'error')} and ${countOf(warnings ?? 0, 'warning')}.`)
  if (options.json === true) return
  printLine(edge)
  printLine(edge, warnings === 0 ? 'Nothing is wrong.' : `No errors, ${countOf(warnings ?? 0, 'warning')}.`)
}

function readSources (edge: Edge): { environment: Environment, envFile: Environment, envFileFault: string | null } {
  const { environment, folder, userId } = edge
  try {
    return { environment, envFile: addEnvFile({}, folder, userId), envFileFault: null }
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return { environment, envFile: {}, envFileFault: error.message }
  }
}

function printReport (edge: Edge, { settings, findings }: Report): void {
  const given = settings.filter(({ source }) => source !== 'default')
  if (given.length > 0) printTable(edge, ['SETTING', 'FROM'], given.map((setting) => [setting.name, describeSource(setting)]))
  printLine(edge, `Not given: ${settings.filter(({ source }) => source === 'default').map(({ name }) => name).join(', ')}`)
  for (const group of GROUPS) {
    const own = findings.filter((finding) => finding.group === group)
    if (own.length > 0) printGroup(edge, group, own)
  }
}

function printGroup (edge: Edge, group: string, findings: readonly Finding[]): void {
  printLine(edge)
  printLine(edge, group)
  for (const { level, what, cure } of findings) {
    printLine(edge, `${SIGNS[level]}  ${what}`)
    if (cure !== null) printLine(edge, `${CURE_INDENT}${cure}`)
  }
}

function describeSource ({ source, isFile }: SettingSource): string {
  return isFile ? `a file that ${source === '.env' ? source : 'the environment'} names` : source === '.env' ? source : 'the environment'
}

function jsonOf ({ settings, findings }: Report) {
  return { settings: settings.map(({ name, source, isFile }) => ({ name, source, is_file: isFile })), findings }
}
