import { randomBytes } from 'node:crypto'
import { closeSync, constants, fstatSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, type Stats, writeSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseKey } from './settings/checks.ts'
import type { VaultKey } from './vault.ts'

const MAX_BYTES = 1024

/**
 * A key file that cannot be used: `missing`; `unsafe` (a link, another user's, readable by others);
 * `malformed`; `unwritable`. The message says what to do.
 */
export class KeyFileError extends Error {
  readonly code: 'missing' | 'unsafe' | 'malformed' | 'unwritable'

  constructor (code: KeyFileError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

/** The key file of a SQLite database: beside it, `.key` instead of `.db`. */
export function keyFilePath (databasePath: string): string {
  return `${databasePath.replace(/\.db$/, '')}.key`
}

/**
 * The key in a key file; undefined when there is no file.
 * @throws {KeyFileError} `unsafe`, `malformed`
 */
export function readKeyFile (path: string): VaultKey | undefined {
  const file = openKeyFile(path)
  if (file === undefined) return undefined
  try {
    checkTrust(path, fstatSync(file))
    return parseKey(readFileSync(file, 'utf8').replace(/\r?\n$/, ''))
  } catch (error) {
    if (error instanceof KeyFileError) throw error
    throw new KeyFileError('malformed', `The key file ${path} does not hold one line id:key. Restore it from your backup.`, error)
  } finally {
    closeSync(file)
  }
}

/**
 * Makes a key file with a new random key and answers the key that is in the file afterwards: when
 * another process was faster, its key.
 * @throws {KeyFileError} `unwritable`, and what {@link readKeyFile} throws
 */
export function createKeyFile (path: string): VaultKey {
  const line = `k${randomBytes(4).toString('hex')}:${randomBytes(32).toString('base64')}\n`
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    // Written whole under another name first: nobody finds half a key, and a crash leaves none behind.
    writePrivately(draft, line)
    linkUnlessThere(draft, path)
    syncFolder(dirname(path))
  } catch (error) {
    throw new KeyFileError('unwritable', `The key file ${path} cannot be made. Make its folder writable, or set LEADLATCH_ENCRYPTION_KEYS.`, error)
  } finally {
    rmSync(draft, { force: true })
  }
  const key = readKeyFile(path)
  if (key === undefined) throw new KeyFileError('missing', `The key file ${path} vanished while it was made. Start again.`)
  return key
}

function openKeyFile (path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw new KeyFileError('unsafe', `The key file ${path} is a symbolic link. Put the file itself there.`, error)
    throw new KeyFileError('unsafe', `The key file ${path} cannot be read (${code}). Give it to the user who runs Leadlatch.`, error)
  }
}

// A key that somebody else put there, or could read, protects nothing.
function checkTrust (path: string, stats: Stats): void {
  if (!stats.isFile() || stats.size > MAX_BYTES) throw new KeyFileError('malformed', `The key file ${path} is not a key file. Restore it from your backup.`)
  const userId = process.geteuid?.()
  if (userId === undefined) return
  if (stats.uid !== userId && stats.uid !== 0) throw new KeyFileError('unsafe', `The key file ${path} belongs to another user. Take it over with chown if you know where it comes from.`)
  if ((stats.mode & 0o077) !== 0) throw new KeyFileError('unsafe', `The key file ${path} can be read by other users. Run: chmod 600 ${path}`)
}

function writePrivately (path: string, text: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function linkUnlessThere (draft: string, path: string): void {
  try {
    linkSync(draft, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** Makes a new name in a folder survive a power cut. */
export function syncFolder (path: string): void {
  // Windows opens no folders.
  if (process.platform === 'win32') return
  const folder = openSync(path, constants.O_RDONLY)
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
}
