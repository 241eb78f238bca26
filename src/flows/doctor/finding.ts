/** What is examined, in the order in which people read it. */
export const GROUPS = ['program', 'settings', 'files', 'database', 'keys', 'public URL', 'provider', 'tokens'] as const

export type Group = typeof GROUPS[number]

/** `error`: something does not work; `warning`: it works, and something is not as it should be. */
export type Level = 'ok' | 'warning' | 'error'

/** One thing that was examined. No text of it holds a secret. */
export type Finding = {
  group: Group
  /** Stable, such as `clock_skew`. */
  code: string
  level: Level
  what: string
  /** What to do; null where there is nothing to do. */
  cure: string | null
}

/** Takes the findings of one group as they are made. */
export type Notes = {
  ok: (code: string, what: string) => void
  warn: (code: string, what: string, cure: string) => void
  fail: (code: string, what: string, cure: string) => void
}

/** Notes that go behind the findings there are. */
export function takeNotes (group: Group, findings: Finding[]): Notes {
  return {
    ok: (code, what) => { findings.push({ group, code, level: 'ok', what, cure: null }) },
    warn: (code, what, cure) => { findings.push({ group, code, level: 'warning', what, cure }) },
    fail: (code, what, cure) => { findings.push({ group, code, level: 'error', what, cure }) }
  }
}

/** `1 row`, `2 rows`. */
export function countOf (count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`
}

/** The code of an error, which may be shown; its message may hold what must not be. */
export function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
