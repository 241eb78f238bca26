import type { Command } from 'commander'
import { type Edge, UsageError } from './edge.ts'
import { printJSON, printLine, printProgress } from './print.ts'

type DemoCommandOptions = { once?: boolean, port?: string, json?: boolean }

/** Adds `demo`. */
export function addDemoCommand (program: Command, edge: Edge): void {
  program.command('demo').description('a whole world to click through: Instagram emulator, Leadlatch and a small shop; needs no settings')
    .option('--once', 'do the journey without a browser and print the lead as JSON')
    .option('--port <port>', 'port of Leadlatch; 8787 or a free one unless given')
    .option('--json', 'print JSON')
    .action((options: DemoCommandOptions) => options.once === true ? demoOnce(edge) : demo(edge, options))
}

async function demo (edge: Edge, options: DemoCommandOptions): Promise<void> {
  const port = options.port === undefined ? undefined : parsePort(options.port)
  const isJSON = options.json === true
  const stopped = edge.untilStopped()
  const { startDemo } = await import('../demo/demo.ts')
  const running = await startDemo({ log: (line) => isJSON ? printProgress(edge, line) : printLine(edge, line), ...(port !== undefined && { port }) })
  if (isJSON) printJSON(edge, { shop_url: running.shopURL })
  else printLine(edge, `Open ${running.shopURL}/ in your browser, sign in with Instagram, and see the lead. Ctrl-C ends the demo.`)
  await stopped
  await running.close()
}

async function demoOnce (edge: Edge): Promise<void> {
  const { runDemoOnce } = await import('../demo/demo.ts')
  printJSON(edge, await runDemoOnce({ log: (line) => printProgress(edge, line) }))
}

/** Reads a port number; 0 stands for any free one. @throws {UsageError} */
export function parsePort (text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) throw new UsageError('A port is a whole number from 0 to 65535.')
  return Number(text)
}
