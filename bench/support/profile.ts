import type { Profiler } from 'node:inspector'
import { fileURLToPath } from 'node:url'
import { printTable } from './report.ts'

/** What V8's profiler answers. */
export type Profile = Profiler.Profile

type Node = Profile['nodes'][number]

const PROJECT = fileURLToPath(new URL('../../', import.meta.url))
const LEFT_OUT = /^\(idle\)|node:inspector/

/** Prints where a profiled process spent its time: by function, and by package with the native code that it called. */
export function printProfile (profile: Profile, { entries = 30 } = {}): void {
  const micros = new Map<number, number>()
  profile.samples?.forEach((id, i) => micros.set(id, (micros.get(id) ?? 0) + (profile.timeDeltas?.[i] ?? 0)))
  const parents = new Map(profile.nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)))
  const callerOf = (node: Node): Node | undefined => parents.get(node.id)
  const timed = profile.nodes
    .map((node) => ({ node, time: micros.get(node.id) ?? 0 }))
    .filter(({ node, time }) => time > 0 && !LEFT_OUT.test(nameOf(node)))
  const byFunction = timed.map(({ node, time }) => ({ time, name: node.callFrame.url === '' ? nativeName(node, callerOf(node)) : nameOf(node) }))
  const byPackage = timed.map(({ node, time }) => ({ time, name: packageOf(node, callerOf) }))
  printShares('own time in', byFunction, entries)
  console.log()
  printShares('with native calls', byPackage, 15)
}

function printShares (heading: string, times: ReadonlyArray<{ name: string, time: number }>, entries: number): void {
  const sums = new Map<string, number>()
  for (const { name, time } of times) sums.set(name, (sums.get(name) ?? 0) + time)
  const total = times.reduce((sum, { time }) => sum + time, 0)
  const sorted = Array.from(sums).sort(([, a], [, b]) => b - a).slice(0, entries)
  printTable(sorted.map(([name, time]) => ({ [heading]: name, share: `${(time / total * 100).toFixed(1)} %` })))
}

function nameOf ({ callFrame: { functionName, url, lineNumber } }: Node): string {
  const path = url.startsWith('file:') ? fileURLToPath(url) : url
  const name = functionName || '(anonymous)'
  return path === '' ? name : `${name} ${path.replace(PROJECT, '').replace('node_modules/', '')}:${lineNumber + 1}`
}

// Native functions often have no name: then their caller says more.
function nativeName (node: Node, caller: Node | undefined): string {
  const name = node.callFrame.functionName
  return name.startsWith('(') && name !== '(anonymous)' ? name : `native ${name === '(anonymous)' ? '' : name} < ${caller === undefined ? '' : nameOf(caller)}`
}

function packageOf (node: Node, callerOf: (node: Node) => Node | undefined): string {
  const { url, functionName } = node.callFrame
  if (url.startsWith('node:')) return 'node'
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1]
  if (inPackage !== undefined) return inPackage
  if (url !== '') return (url.startsWith('file:') ? fileURLToPath(url) : url).replace(PROJECT, '')
  const caller = callerOf(node)
  return /^\((?!anonymous)/.test(functionName) || caller === undefined ? functionName : packageOf(caller, callerOf)
}
