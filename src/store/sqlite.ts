import { setTimeout as setTimeoutAsync } from 'node:timers/promises'
import SQLite from 'better-sqlite3'
import { type Database, type Row, type Statement, StoreError, type Value } from './database.ts'

const ALL_PAGES = 0x7fffffff

/** How long a statement waits for another process's lock, and how often it tries. */
const BUSY_LIMIT_MS = 5000
const BUSY_RETRY_MS = 20

type Waiting = {
  sinceMs: number
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
    if (group.length === 0) return
    if (!connection.open) return group.forEach(({ reject }) => reject(closed()))
    try {
      const results = executeGroup.immediate(group)
      group.forEach(({ resolve }, i) => resolve(results[i] ?? []))
    } catch (failure) {
      if (isBusy(failure)) return waitForLock(group, failure)
      for (const { statements, resolve, reject } of group) {
        try {
          resolve(executeAll.immediate(statements))
        } catch (error) {
          reject(storeError(error))
        }
      }
    }
  }

  // Another process writes. SQLite's own waiting would stop everything that goes on in this one.
  function waitForLock (group: readonly Waiting[], failure: unknown): void {
    const [late, patient] = partition(group, ({ sinceMs }) => performance.now() - sinceMs > BUSY_LIMIT_MS)
    for (const { reject } of late) reject(storeError(failure))
    waiting = [...patient, ...waiting]
    if (waiting.length > 0) setTimeout(commitWaiting, BUSY_RETRY_MS)
  }

  function write (statements: readonly Statement[]): Promise<Result[]> {
    return new Promise((resolve, reject) => {
      if (!connection.open) return reject(closed())
      if (waiting.push({ sinceMs: performance.now(), statements, resolve, reject }) === 1) setImmediate(commitWaiting)
    })
  }

  return {
    get: (sql, values = []) => patiently(() => prepare(sql).get(bind(values))),
    all: (sql, values = []) => patiently(() => prepare(sql).all(bind(values))),
    run: async (sql, values = []) => (await write([{ sql, values }]))[0]?.changes ?? 0,
    batch: async (statements) => (await write(statements)).map(({ rows }) => rows),
    applyMigration: (record, text) => patiently(() => connection.transaction(() => {
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
    const connection = new SQLite(path, { timeout: BUSY_LIMIT_MS })
    connection.pragma('journal_mode = WAL')
    connection.pragma('synchronous = FULL')
    connection.pragma('foreign_keys = ON')
    connection.pragma('trusted_schema = OFF')
    connection.pragma('busy_timeout = 0')
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

// Does the work now, or while another process holds a lock again a little later, until the limit.
async function patiently<T> (work: () => T): Promise<T> {
  const startedAtMs = performance.now()
  for (;;) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error) || performance.now() - startedAtMs > BUSY_LIMIT_MS) throw storeError(error)
      await setTimeoutAsync(BUSY_RETRY_MS)
    }
  }
}

function partition<T> (all: readonly T[], belongs: (one: T) => boolean): [T[], T[]] {
  return [all.filter(belongs), all.filter((one) => !belongs(one))]
}

function closed (): StoreError {
  return new StoreError('unavailable', 'The database is closed.')
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
