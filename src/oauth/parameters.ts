import { OAuthError } from './errors.ts'

/**
 * The parameters of an OAuth request. A name that came twice has no value, and which of the two
 * would count is never a question (RFC 6749 3.1, 3.2).
 */
export type Parameters = {
  /** The value; undefined when absent, empty (as RFC 6749 3.1 has it) or repeated. */
  get: (name: string) => string | undefined
  isRepeated: (name: string) => boolean
  /** @throws {OAuthError} `invalid_request` when any of the names was repeated; names of nobody's are ignored */
  checkUnrepeated: (names: readonly string[]) => void
}

/** @param encoded a query or form body in `application/x-www-form-urlencoded` */
export function parseParameters (encoded: string): Parameters {
  const values = new Map<string, string>()
  const repeated = new Set<string>()
  for (const [name, value] of new URLSearchParams(encoded)) {
    if (values.has(name)) repeated.add(name)
    values.set(name, value)
  }
  return {
    get: (name) => repeated.has(name) ? undefined : values.get(name) || undefined,
    isRepeated: (name) => repeated.has(name),
    checkUnrepeated: (names) => {
      const name = names.find((name) => repeated.has(name))
      if (name !== undefined) throw new OAuthError('invalid_request', `The parameter ${name} must not be repeated.`)
    }
  }
}
