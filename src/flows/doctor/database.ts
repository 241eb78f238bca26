import { statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StoreError } from '../../store/database.ts'
import { compareMigrations, type Inspection } from '../../store/inspection.ts'
import { countOf, type Notes } from './finding.ts'

const LARGE_WAL_BYTES = 128 * 1024 * 1024
const LITTLE_FREE_BYTES = 1024 * 1024 * 1024
const TOO_LITTLE_FREE_BYTES = 100 * 1024 * 1024
const SHOWN_LINES = 3

// Of Linux: NFS, SMB, SMB2, CIFS.
const NETWORK_FILE_SYSTEMS = new Set([0x6969, 0x517b, 0xfe534d42, 0xff534d42])

/** What the disk tells of a folder. */
export type ReadDisk = (folder: string) => Promise<{ freeBytes: number, fileSystem: number }>

export const readDisk: ReadDisk = async (folder) => {
  const { bavail, bsize, type } = await statfs(folder)
  return { freeBytes: bavail * bsize, fileSystem: type }
}

/** Examines the database: whole, migrated, with room to grow. */
export async function examineDatabase (notes: Notes, inspection: Inspection, path: string, disk: ReadDisk): Promise<void> {
  await examineDisk(notes, path, disk)
  examineWAL(notes, path)
  try {
    examineContents(notes, inspection)
    await examineMigrations(notes, inspection)
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    notes.fail('database_unreadable', error.message, 'Stop Leadlatch, keep a copy of the files, and restore the last backup.')
  }
}

function examineContents (notes: Notes, inspection: Inspection): void {
  const damage = inspection.listDamage(SHOWN_LINES)
  if (damage.length > 0) notes.fail('database_damaged', `The database file is damaged: ${damage.join('; ')}`, 'Stop Leadlatch, keep a copy of the files, and restore the last backup.')
  else notes.ok('database_whole', 'The database file is whole.')
  const dangling = inspection.countDangling()
  if (dangling > 0) notes.fail('dangling_rows', `${countOf(dangling, 'row')} point at something that does not exist.`, 'Somebody changed the database by hand: restore the last backup, or ask for help with a copy of it.')
  else notes.ok('dangling_rows', 'All rows point at rows that exist.')
}

async function examineMigrations (notes: Notes, { database }: Inspection): Promise<void> {
  const { pending, changed, foreign } = await compareMigrations(database)
  for (const name of changed) notes.fail('migration_changed', `The migration ${name} is not the one that was applied.`, 'Install the version of Leadlatch that the database was made with, or a newer one.')
  if (foreign.length > 0) notes.warn('migration_newer', `A newer Leadlatch has been at this database (${foreign.join(', ')}).`, 'Run that version.')
  if (pending.length > 0) notes.warn('migration_pending', `The database lacks ${countOf(pending.length, 'migration')} of this version.`, 'Run: leadlatch migrate (serve does it when it starts)')
  if (changed.length + foreign.length + pending.length === 0) notes.ok('migrations', 'The tables are those of this version.')
}

function examineWAL (notes: Notes, path: string): void {
  const bytes = statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0
  if (bytes < LARGE_WAL_BYTES) return notes.ok('wal_size', `The write-ahead log has ${formatMB(bytes)}.`)
  notes.warn('wal_size', `The write-ahead log has grown to ${formatMB(bytes)}.`,
    'Something reads the database without end, such as an export that nobody takes or a forgotten sqlite3 shell. End it, or restart Leadlatch.')
}

async function examineDisk (notes: Notes, path: string, disk: ReadDisk): Promise<void> {
  const { freeBytes, fileSystem } = await disk(dirname(path))
  const what = `${formatMB(freeBytes)} are free where the database lies.`
  const cure = 'Make room: a full disk ends logins.'
  if (freeBytes < TOO_LITTLE_FREE_BYTES) notes.fail('free_disk', what, cure)
  else if (freeBytes < LITTLE_FREE_BYTES) notes.warn('free_disk', what, cure)
  else notes.ok('free_disk', what)
  if (NETWORK_FILE_SYSTEMS.has(fileSystem)) notes.fail('network_disk', 'The database lies on a network file system, where SQLite damages it.', 'Move it to a disk of this machine.')
}

function formatMB (bytes: number): string {
  return `${Math.floor(bytes / 1024 / 1024).toLocaleString('en-US')} MB`
}
