/** Prints rows under their column names; the first column to the left, numbers to the right. */
export function printTable (rows: ReadonlyArray<Readonly<Record<string, string>>>): void {
  const columns = Object.keys(rows[0] ?? {})
  const widths = columns.map((column) => Math.max(column.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells.map((cell, i) => i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)).join('  ').trimEnd()
  console.log(line(columns))
  console.log(widths.map((width) => '─'.repeat(width)).join('  '))
  for (const row of rows) console.log(line(columns.map((column) => row[column] ?? '')))
}

/** Prints a target, what was measured, and whether that is enough. */
export function printTarget (text: string, measured: number, limit: { atLeast: number } | { atMost: number }): void {
  const isMet = 'atLeast' in limit ? measured >= limit.atLeast : measured <= limit.atMost
  const bound = 'atLeast' in limit ? `at least ${limit.atLeast}` : `at most ${limit.atMost}`
  console.log(`${isMet ? 'met   ' : 'missed'}  ${text}: ${measured.toFixed(2)}, wanted ${bound}`)
}

export function formatCount (value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

export function formatMs (ms: number): string {
  return `${ms.toFixed(ms < 10 ? 2 : 1)} ms`
}

export function formatMB (bytes: number): string {
  return `${(bytes / 1024 / 1024).toFixed(0)} MB`
}
