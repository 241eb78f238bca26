/** A clock that can be moved, in whole milliseconds since 1970. */
export type Clock = {
  now (): number
  advance (ms: number): void
  reset (): void
}

/** Builds a clock that shows `source` plus what it was advanced by. */
export function buildClock (source: () => number): Clock {
  let offsetMs = 0
  return {
    now: () => source() + offsetMs,
    advance (ms) { offsetMs += ms },
    reset () { offsetMs = 0 },
  }
}
