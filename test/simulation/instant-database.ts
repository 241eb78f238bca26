import SQLite from 'better-sqlite3'
import { type Database, type Row, type Statement, StoreError, type Value } from '../../src/store/database.ts'

/**
 * SQLite in memory that does everything at once, in the call: so that a simulation alone decides what
 * happens between two statements. It keeps to the contract of `Database`.
 */
export function openInstantDatabase (): Database {
  const connection = new SQLite(':memory:')
  connection.pragma('foreign_keys = ON')
  const prepared = new Map<string, SQLite.Statement<[Record<string, Value>], Row>>()

  function prepare (sql: string) {
    const statement = prepared.get(sql) ?? connection.prepare<[Record<string, Value>], Row>(sql)
    prepared.set(sql, statement)
    return statement
  }

  function execute ({ sql, values = [], expect }: Statement): { rows: Row[], changes: number } {
    const statement = prepare(sql)
    const rows = statement.reader ? statement.all(bind(values)) : []
    const changes = statement.reader ? rows.length : statement.run(bind(values)).changes
    if (expect !== undefined && changes !== expect) throw new StoreError('unexpected_row_count', `${changes} instead of ${expect}`)
    return { rows, changes }
  }

  const executeAll = connection.transaction((statements: readonly Statement[]) => statements.map(execute))

  return {
    get: async (sql, values = []) => prepare(sql).get(bind(values)),
    all: async (sql, values = []) => prepare(sql).all(bind(values)),
    run: async (sql, values = []) => execute({ sql, values }).changes,
    batch: async (statements) => executeAll(statements).map(({ rows }) => rows),
    applyMigration: async (record, text) => {
      if (execute(record).changes === 0) return false
      connection.exec(text)
      return true
    },
    backup: async () => { throw new StoreError('unsupported', 'There is nothing to copy.') },
    close: async () => { connection.close() }
  }
}

function bind (values: readonly Value[]): Record<string, Value> {
  return Object.fromEntries(values.map((value, i) => [i + 1, value]))
}
