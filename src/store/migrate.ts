import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Database, StoreError, text } from './database.ts'

/** One numbered file of `migrations/`. */
export type Migration = { name: string, oldestVersion: string, checksum: string, text: string }

const CREATE_MIGRATIONS = `create table if not exists migrations (
  name text primary key,
  checksum text not null,
  oldest_version text not null,
  applied_at_ms bigint not null
)`
const LIST_APPLIED = 'select name, checksum, oldest_version from migrations order by name limit 10000'
const RECORD = `insert into migrations (name, checksum, oldest_version, applied_at_ms) values ($1, $2, $3, $4)
  on conflict (name) do nothing`

/**
 * Brings the database to this version's tables and answers the names of what it applied. Safe to run
 * from several processes at once.
 * @param options.version this program's version, e.g. `0.1.0`
 * @throws {StoreError} `migration`: a recorded file changed or is missing, or the database was
 *   migrated by a newer version on which this one must not run
 */
export async function migrate (database: Database, options: {
  version: string
  nowMs: number
  migrations?: readonly Migration[]
}): Promise<string[]> {
  const { version, nowMs, migrations = readMigrations() } = options
  await database.run(CREATE_MIGRATIONS)
  const recorded = await checkRecorded(database, version, migrations)
  const applied: string[] = []
  for (const { name, checksum, oldestVersion, text } of migrations) {
    if (recorded.has(name)) continue
    const record = { sql: RECORD, values: [name, checksum, oldestVersion, nowMs] }
    if (await database.applyMigration(record, text)) applied.push(name)
  }
  return applied
}

/** The files of `migrations/`, in their order. */
export function readMigrations (): Migration[] {
  const folder = fileURLToPath(new URL('../../migrations/', import.meta.url))
  return readdirSync(folder).filter((name) => name.endsWith('.sql')).sort().map((name) => {
    const text = readFileSync(folder + name, 'utf8')
    const oldestVersion = /^-- oldest version: (\d+\.\d+\.\d+)$/m.exec(text)?.[1]
    if (oldestVersion === undefined) throw new StoreError('migration', `The migration ${name} names no oldest version.`)
    return { name, oldestVersion, checksum: createHash('sha256').update(text).digest('base64url'), text }
  })
}

async function checkRecorded (database: Database, version: string, migrations: readonly Migration[]): Promise<Set<string>> {
  const rows = await database.all(LIST_APPLIED)
  const newest = migrations.at(-1)?.name ?? ''
  for (const row of rows) {
    const name = text(row, 'name')
    const known = migrations.find((migration) => migration.name === name)
    if (known === undefined && name <= newest) {
      throw new StoreError('migration', `The database was migrated with ${name}, which this version lacks. Install the version that made it.`)
    }
    if (known === undefined && compareVersions(text(row, 'oldest_version'), version) > 0) {
      throw new StoreError('migration', `The database needs Leadlatch ${text(row, 'oldest_version')} or newer, this is ${version}. Upgrade before you start.`)
    }
    if (known !== undefined && known.checksum !== text(row, 'checksum')) {
      throw new StoreError('migration', `The migration ${name} is not the one that was applied. Restore the file.`)
    }
  }
  return new Set(rows.map((row) => text(row, 'name')))
}

function compareVersions (left: string, right: string): number {
  const [a, b] = [left, right].map((version) => version.split('.').map(Number))
  for (let i = 0; i < 3; i++) {
    const difference = (a?.[i] ?? 0) - (b?.[i] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
