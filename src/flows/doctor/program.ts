import type { Notes } from './finding.ts'

const OLDEST_NODE = [24, 12] as const

/** Examines what Leadlatch runs on. @param nodeVersion such as `24.12.0` */
export function examineProgram (notes: Notes, version: string, nodeVersion: string): void {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
  const [oldestMajor, oldestMinor] = OLDEST_NODE
  const isOld = major < oldestMajor || (major === oldestMajor && minor < oldestMinor)
  if (isOld) notes.fail('node_version', `Node ${nodeVersion} is too old for Leadlatch ${version}.`, `Install Node ${OLDEST_NODE.join('.')} or newer.`)
  else notes.ok('node_version', `Leadlatch ${version} on Node ${nodeVersion}.`)
}
