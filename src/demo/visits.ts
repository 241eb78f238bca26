import { randomBytes } from 'node:crypto'
import type { Shopper } from './leadlatch-client.ts'

const MAX_VISITS = 10_000

/** What a visitor has ordered; `reported` says whether Leadlatch knows of it. */
export type Order = { number: number, quantity: number, name: string, email: string, shopper: Shopper | null, isReported: boolean }

/** One visitor of the shop. */
export type Visit = { quantity: number, shopper: Shopper | null, order: Order | null }

/** The visits in progress, by the secret in the visitor's cookie. A real shop has a table of sessions. */
export type Visits = {
  find: (secret: string | undefined) => Visit | undefined
  /** Saves a visit and answers the secret that finds it. */
  save: (visit: Visit) => string
  erase: (secret: string | undefined) => void
}

/** Builds an empty list of visits, kept in memory; the oldest go when there are too many. */
export function createVisits (): Visits {
  const visits = new Map<string, Visit>()
  return {
    find: (secret) => secret === undefined ? undefined : visits.get(secret),
    save (visit) {
      const secret = randomBytes(24).toString('base64url')
      visits.set(secret, visit)
      const oldest = visits.keys().next().value
      if (visits.size > MAX_VISITS && oldest !== undefined) visits.delete(oldest)
      return secret
    },
    erase (secret) {
      if (secret !== undefined) visits.delete(secret)
    }
  }
}
