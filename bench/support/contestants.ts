import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CORES, pinned } from './cores.ts'

/** What a process has used until now; the heap only means something after a collection. */
export type Usage = { rssBytes: number, peakRSSBytes: number, heapBytes: number, cpuMicros: number }

/** A server in a process of its own. */
export type Contestant = {
  name: string
  /** e.g. `http://127.0.0.1:40123` */
  address: string
  readUsage: (options?: { isCollected: boolean }) => Promise<Usage>
  close: () => Promise<void>
}

/**
 * Starts one of the files in `bench/servers/` and waits until it listens. Its log goes nowhere, its
 * errors to this process's standard error.
 * @param options.core where it runs; the contestants' core unless given
 * @param options.profileFolder runs it under the profiler, which writes here when it ends
 */
export async function startContestant (name: string, file: string, options: {
  settings: Record<string, string>
  core?: number | null
  profileFolder?: string
}): Promise<Contestant> {
  const path = fileURLToPath(new URL(`../servers/${file}`, import.meta.url))
  const profiler = options.profileFolder === undefined ? [] : ['--cpu-prof', '--cpu-prof-interval', '250', '--cpu-prof-dir', options.profileFolder]
  const core = options.core === undefined ? CORES.contestant : options.core
  const [command, args] = pinned(core, process.execPath, ['--expose-gc', ...profiler, path, JSON.stringify(options.settings)])
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, NODE_ENV: 'production' } })
  const address = await ask<string>(child, undefined)
  return {
    name,
    address,
    readUsage: (usage) => ask<Usage>(child, usage?.isCollected === true ? 'collect' : 'usage'),
    close: async () => {
      const ended = once(child, 'exit')
      child.send('stop')
      await ended
    }
  }
}

// A child that dies instead of answering must end the bench, not hang it.
async function ask<Answer> (child: ChildProcess, question: string | undefined): Promise<Answer> {
  const answered = new Promise<Answer>((resolve, reject) => {
    const died = () => reject(new Error('A contestant ended early.'))
    child.once('exit', died)
    child.once('message', (message) => {
      child.off('exit', died)
      resolve(message as Answer)
    })
  })
  if (question !== undefined) child.send(question)
  return answered
}
