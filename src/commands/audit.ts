import type { Command } from 'commander'
import type { AuditEntry } from '../store/audit.ts'
import { listAuditEntries } from '../store/audit-list.ts'
import type { Database } from '../store/database.ts'
import type { Edge } from './edge.ts'
import { formatTime, jsonTime, printJSON, printTable } from './print.ts'
import { readStoreConfig, withDatabase } from './store.ts'

const PAGE_ROWS = 500

type AuditOptions = { customer?: string, json?: boolean }

/** Adds `audit`. */
export function addAuditCommand (program: Command, edge: Edge): void {
  program.command('audit').description('who read or changed what, oldest first')
    .option('--customer <customer>', 'what concerns this customer only').option('--json', 'print JSON')
    .action((options: AuditOptions) => withDatabase(edge, { config: readStoreConfig(edge) }, (database) => audit(edge, database, options)))
}

async function audit (edge: Edge, database: Database, options: AuditOptions): Promise<void> {
  const found: AuditEntry[] = []
  for (let after = { atMs: 0, id: '' }; ;) {
    const page = await listAuditEntries(database, options.customer ?? null, { after, limit: PAGE_ROWS })
    found.push(...page)
    const last = page.at(-1)
    if (page.length < PAGE_ROWS || last === undefined) break
    after = { atMs: last.atMs, id: last.id }
  }
  if (options.json === true) return printJSON(edge, { data: found.map(jsonOf) })
  printTable(edge, ['TIME', 'WHO', 'WHAT', 'CUSTOMER', 'SUBJECT', 'SHOP'], found.map((entry) => [
    formatTime(entry.atMs), entry.actor, entry.action, entry.customerId ?? '-', entry.subject ?? '-', entry.shopId
  ]))
}

function jsonOf (entry: AuditEntry) {
  return {
    id: entry.id,
    at: jsonTime(entry.atMs),
    actor: entry.actor,
    action: entry.action,
    shop_id: entry.shopId,
    customer_id: entry.customerId,
    subject: entry.subject
  }
}
