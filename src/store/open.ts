import { closeSync, constants, mkdirSync, openSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { type Database, StoreError } from './database.ts'
import { openSQLite } from './sqlite.ts'

/**
 * Opens the database that a `DATABASE_URL` names. A new SQLite file is made readable by its owner
 * alone from the first byte; its `-wal` and `-shm` take over that mode.
 * @throws {StoreError} `unsupported`, `unavailable`
 */
export function openDatabase (url: string): Database {
  const path = sqlitePath(url)
  if (path === undefined) throw new StoreError('unsupported', 'DATABASE_URL must begin with "sqlite:".')
  if (path !== ':memory:') createPrivateFile(path)
  return openSQLite(path)
}

/** The file of a `sqlite:` address, absolute, or `:memory:`; undefined for any other address. */
export function sqlitePath (url: string): string | undefined {
  if (!url.startsWith('sqlite:')) return undefined
  const path = url.slice('sqlite:'.length)
  return path === ':memory:' ? path : resolve(path)
}

function createPrivateFile (path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600))
  } catch (error) {
    throw new StoreError('unavailable', `The database file ${path} cannot be opened or made.`, error)
  }
}
