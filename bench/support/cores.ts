import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

/** Where the contestants run, where the load is made, and where the others run; null: wherever there is room. */
export const CORES = chooseCores()

/** Command and arguments that run a command on a core. */
export function pinned (core: number | null, command: string, args: readonly string[]): [command: string, args: string[]] {
  return core === null ? [command, [...args]] : ['taskset', ['-c', String(core), command, ...args]]
}

/** Moves this process, which makes the load, away from the contestants' core. */
export function pinLoad (): void {
  if (CORES.load === null) return
  spawnSync('taskset', ['-a', '-c', '-p', String(CORES.load), String(process.pid)], { stdio: 'ignore' })
}

function chooseCores (): { contestant: number | null, load: number | null, other: number | null } {
  const count = availableParallelism()
  const canPin = count > 1 && spawnSync('taskset', ['-c', '0,1', 'true'], { stdio: 'ignore' }).status === 0
  return canPin ? { contestant: 0, load: 1, other: count > 2 ? 2 : 1 } : { contestant: null, load: null, other: null }
}
