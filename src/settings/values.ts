import { SECRET_SETTINGS } from './names.ts'

/** The settings that are not empty, by name. */
export type Values = Record<string, string>

/** Reads a file as text; throws what `node:fs` throws. */
export type ReadFile = (path: string) => string

/**
 * The settings that are given, secrets from their files included. Empty counts as unset, as
 * composed environments leave empty what they do not fill.
 * @param problems takes one line for each setting that cannot be read, never with its value
 */
export function readValues (
  environment: Readonly<Record<string, string | undefined>>, readFile: ReadFile, problems: string[]
): Values {
  const values: Values = {}
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value !== '') values[name] = value
  }
  for (const name of SECRET_SETTINGS) {
    const path = values[`${name}_FILE`]
    if (path === undefined) continue
    if (values[name] !== undefined) problems.push(`${name} and ${name}_FILE must not both be set.`)
    else readSecret(name, path, readFile, values, problems)
  }
  return values
}

function readSecret (name: string, path: string, readFile: ReadFile, values: Values, problems: string[]): void {
  try {
    const secret = readFile(path).replace(/\r?\n$/, '')
    if (secret === '') problems.push(`${name}_FILE must name a file that is not empty.`)
    else values[name] = secret
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    problems.push(`${name}_FILE must name a file that can be read${reason}.`)
  }
}
