import SQLite from 'better-sqlite3'
import { type Database, type Row, type Statement, StoreError, type Value } from './database.ts'

const ALL_PAGES = 0x7fffffff

type Waiting = {
  statements: readonly Statement[]
  resolve: (results: Result[]) => void
  reject: (error: unknown) => void
}

type Bound = Record<string, Value>

type Prepared = SQLite.Statement<[Bound], Row>

type Result = { rows: Row[], changes: number }

/**
 * Opens a SQLite file (or `:memory:`) in WAL mode with `synchronous=FULL`: an acknowledged write
 * survives a power cut. Writes that arrive in one turn of the event loop share one commit.
 * @throws {StoreError} `unavailable`
 */
export function openSQLite (path: string): Database {
  const connection = connect(path)
  const prepared = new Map<string, Prepared>()
  let waiting: Waiting[] = []

  function prepare (sql: string): Prepared {
    const known = prepared.get(sql)
    if (known !== undefined) return known
    const statement = connection.prepare<[Bound], Row>(sql)
    prepared.set(sql, statement)
    return statement
  }

  function execute ({ sql, values = [], expect }: Statement): Result {
    const statement = prepare(sql)
    let result: Result
    if (statement.reader) {
      const rows = statement.all(bind(values))
      result = { rows, changes: rows.length }
    } else {
      result = { rows: [], changes: statement.run(bind(values)).changes }
    }
    if (expect !== undefined && result.changes !== expect) {
      throw new StoreError('unexpected_row_count', `A statement touched ${result.changes} rows instead of ${expect}.`)
    }
    return result
  }

  const executeAll = connection.transaction((statements: readonly Statement[]) => statements.map(execute))
  const executeGroup = connection.transaction((group: readonly Waiting[]) =>
    group.map(({ statements }) => statements.map(execute)))

  // Group commit: one fsync for all that waits. A failure in the group rolls it back, and each
  // member is tried alone, so that nobody pays for another's mistake.
  function commitWaiting (): void {
    const group = waiting
    waiting = []
    try {
      const results = executeGroup.immediate(group)
      group.forEach(({ resolve }, i) => resolve(results[i] ?? []))
    } catch (failure) {
      // A lock has been waited for already: to wait again for each member would stop the service for minutes.
      if (isBusy(failure)) return group.forEach(({ reject }) => reject(storeError(failure)))
      for (const { statements, resolve, reject } of group) {
        try {
          resolve(executeAll.immediate(statements))
        } catch (error) {
          reject(storeError(error))
        }
      }
    }
  }

  function write (statements: readonly Statement[]): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      if (!connection.open) return reject(new StoreError('unavailable', 'The database is closed.'))
      if (waiting.push({ statements, resolve, reject }) === 1) setImmediate(commitWaiting)
    })
  }

  return {
    get: async (sql, values = []) => attempt(() => prepare(sql).get(bind(values))),
    all: async (sql, values = []) => attempt(() => prepare(sql).all(bind(values))),
    run: async (sql, values = []) => (await write([{ sql, values }]))[0]?.changes ?? 0,
    batch: async (statements) => (await write(statements)).map(({ rows }) => rows),
    applyMigration: async (record, text) => attempt(() => connection.transaction(() => {
      if (execute(record).changes === 0) return false
      connection.exec(text)
      return true
    }).immediate()),
    backup: async (file) => {
      try {
        // All pages in one step, under one snapshot: between steps another process's write starts it anew, for ever.
        await connection.backup(file, { progress: () => ALL_PAGES })
      } catch (error) {
        throw storeError(error)
      }
    },
    close: async () => {
      if (waiting.length > 0) commitWaiting()
      connection.close()
    }
  }
}

function connect (path: string): SQLite.Database {
  try {
    const connection = new SQLite(path, { timeout: 5000 })
    connection.pragma('journal_mode = WAL')
    connection.pragma('synchronous = FULL')
    connection.pragma('foreign_keys = ON')
    connection.pragma('trusted_schema = OFF')
    return connection
  } catch (error) {
    throw new StoreError('unavailable', `The database ${path} cannot be opened: ${messageOf(error)}`, error)
  }
}

function bind (values: readonly Value[]): Bound {
  const bound: Bound = {}
  for (let i = 0; i < values.length; i++) bound[i + 1] = values[i] ?? null
  return bound
}

function attempt<T> (work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw storeError(error)
  }
}

function isBusy (error: unknown): boolean {
  return error instanceof SQLite.SqliteError && error.code.startsWith('SQLITE_BUSY')
}

function storeError (error: unknown): unknown {
  if (!(error instanceof SQLite.SqliteError)) return error
  if (error.code.startsWith('SQLITE_CONSTRAINT')) return new StoreError('constraint', 'The database refused a row that breaks one of its rules.', error)
  return new StoreError('unavailable', `The database failed with ${error.code}.`, error)
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
