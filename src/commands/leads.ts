import { once } from 'node:events'
import { type Command, Option } from 'commander'
import { exportLeads } from '../flows/export/export-leads.ts'
import { EXPORT_FORMATS, type ExportFormat, LEAD_FORMATS, type LeadFormat } from '../flows/export/formats.ts'
import type { Database } from '../store/database.ts'
import type { LeadQuery } from '../store/leads.ts'
import { findShop, listShops } from '../store/shops.ts'
import { CommandError, type Edge } from './edge.ts'
import { printableLines } from './print.ts'
import { readStoreConfig, withDatabase } from './store.ts'

type ExportOptions = { shop?: string, format: ExportFormat }

/** Adds `leads export`. */
export function addLeadsCommands (program: Command, edge: Edge): void {
  program.command('leads').description('export leads')
    .command('export').description('write the leads to standard output, newest first')
    .option('--shop <shop>', 'of this shop; of all shops, one after the other, unless given')
    .addOption(new Option('--format <format>', 'how to write them').choices([...EXPORT_FORMATS]).default('csv'))
    .addOption(new Option('--json', 'the same as --format json').conflicts('format'))
    .action(({ json = false, ...options }: ExportOptions & { json?: boolean }) => withDatabase(edge, { config: readStoreConfig(edge) }, (database) =>
      exportAll(edge, database, { ...options, format: json ? 'json' : options.format })))
}

async function exportAll (edge: Edge, database: Database, options: ExportOptions): Promise<void> {
  const shopIds = await chooseShops(database, options.shop)
  const progress = { rows: 0 }
  for (const [i, shopId] of shopIds.entries()) {
    const format = formatOfPart(LEAD_FORMATS[options.format], { isFirst: i === 0, isLast: i === shopIds.length - 1 }, progress)
    for await (const text of exportLeads({ database, now: edge.now }, queryOf(shopId), { format })) {
      await write(edge, text)
      if (edge.stderr.isTTY === true) edge.stderr.write(`\r${progress.rows} leads`)
    }
  }
  if (shopIds.length === 0) await write(edge, LEAD_FORMATS[options.format].open + LEAD_FORMATS[options.format].close)
  if (options.format === 'json') await write(edge, '\n')
  if (edge.stderr.isTTY === true) edge.stderr.write(`\r${progress.rows} leads\n`)
}

async function chooseShops (database: Database, shopId: string | undefined): Promise<string[]> {
  if (shopId === undefined) return (await listShops(database)).map(({ id }) => id)
  if (await findShop(database, shopId) !== undefined) return [shopId]
  throw new CommandError(`There is no shop ${JSON.stringify(shopId.slice(0, 100))}. "leadlatch shop list" shows the shops.`)
}

// The shops follow each other in one document: opened once, closed once, separated throughout.
function formatOfPart (format: LeadFormat, place: { isFirst: boolean, isLast: boolean }, progress: { rows: number }): LeadFormat {
  return {
    ...format,
    open: place.isFirst ? format.open : '',
    close: place.isLast ? format.close : '',
    separator: '',
    row: (lead, nowMs) => (progress.rows++ === 0 ? '' : format.separator) + format.row(lead, nowMs)
  }
}

// A file gets the leads as they are; a terminal would obey what a name holds.
async function write (edge: Edge, text: string): Promise<void> {
  if (!edge.stdout.write(edge.stdout.isTTY === true ? printableLines(text) : text)) await once(edge.stdout, 'drain')
}

function queryOf (shopId: string): LeadQuery {
  return {
    shopId,
    sort: 'first_seen',
    order: 'desc',
    sinceMs: null,
    untilMs: null,
    updatedSinceMs: null,
    provider: null,
    search: null,
    hasEmail: null,
    tokenStatus: null
  }
}
