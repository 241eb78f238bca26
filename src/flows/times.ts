// RFC 3339 section 5.6, without the leap second, which our milliseconds cannot hold.
const TIME = /^(\d{4})-(\d{2})-(\d{2})[Tt]([01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.(\d{1,9}))?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/

/**
 * Reads an RFC 3339 time with `Z` or an offset; what is finer than a millisecond is cut off.
 * @returns milliseconds since 1970; undefined for anything else, days that no month has included
 */
export function parseTime (text: string): number | undefined {
  const parts = TIME.exec(text)
  if (parts === null) return undefined
  const [, year, month, day, , fraction] = parts
  // Date takes 31 February for 3 March: only a day that comes back unchanged exists.
  const midnight = new Date(`${year}-${month}-${day}T00:00:00.000Z`)
  if (Number.isNaN(midnight.getTime()) || midnight.getUTCDate() !== Number(day)) return undefined
  const upper = text.toUpperCase()
  const timeMs = Date.parse(fraction === undefined ? upper : upper.replace(`.${fraction}`, `.${fraction.slice(0, 3)}`))
  return Number.isNaN(timeMs) ? undefined : timeMs
}

/** RFC 3339 in UTC with milliseconds, as all of our JSON has it. */
export function formatTime (timeMs: number): string {
  return new Date(timeMs).toISOString()
}

/** {@link formatTime}, where there may be no time. */
export function formatTimeOrNull (timeMs: number | null): string | null {
  return timeMs === null ? null : formatTime(timeMs)
}
