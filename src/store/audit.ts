import type { Statement } from './database.ts'

/** Who did what to whom; ids only, so that nothing personal outlives an erasure. */
export type AuditEntry = {
  id: string
  shopId: string
  customerId: string | null
  /** e.g. `key:key_…` */
  actor: string
  /** e.g. `token.read` */
  action: string
  /** The id of the thing itself, where it is not the customer. */
  subject: string | null
  atMs: number
}

const SAVE_AUDIT_ENTRY = `insert into audit_entries (id, shop_id, customer_id, actor, action, subject, at_ms)
  values ($1, $2, $3, $4, $5, $6, $7)`

/** A statement that records an entry, to go into the batch of what it records. */
export function saveAuditEntry (entry: AuditEntry): Statement {
  return {
    sql: SAVE_AUDIT_ENTRY,
    values: [entry.id, entry.shopId, entry.customerId, entry.actor, entry.action, entry.subject, entry.atMs],
    expect: 1
  }
}
