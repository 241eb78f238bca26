import { existsSync } from 'node:fs'
import SQLite from 'better-sqlite3'
import { sqlitePath } from './open.ts'

/**
 * True when a process has this SQLite database open, this one included. Nothing is written: the
 * lock that only a sole user of a file in WAL mode gets is asked for, and given back at once.
 */
export function isInUse (databaseURL: string): boolean {
  const path = sqlitePath(databaseURL)
  if (path === undefined || path === ':memory:' || !existsSync(path)) return false
  const connection = new SQLite(path, { timeout: 0, fileMustExist: true })
  try {
    connection.pragma('locking_mode = EXCLUSIVE')
    connection.exec('begin immediate; rollback')
    return false
  } catch (error) {
    if (error instanceof SQLite.SqliteError && error.code.startsWith('SQLITE_BUSY')) return true
    throw error
  } finally {
    connection.close()
  }
}
