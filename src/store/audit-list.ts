import type { AuditEntry } from './audit.ts'
import { type Database, integer, text, textOrNull } from './database.ts'

const LIST_AUDIT_ENTRIES = `select id, shop_id, customer_id, actor, action, subject, at_ms from audit_entries
  where (at_ms > $1 or (at_ms = $1 and id > $2)) and (cast($3 as text) is null or customer_id = $3)
  order by at_ms, id limit $4`

/**
 * Audit entries of all shops behind a place in the list, oldest first.
 * @param customerId null: of everybody
 */
export async function listAuditEntries (database: Database, customerId: string | null, page: {
  after: { atMs: number, id: string }, limit: number
}): Promise<AuditEntry[]> {
  const { after, limit } = page
  return (await database.all(LIST_AUDIT_ENTRIES, [after.atMs, after.id, customerId, limit])).map((row) => ({
    id: text(row, 'id'),
    shopId: text(row, 'shop_id'),
    customerId: textOrNull(row, 'customer_id'),
    actor: text(row, 'actor'),
    action: text(row, 'action'),
    subject: textOrNull(row, 'subject'),
    atMs: integer(row, 'at_ms')
  }))
}
