import type { Server } from 'node:http'
import { Session } from 'node:inspector/promises'
import type { Usage } from './contestants.ts'
import type { Profile } from './profile.ts'

/** The settings that `startContestant` was given. */
export function readSettings (): Record<string, string> {
  const settings: unknown = JSON.parse(process.argv[2] ?? '{}')
  if (typeof settings !== 'object' || settings === null) throw new TypeError('The settings must be an object.')
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
}

/** One of the settings. */
export function readSetting (settings: Record<string, string>, name: string): string {
  const value = settings[name]
  if (value === undefined) throw new TypeError(`The setting ${name} is missing.`)
  return value
}

/** Tells the bench where this process listens, and from then on what it uses; ends when the bench says so or is gone. */
export function announce (address: string, close: () => unknown): void {
  const end = () => {
    Promise.resolve(close()).then(() => process.exit(0), () => process.exit(1))
  }
  process.on('message', (message) => {
    if (message === 'stop') end()
    else answer(message).then((reply) => process.send?.(reply), end)
  })
  process.on('disconnect', end)
  process.send?.(address)
}

/** Has a bare server listen on a free port, and announces it. */
export function listen (server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address()
    if (address === null || typeof address === 'string') throw new TypeError('The server has no port.')
    announce(`http://127.0.0.1:${address.port}`, () => server.closeAllConnections())
  })
}

let profiler: Session | undefined

async function answer (question: unknown): Promise<Usage | Profile | string> {
  if (question === 'profile') return startProfile()
  if (question === 'profiled') return stopProfile()
  return readUsage(question === 'collect')
}

// Begun on request, not with the process: how a server starts is not what a bench is about.
async function startProfile (): Promise<string> {
  profiler = new Session()
  profiler.connect()
  await profiler.post('Profiler.enable')
  await profiler.post('Profiler.setSamplingInterval', { interval: 250 })
  await profiler.post('Profiler.start')
  return 'profiling'
}

async function stopProfile (): Promise<Profile> {
  if (profiler === undefined) throw new Error('Nothing is profiled.')
  const { profile } = await profiler.post('Profiler.stop')
  profiler.disconnect()
  return profile
}

function readUsage (isCollected: boolean): Usage {
  if (isCollected) globalThis.gc?.()
  const { rss, heapUsed } = process.memoryUsage()
  const { user, system } = process.cpuUsage()
  return { rssBytes: rss, heapBytes: heapUsed, peakRSSBytes: process.resourceUsage().maxRSS * 1024, cpuMicros: user + system }
}
