import { existsSync } from 'node:fs'
import SQLite from 'better-sqlite3'
import { type Database, type Row, StoreError, text, type Value } from './database.ts'
import { readMigrations } from './migrate.ts'
import { sqlitePath } from './open.ts'

/** A database that can only be read, with what an engine tells of itself. */
export type Inspection = {
  /** Its writing members reject with `unsupported`. */
  database: Database
  /** What the engine finds wrong with the file, at most so many lines; none: it is whole. */
  listDamage: (limit: number) => string[]
  /** Rows that point at a row which does not exist. */
  countDangling: () => number
  close: () => void
}

const LIST_APPLIED = 'select name, checksum from migrations order by name limit 10000'

/**
 * Opens a database without changing anything in it: no migration, no checkpoint of another process's
 * log, no new file.
 * @throws {StoreError} `unavailable`
 */
export function openForInspection (databaseURL: string): Inspection {
  const connection = connect(sqlitePath(databaseURL) ?? '')
  const read = <T>(work: () => T): T => {
    try {
      return work()
    } catch (error) {
      if (error instanceof SQLite.SqliteError) throw new StoreError('unavailable', `The database failed with ${error.code}.`, error)
      throw error
    }
  }
  const all = (sql: string, values: readonly Value[] = []) => read(() =>
    connection.prepare<[Record<string, Value>], Row>(sql).all(Object.fromEntries(values.map((value, i) => [String(i + 1), value]))))
  const refuse = async () => { throw new StoreError('unsupported', 'This database is open for reading only.') }
  return {
    database: {
      get: async (sql, values) => all(sql, values)[0],
      all: async (sql, values) => all(sql, values),
      run: refuse,
      batch: refuse,
      applyMigration: refuse,
      backup: refuse,
      close: async () => { connection.close() }
    },
    listDamage: (limit) => read(() => connection.prepare<[], string>(`pragma quick_check(${Math.trunc(limit)})`).pluck().all()).filter((line) => line !== 'ok'),
    countDangling: () => read(() => connection.prepare('pragma foreign_key_check').all().length),
    close: () => { connection.close() }
  }
}

/** How the tables differ from those of this version, by the names of migrations. */
export async function compareMigrations (database: Database): Promise<{ pending: string[], changed: string[], foreign: string[] }> {
  const applied = new Map((await database.all(LIST_APPLIED)).map((row) => [text(row, 'name'), text(row, 'checksum')]))
  const own = readMigrations()
  return {
    pending: own.filter(({ name }) => !applied.has(name)).map(({ name }) => name),
    changed: own.filter(({ name, checksum }) => (applied.get(name) ?? checksum) !== checksum).map(({ name }) => name),
    foreign: [...applied.keys()].filter((name) => !own.some((migration) => migration.name === name))
  }
}

function connect (path: string): SQLite.Database {
  try {
    // A reader leaves a log behind where there was none; a writer takes it away again, and with a log
    // there already, would write it into the file.
    const connection = existsSync(`${path}-wal`)
      ? new SQLite(path, { readonly: true, fileMustExist: true, timeout: 5000 })
      : new SQLite(path, { fileMustExist: true, timeout: 5000 })
    connection.pragma('query_only = ON')
    connection.pragma('trusted_schema = OFF')
    // The file is not read before the first question.
    connection.prepare('select count(*) from sqlite_master').get()
    return connection
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    throw new StoreError('unavailable', `The database ${path} cannot be read (${code}).`, error)
  }
}
