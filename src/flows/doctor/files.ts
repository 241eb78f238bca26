import { type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { keyFilePath } from '../../key-file.ts'
import type { Notes } from './finding.ts'

/** What lies on the disk. */
export type FilesInput = {
  /** The working folder. */
  folder: string
  /** The SQLite file; null for none. */
  databasePath: string | null
  /** Files that settings with the suffix `_FILE` name. */
  secretFiles: readonly string[]
  /** Undefined where files have no owner. */
  userId: number | undefined
}

/** Examines who may read and change the files that hold secrets and people. */
export function examineFiles (notes: Notes, { folder, databasePath, secretFiles, userId }: FilesInput): void {
  if (userId === undefined) return notes.ok('file_modes', 'File modes mean nothing on this system.')
  const own = databasePath === null ? [] : [databasePath, `${databasePath}-wal`, `${databasePath}-shm`, keyFilePath(databasePath)]
  const paths = [join(folder, '.env'), ...secretFiles, ...own]
  const folders = databasePath === null ? [] : [dirname(databasePath)]
  const faults = [
    ...paths.map((path) => examineFile(notes, path, userId)),
    ...folders.map((path) => examineFolder(notes, path, userId))
  ]
  if (!faults.includes(true)) notes.ok('file_modes', 'The files that hold secrets are readable by their owner alone.')
}

function examineFile (notes: Notes, path: string, userId: number): boolean {
  const stats = statIfThere(path)
  if (stats === undefined) return false
  if ((stats.mode & 0o077) !== 0) notes.warn('file_mode', `The file ${path} can be read or changed by other users.`, `Run: chmod 600 ${path}`)
  const isForeign = userId !== 0 && stats.uid !== userId
  if (isForeign) notes.warn('file_owner', `The file ${path} belongs to another user.`, 'Run the doctor as the user who runs Leadlatch, and give that user the file with chown.')
  return isForeign || (stats.mode & 0o077) !== 0
}

// Whoever may write into the folder may put another file in the place of any.
function examineFolder (notes: Notes, path: string, userId: number): boolean {
  const stats = statIfThere(path)
  if (stats === undefined) return false
  const isSticky = (stats.mode & 0o1000) !== 0
  const isOpen = (stats.mode & 0o022) !== 0 && !isSticky
  const cure = `Run: chmod go-w ${path}`
  if ((stats.mode & 0o002) !== 0 && isOpen) notes.fail('folder_mode', `Every user may replace the files in ${path}.`, cure)
  else if (isOpen) notes.warn('folder_mode', `The users of its group may replace the files in ${path}.`, cure)
  const isForeign = userId !== 0 && stats.uid !== userId && stats.uid !== 0
  if (isForeign) notes.warn('file_owner', `The folder ${path} belongs to another user.`, 'Give the user who runs Leadlatch a folder of its own with chown.')
  return isOpen || isForeign
}

function statIfThere (path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false })
  } catch {
    // A folder that may not be entered is found when the file is needed.
    return undefined
  }
}
