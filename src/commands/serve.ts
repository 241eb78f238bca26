import type { Command } from 'commander'
import type { Server } from '../server.ts'
import type { Edge } from './edge.ts'
import { readEnvironment } from './store.ts'

/** Adds `serve`. */
export function addServeCommand (program: Command, edge: Edge): void {
  program.command('serve').description('run the service')
    .action(() => serve(edge))
}

async function serve (edge: Edge): Promise<void> {
  // Listened to before the start, so that a signal during it ends in order as well.
  const stopped = edge.untilStopped()
  const environment = readEnvironment(edge)
  const { startServer } = await import('../server.ts')
  const server = await startServer({ environment, readFile: edge.readFile, now: edge.now })
  edge.onUncaught((error) => { endAfterFault(edge, server, error).catch(() => edge.exit(1)) })
  server.log.info({ signal: await stopped }, 'closing')
  await end(edge, server, 0)
}

async function endAfterFault (edge: Edge, server: Server, error: unknown): Promise<void> {
  const { describeError } = await import('../server.ts')
  server.log.fatal(describeError(error), 'an error was not caught; closing')
  await end(edge, server, 1)
}

async function end (edge: Edge, server: Server, status: number): Promise<void> {
  const { closeWithin, CLOSE_LIMIT_MS, describeError } = await import('../server.ts')
  try {
    if (await closeWithin(server, CLOSE_LIMIT_MS)) return edge.exit(status)
    server.log.error('closing took too long; ended without it')
  } catch (error) {
    server.log.error(describeError(error), 'closing failed')
  }
  edge.exit(1)
}
