import { readFileSync } from 'node:fs'
import { Command, CommanderError } from 'commander'
import { addAuditCommand } from './commands/audit.ts'
import { addBackupCommand } from './commands/backup.ts'
import { addDemoCommand } from './commands/demo.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { type Edge, UsageError } from './commands/edge.ts'
import { addEmulatorCommand } from './commands/emulator.ts'
import { addKeyCommands } from './commands/key.ts'
import { addLeadsCommands } from './commands/leads.ts'
import { addMigrateCommand } from './commands/migrate.ts'
import { printable } from './commands/print.ts'
import { addServeCommand } from './commands/serve.ts'
import { addShopCommands } from './commands/shop.ts'
import { addTokenCommands } from './commands/token.ts'
import { addVaultCommands } from './commands/vault.ts'
import { ConfigError } from './config.ts'
import { ShopAddressError } from './flows/shop-addresses.ts'
import { ShopError } from './flows/shops.ts'
import { readVersion } from './version.ts'

const COMMANDS = [
  addServeCommand, addDemoCommand, addEmulatorCommand, addShopCommands, addKeyCommands,
  addLeadsCommands, addTokenCommands, addAuditCommand, addBackupCommand, addMigrateCommand, addVaultCommands,
  addDoctorCommand
]

const WRONG_USE = 2

/**
 * Runs one command.
 * @param argv what stands behind `leadlatch`
 * @returns the exit status: 0 done, 1 failed, 2 wrong use or wrong settings
 */
export async function run (argv: readonly string[], edge: Edge): Promise<number> {
  const program = buildProgram(edge)
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return 0
  } catch (error) {
    // Commander has printed its own complaint, and help is none.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_USE
    edge.stderr.write(`leadlatch: ${messageOf(error)}\n`)
    return isWrongUse(error) ? WRONG_USE : 1
  }
}

/** Runs the command that this process was started for; answers its exit status. */
export function main (): Promise<number> {
  // A reader such as `head` that has enough is no failure.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0)
    throw error
  })
  return run(process.argv.slice(2), {
    environment: process.env,
    folder: process.cwd(),
    userId: process.geteuid?.(),
    stdin: process.stdin,
    stdout: process.stdout,
    stderr: process.stderr,
    now: Date.now,
    readFile: (path) => readFileSync(path, 'utf8'),
    untilStopped,
    exit: (status) => process.exit(status),
    onUncaught: (listener) => {
      process.on('uncaughtException', listener)
      process.on('unhandledRejection', listener)
    }
  })
}

function buildProgram (edge: Edge): Command {
  const program = new Command('leadlatch')
    .description('Sign-in with Instagram for WooCommerce shops')
    .version(readVersion())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => { edge.stdout.write(text) },
      writeErr: (text) => { edge.stderr.write(text) },
      outputError: (text, write) => write(text.replace(/^error: /, 'leadlatch: '))
    })
  for (const add of COMMANDS) add(program, edge)
  return program
}

function isWrongUse (error: unknown): boolean {
  if (error instanceof ShopError) return error.code !== 'unknown_shop'
  return error instanceof UsageError || error instanceof ConfigError || error instanceof ShopAddressError
}

// One line for each thing to do, never a stack trace.
function messageOf (error: unknown): string {
  if (!(error instanceof Error)) return 'Failed for an unknown reason.'
  const lines = error.message.split('\n').map(printable)
  if (error instanceof ConfigError) return lines.join('\n')
  const code = 'code' in error ? error.code : undefined
  if (code === 'EADDRINUSE') return 'The address is in use. Stop the other process, or choose another port (LEADLATCH_PORT, --port).'
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND') return 'This machine has no such address to listen on. Check LEADLATCH_HOST or --host.'
  if (code === 'EACCES') return `Not allowed: ${lines[0]}. Check the rights, or choose a port above 1023.`
  return lines[0] ?? ''
}

// The first signal asks, the second one insists.
function untilStopped (): Promise<string> {
  return new Promise((resolve) => {
    let isAsked = false
    const stop = (signal: string) => {
      if (isAsked) process.exit(1)
      isAsked = true
      resolve(signal)
    }
    process.on('SIGINT', stop)
    process.on('SIGTERM', stop)
  })
}
