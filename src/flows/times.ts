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

// An export writes millions of times, and `Date` takes four times as long as a look into a table.
const DAY_MS = 86_400_000
const MAX_DAYS = 4096
const formattedDays = new Map<number, string>()
const TWO_DIGITS = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, '0'))
const THREE_DIGITS = Array.from({ length: 1000 }, (_, i) => String(i).padStart(3, '0'))

function formatDay (day: number): string {
  const known = formattedDays.get(day)
  if (known !== undefined) return known
  if (formattedDays.size >= MAX_DAYS) formattedDays.clear()
  const [text = ''] = new Date(day * DAY_MS).toISOString().split('T')
  formattedDays.set(day, text)
  return text
}

/** RFC 3339 in UTC with milliseconds, as all of our JSON has it. */
export function formatTime (timeMs: number): string {
  const day = Math.floor(timeMs / DAY_MS)
  const ms = timeMs - day * DAY_MS
  const seconds = Math.floor(ms / 1000)
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  return `${formatDay(day)}T${TWO_DIGITS[hours]}:${TWO_DIGITS[minutes - hours * 60]}:${TWO_DIGITS[seconds - minutes * 60]}.${THREE_DIGITS[ms - seconds * 1000]}Z`
}

/** {@link formatTime}, where there may be no time. */
export function formatTimeOrNull (timeMs: number | null): string | null {
  return timeMs === null ? null : formatTime(timeMs)
}
