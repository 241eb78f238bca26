import type { Statement, Value } from './database.ts'

/** A constant piece of SQL with a `?` for each of its values, in their order. */
export type Fragment = readonly [sql: string, ...values: Value[]]

/**
 * Joins constant pieces to one statement and numbers its values `$1`, `$2` …. No value becomes part
 * of the text, so the number of different texts is bounded.
 */
export function joinFragments (fragments: readonly Fragment[]): Required<Pick<Statement, 'sql' | 'values'>> {
  const values: Value[] = []
  const texts = fragments.map(([sql, ...given]) => {
    let used = 0
    return sql.replaceAll('?', () => {
      values.push(given[used++] ?? null)
      return `$${values.length}`
    })
  })
  return { sql: texts.join(' '), values }
}
