import type { Command } from 'commander'
import { parsePort } from './demo.ts'
import { type Edge, UsageError } from './edge.ts'
import { printJSON, printLine } from './print.ts'
import { collect } from './shop.ts'
import { readEnvironment } from './store.ts'

type EmulatorCommandOptions = { port: string, host: string, basicDisplay?: boolean, redirectUri?: string[], allowPublic?: boolean, json?: boolean }

const DEFAULT_PUBLIC_URL = 'http://localhost:8787'

/** Adds `emulator`. */
export function addEmulatorCommand (program: Command, edge: Edge): void {
  program.command('emulator').description('an offline Instagram for tries and tests, with personas and faults to choose')
    .option('--port <port>', 'port to listen on', '8789')
    .option('--host <host>', 'address to listen on', '127.0.0.1')
    .option('--redirect-uri <uri>', 'a redirect URI of its apps; may be repeated; Leadlatch\'s callbacks unless given', collect)
    .option('--basic-display', 'print the settings of the retired Basic Display protocol too')
    .option('--allow-public', 'listen beyond this machine; it prints its secrets and signs in anybody')
    .option('--json', 'print JSON')
    .action((options: EmulatorCommandOptions) => emulate(edge, options))
}

async function emulate (edge: Edge, options: EmulatorCommandOptions): Promise<void> {
  const stopped = edge.untilStopped()
  const { startEmulator } = await import('../emulator/emulator.ts')
  const publicURL = readEnvironment(edge).LEADLATCH_PUBLIC_URL
  const emulator = await startEmulator({
    port: parsePort(options.port),
    host: options.host,
    redirectURIs: options.redirectUri ?? listCallbacks(publicURL),
    allowPublic: options.allowPublic === true
  }).catch((error: unknown) => {
    // It refuses addresses and redirect URIs by TypeError, and the text says which.
    throw error instanceof TypeError && !('code' in error) ? new UsageError(`${error.message}.`) : error
  })
  const settings = Object.fromEntries(Object.entries(emulator.settings)
    .filter(([name]) => options.basicDisplay === true || !name.includes('BASIC_DISPLAY')))
  if (options.json === true) printJSON(edge, { url: emulator.url, settings })
  else {
    printLine(edge, `Instagram emulator (not Instagram): ${emulator.url}/`)
    printLine(edge)
    printLine(edge, 'Settings for Leadlatch:')
    if (publicURL === undefined) printLine(edge, `LEADLATCH_PUBLIC_URL=${DEFAULT_PUBLIC_URL}`)
    for (const [name, value] of Object.entries(settings)) printLine(edge, `${name}=${value}`)
    printLine(edge)
    printLine(edge, 'Ctrl-C ends it.')
  }
  await stopped
  await emulator.close()
}

function listCallbacks (publicURL = DEFAULT_PUBLIC_URL): string[] {
  const origin = publicURL.replace(/\/+$/, '')
  return ['instagram', 'instagram-basic-display'].map((provider) => `${origin}/oauth/callback/${provider}`)
}
