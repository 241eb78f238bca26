import type { Command } from 'commander'
import { migrate } from '../store/migrate.ts'
import { openDatabase } from '../store/open.ts'
import { readVersion } from '../version.ts'
import type { Edge } from './edge.ts'
import { printJSON, printLine } from './print.ts'
import { readStoreConfig } from './store.ts'

/** Adds `migrate`. */
export function addMigrateCommand (program: Command, edge: Edge): void {
  program.command('migrate').description('bring the database to the tables of this version, as serve does when it starts')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => migrateNow(edge, options))
}

async function migrateNow (edge: Edge, options: { json?: boolean }): Promise<void> {
  const database = openDatabase(readStoreConfig(edge).databaseURL)
  try {
    const applied = await migrate(database, { version: readVersion(), nowMs: edge.now() })
    if (options.json === true) return printJSON(edge, { applied })
    for (const name of applied) printLine(edge, `Applied ${name}`)
    printLine(edge, applied.length === 0 ? 'The database is up to date.' : 'The database is now up to date.')
  } finally {
    await database.close()
  }
}
