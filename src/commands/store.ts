import { existsSync } from 'node:fs'
import { addEnvFile } from '../env-file.ts'
import { type Config, type Environment, loadConfig, loadStoreConfig, type StoreConfig } from '../config.ts'
import type { Database } from '../store/database.ts'
import { migrate } from '../store/migrate.ts'
import { openDatabase, sqlitePath } from '../store/open.ts'
import { readVersion } from '../version.ts'
import { CommandError, type Edge } from './edge.ts'

/** The environment with the `.env` of the working folder under it. @throws {ConfigError} */
export function readEnvironment (edge: Edge): Environment {
  return addEnvFile(edge.environment, edge.folder, edge.userId)
}

/** All settings, for a command that needs the public address. @throws {ConfigError} */
export function readConfig (edge: Edge): Config {
  return loadConfig(readEnvironment(edge), edge.readFile)
}

/** The settings of a command that only touches the store. @throws {ConfigError} */
export function readStoreConfig (edge: Edge): StoreConfig {
  return loadStoreConfig(readEnvironment(edge), edge.readFile)
}

/**
 * Runs some work on the migrated database and closes it.
 * @throws {CommandError} when the database does not exist, in a command that does not begin one
 */
export async function withDatabase<Result> (edge: Edge, options: {
  config: StoreConfig, canCreate?: boolean
}, work: (database: Database) => Promise<Result>): Promise<Result> {
  if (options.canCreate !== true) checkExists(options.config.databaseURL)
  const database = openDatabase(options.config.databaseURL)
  try {
    await migrate(database, { version: readVersion(), nowMs: edge.now() })
    return await work(database)
  } finally {
    await database.close()
  }
}

/** Refuses to begin an empty database where one was expected. @throws {CommandError} */
export function checkExists (databaseURL: string): void {
  const path = sqlitePath(databaseURL)
  if (path === undefined || path === ':memory:' || existsSync(path)) return
  throw new CommandError(`There is no database ${path}. Go to the folder of your Leadlatch or set DATABASE_URL; "leadlatch shop add" begins a new one.`)
}
