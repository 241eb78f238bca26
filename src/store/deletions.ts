import { type Database, integer, type Statement, text } from './database.ts'

/** A deletion that a provider asked for; nothing in it says whose. */
export type Deletion = {
  /** The confirmation code: all that opens the status page. */
  code: string
  /** Names the request, the same for each delivery of it. */
  fingerprint: string
  issuedAtMs: number
  receivedAtMs: number
  completedAtMs: number
}

/** What the status page tells. */
export type DeletionTimes = { issuedAtMs: number, completedAtMs: number }

const SAVE_DELETION = `insert into deletion_requests (code, fingerprint, issued_at_ms, received_at_ms, completed_at_ms)
  values ($1, $2, $3, $4, $5) on conflict (fingerprint) do nothing`
const FIND_DELETION_CODE = 'select code from deletion_requests where fingerprint = $1'
const FIND_DELETION = 'select issued_at_ms, completed_at_ms from deletion_requests where code = $1'

/** A statement that records a deletion; it fails its batch, the erasure included, when the request was dealt with before. */
export function saveDeletion ({ code, fingerprint, issuedAtMs, receivedAtMs, completedAtMs }: Deletion): Statement {
  return { sql: SAVE_DELETION, values: [code, fingerprint, issuedAtMs, receivedAtMs, completedAtMs], expect: 1 }
}

/** The code that an earlier delivery of this request was answered with. */
export async function findDeletionCode (database: Database, fingerprint: string): Promise<string | undefined> {
  const row = await database.get(FIND_DELETION_CODE, [fingerprint])
  return row === undefined ? undefined : text(row, 'code')
}

/** The deletion with this confirmation code. */
export async function findDeletion (database: Database, code: string): Promise<DeletionTimes | undefined> {
  const row = await database.get(FIND_DELETION, [code])
  return row === undefined ? undefined : { issuedAtMs: integer(row, 'issued_at_ms'), completedAtMs: integer(row, 'completed_at_ms') }
}
