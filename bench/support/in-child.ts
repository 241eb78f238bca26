import type { Usage } from './contestants.ts'

/** The settings that `startContestant` was given. */
export function readSettings (): Record<string, string> {
  const settings: unknown = JSON.parse(process.argv[2] ?? '{}')
  if (typeof settings !== 'object' || settings === null) throw new TypeError('The settings must be an object.')
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
}

/** Tells the bench where this process listens, and from then on what it uses; ends when the bench says so or is gone. */
export function announce (address: string, close: () => unknown): void {
  const end = () => {
    Promise.resolve(close()).finally(() => process.exit())
  }
  process.on('message', (message) => {
    if (message === 'stop') end()
    else process.send?.(usage(message === 'collect'))
  })
  process.on('disconnect', end)
  process.send?.(address)
}

function usage (isCollected: boolean): Usage {
  if (isCollected) globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return { rssBytes: rss, heapBytes: heapUsed, peakRSSBytes: process.resourceUsage().maxRSS * 1024, cpuMicros: user + system }
}
