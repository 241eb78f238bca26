/** What both engines store: text, whole numbers, null. */
export type Value = string | number | null

export type Row = Readonly<Record<string, unknown>>

/**
 * One statement with `$1` placeholders. Inside a batch, `expect` is the number of rows that it must
 * change or return: another number rolls the whole batch back with `unexpected_row_count`.
 */
export type Statement = { sql: string, values?: readonly Value[], expect?: number }

/** All that the rest of the service knows of an engine. Drivers know no table. */
export type Database = {
  /** The first row, or undefined. */
  get: (sql: string, values?: readonly Value[]) => Promise<Row | undefined>
  all: (sql: string, values?: readonly Value[]) => Promise<Row[]>
  /** Runs one statement durably; the number of rows that it changed. */
  run: (sql: string, values?: readonly Value[]) => Promise<number>
  /** Runs statements in one durable transaction; the rows that each returned. @throws {StoreError} */
  batch: (statements: readonly Statement[]) => Promise<Row[][]>
  /**
   * Applies one migration in a transaction that no other process's overlaps: `record` first, and the
   * text only if that changed a row. False when another process had applied it.
   */
  applyMigration: (record: Statement, text: string) => Promise<boolean>
  /** Copies the database into a new file while it is in use. @throws {StoreError} `unsupported` */
  backup: (path: string) => Promise<void>
  close: () => Promise<void>
}

export type StoreErrorCode =
  'unexpected_row_count' | 'unexpected_value' | 'constraint' | 'unavailable' | 'unsupported' | 'migration'

/** A failure of the store; `cause` holds the driver's error, the message no value of a row. */
export class StoreError extends Error {
  readonly code: StoreErrorCode

  constructor (code: StoreErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** Reads a text column. @throws {StoreError} `unexpected_value` */
export function text (row: Row, column: string): string {
  const value = row[column]
  if (typeof value !== 'string') throw unexpected(column)
  return value
}

/** Reads a text column that may be null. @throws {StoreError} `unexpected_value` */
export function textOrNull (row: Row, column: string): string | null {
  return row[column] === null ? null : text(row, column)
}

/** Reads a whole number. @throws {StoreError} `unexpected_value` */
export function integer (row: Row, column: string): number {
  const value = row[column]
  if (typeof value !== 'number') throw unexpected(column)
  return value
}

/** Reads a whole number that may be null. @throws {StoreError} `unexpected_value` */
export function integerOrNull (row: Row, column: string): number | null {
  return row[column] === null ? null : integer(row, column)
}

function unexpected (column: string): StoreError {
  return new StoreError('unexpected_value', `The column ${column} holds a value of another type.`)
}
