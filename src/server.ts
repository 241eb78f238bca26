import { statSync } from 'node:fs'
import type { Writable } from 'node:stream'
import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import { Agent } from 'undici'
import { buildApp } from './app.ts'
import { type Config, type Environment, listUnknownSettings, loadConfig } from './config.ts'
import { startUpkeep } from './flows/renew.ts'
import { createMetrics } from './metrics.ts'
import type { Parts } from './parts.ts'
import { createProviders } from './providers/index.ts'
import { migrate } from './store/migrate.ts'
import { openDatabase, sqlitePath } from './store/open.ts'
import { openVault } from './vault-keys.ts'
import { readVersion } from './version.ts'

/** Longer than any request may take, shorter than what supervisors wait before they kill. */
export const CLOSE_LIMIT_MS = 25_000

export type ServerOptions = {
  environment: Environment
  readFile: (path: string) => string
  now: () => number
  /** Where the log goes; standard output unless given. */
  logStream?: Writable
}

/** A running service. */
export type Server = {
  /** Where it listens, e.g. `http://127.0.0.1:8787`. */
  address: string
  log: FastifyBaseLogger
  /** Takes no more connections, answers what is being asked, then lets go of everything. */
  close: () => Promise<void>
}

type Closer = () => Promise<void>

/**
 * Starts the service: settings, database, migration, keys, providers, app, upkeep.
 * @throws {ConfigError} for wrong settings
 * @throws {StoreError|VaultError|KeyFileError} for a database or keys with which it must not run
 */
export async function startServer (options: ServerOptions): Promise<Server> {
  const config = loadConfig(options.environment, options.readFile)
  const warnings = listWarnings(config, options.environment)
  const closers: Closer[] = []
  try {
    const parts = await buildParts(config, options.now, closers, warnings)
    const app = await buildApp({ parts, logger: { level: config.logLevel, ...(options.logStream && { stream: options.logStream }) } })
    for (const warning of warnings) app.log.warn(warning)
    const close = closeInOrder(app, closers)
    try {
      const address = await app.listen({ host: config.host, port: config.port })
      const upkeep = startUpkeep(parts, app.log)
      // Upkeep ends while requests are answered, and both before the database they use.
      return { address, log: app.log, close: () => close(() => upkeep.stop()) }
    } catch (error) {
      await app.close()
      throw error
    }
  } catch (error) {
    await closeAll(closers)
    throw error
  }
}

/**
 * Closes a server; false when that takes longer than `limitMs`.
 * @throws what closing throws
 */
export async function closeWithin (server: Pick<Server, 'close'>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, limitMs, false)
  })
  try {
    return await Promise.race([server.close().then(() => true as const), limit])
  } finally {
    clearTimeout(timer)
  }
}

/** An error as a log may hold it: what and where, without its message, which may repeat a secret. */
export function describeError (error: unknown): { name: string, code: string, frames: string[] } {
  if (!(error instanceof Error)) return { name: typeof error, code: 'unknown', frames: [] }
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line)).map((line) => line.trim())
  return { name: error.name, code: 'code' in error ? String(error.code) : 'unknown', frames }
}

async function buildParts (config: Config, now: () => number, closers: Closer[], warnings: string[]): Promise<Parts> {
  const version = readVersion()
  const database = openDatabase(config.databaseURL)
  closers.push(() => database.close())
  warnings.push(...listLooseFiles(config.databaseURL))
  await migrate(database, { version, nowMs: now() })
  const vault = await openVault(config, database, now, (warning) => warnings.push(warning))
  const dispatcher = new Agent()
  closers.push(() => dispatcher.destroy())
  const metrics = createMetrics()
  const providers = createProviders(config, dispatcher, metrics, now)
  if (providers.size === 0) warnings.push('No provider is configured, so nobody can sign in. Set LEADLATCH_INSTAGRAM_CLIENT_ID and LEADLATCH_INSTAGRAM_CLIENT_SECRET.')
  return Object.freeze({ config, version, database, vault, providers, metrics, now })
}

function closeInOrder (app: FastifyInstance, closers: Closer[]): (first: Closer) => Promise<void> {
  let closing: Promise<void> | undefined
  return (first) => {
    closing ??= Promise.all([app.close(), first()]).then(() => closeAll(closers))
    return closing
  }
}

async function closeAll (closers: Closer[]): Promise<void> {
  for (const closer of closers.splice(0).reverse()) await closer()
}

function listWarnings (config: Config, environment: Environment): string[] {
  const warnings = listUnknownSettings(environment).map(({ name, isPlanned }) => isPlanned
    ? `The setting ${name} is not used by this version.`
    : `There is no setting ${name}. Check its spelling.`)
  if (config.instagramBasicDisplay?.authorizeURL.startsWith('https://api.instagram.com/') === true) {
    warnings.push('Instagram switched Basic Display off on 2024-12-04: logins by instagram-basic-display fail. Use LEADLATCH_INSTAGRAM_CLIENT_ID.')
  }
  return warnings
}

function listLooseFiles (databaseURL: string): string[] {
  const path = sqlitePath(databaseURL)
  if (path === undefined || path === ':memory:' || process.platform === 'win32') return []
  return [path, `${path}-wal`]
    .filter((file) => ((statSync(file, { throwIfNoEntry: false })?.mode ?? 0) & 0o077) !== 0)
    .map((file) => `The database file ${file} can be read by other users. Run: chmod 600 ${file}`)
}
