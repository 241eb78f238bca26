import { randomBytes } from 'node:crypto'

/**
 * A new opaque id: prefix, 48 bits of time, 80 random bits, in hex. Ids of one moment lie side by side
 * in an index, and none can be guessed from another.
 * @param prefix what it names, e.g. `cus`
 * @param nowMs milliseconds since 1970
 */
export function buildId (prefix: string, nowMs: number): string {
  return `${prefix}_${nowMs.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`
}

/** A secret of 256 random bits as base64url text, 43 characters long. */
export function buildSecret (): string {
  return randomBytes(32).toString('base64url')
}
