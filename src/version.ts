import { readFileSync } from 'node:fs'
import { isObject, parseJSON } from './json.ts'

/** The version of this program, from its package.json. */
export function readVersion (): string {
  const manifest = parseJSON(readFileSync(new URL('../package.json', import.meta.url), 'utf8'), { numbers: 'number' })
  if (!isObject(manifest) || typeof manifest.version !== 'string') throw new TypeError('package.json names no version.')
  return manifest.version
}
