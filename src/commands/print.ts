import type { Edge } from './edge.ts'

// C0, DEL and C1 drive terminals; bidirectional and invisible marks make one name look like another.
// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** A text as one harmless line: control, bidirectional and invisible characters as `\u{…}`. */
export function printable (text: string): string {
  return text.toWellFormed().replace(UNPRINTABLE, (character) => `\\u{${character.charCodeAt(0).toString(16)}}`)
}

/** As {@link printable}, for a text of several lines. */
export function printableLines (text: string): string {
  return text.split(/(\r?\n|\t)/).map((part, i) => i % 2 === 1 ? part : printable(part)).join('')
}

/** A line on standard output, its control characters escaped. */
export function printLine (edge: Edge, line = ''): void {
  edge.stdout.write(`${printable(line)}\n`)
}

/** A warning on standard error, where it does not mix with what another program reads. */
export function printWarning (edge: Edge, text: string): void {
  edge.stderr.write(`leadlatch: ${printable(text)}\n`)
}

/** A line about the progress of the work, on standard error. */
export function printProgress (edge: Edge, line: string): void {
  edge.stderr.write(`${printable(line)}\n`)
}

/** A value as indented JSON on standard output. */
export function printJSON (edge: Edge, value: unknown): void {
  edge.stdout.write(`${formatJSON(value, 2)}\n`)
}

/** JSON that holds no character a terminal obeys; parsed, it is the same value. */
export function formatJSON (value: unknown, indent?: number): string {
  return JSON.stringify(value, null, indent).replace(UNPRINTABLE, (character) =>
    character === '\n' ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Rows under headings, in columns as wide as their widest cell. */
export function printTable (edge: Edge, headings: readonly string[], rows: ReadonlyArray<readonly string[]>): void {
  const cells = [headings, ...rows].map((row) => row.map(printable))
  const widths = headings.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)))
  for (const row of cells) {
    edge.stdout.write(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`)
  }
}

/** Milliseconds since 1970 as RFC 3339; a dash for none. */
export function formatTime (atMs: number | null): string {
  return atMs === null ? '-' : new Date(atMs).toISOString()
}

/** Milliseconds since 1970 as RFC 3339, null for none. */
export function jsonTime (atMs: number | null): string | null {
  return atMs === null ? null : new Date(atMs).toISOString()
}
