import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { CORES, pinned } from './cores.ts'
import type { Profile } from './profile.ts'

/** What a process has used until now; the heap only means something after a collection. */
export type Usage = { rssBytes: number, peakRSSBytes: number, heapBytes: number, cpuMicros: number }

/** A server in a process of its own. */
export type Contestant = {
  name: string
  /** e.g. `http://127.0.0.1:40123` */
  address: string
  readUsage: (options?: { isCollected: boolean }) => Promise<Usage>
  /** Where its time went while it did this work. */
  profile: (work: () => Promise<unknown>) => Promise<Profile>
  close: () => Promise<void>
}

/**
 * Starts one of the files in `bench/servers/` and waits until it listens. Its log goes nowhere, its
 * errors to this process's standard error.
 * @param options.core where it runs; the contestants' core unless given
 */
export async function startContestant (name: string, file: string, options: {
  settings: Record<string, string>
  core?: number | null
}): Promise<Contestant> {
  const path = fileURLToPath(new URL(`../servers/${file}`, import.meta.url))
  const core = options.core === undefined ? CORES.contestant : options.core
  const [command, args] = pinned(core, process.execPath, ['--expose-gc', path, JSON.stringify(options.settings)])
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], env: { ...process.env, NODE_ENV: 'production' } })
  const address = await ask<string>(child, undefined)
  return {
    name,
    address,
    readUsage: (usage) => ask<Usage>(child, usage?.isCollected === true ? 'collect' : 'usage'),
    profile: async (work) => {
      await ask<string>(child, 'profile')
      await work()
      return ask<Profile>(child, 'profiled')
    },
    close: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
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
