import { closeSync, constants, fstatSync, fsyncSync, lstatSync, openSync, rmSync, type Stats } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { Command } from 'commander'
import { keyFilePath, syncFolder } from '../key-file.ts'
import type { StoreConfig } from '../config.ts'
import { openDatabase, sqlitePath } from '../store/open.ts'
import { CommandError, type Edge, UsageError } from './edge.ts'
import { printJSON, printLine } from './print.ts'
import { checkExists, readStoreConfig } from './store.ts'

/** Adds `backup`. */
export function addBackupCommand (program: Command, edge: Edge): void {
  program.command('backup').description('copy the database into a new file, while the service runs')
    .argument('<file>', 'the copy; must not exist yet').option('--json', 'print JSON')
    .action((file: string, options: { json?: boolean }) => backup(edge, file, options))
}

async function backup (edge: Edge, file: string, options: { json?: boolean }): Promise<void> {
  const config = readStoreConfig(edge)
  const path = resolve(edge.folder, file)
  // The driver trims names: it would write beside the private file that was made for it.
  if (path.trim() !== path) throw new UsageError('The name of a backup must not end in a space.')
  checkExists(config.databaseURL)
  const bytes = await copyInto(path, config)
  if (options.json === true) return printJSON(edge, { file: path, bytes, holds_key_file: false })
  printLine(edge, `Copied the database into ${path} (${bytes} bytes).`)
  printLine(edge, `${keyAdvice(config)} Without the keys the tokens in the copy cannot be read; keep them apart from it.`)
}

// The file is made before SQLite gets its name: private from the first byte, and never through a link.
async function copyInto (path: string, config: StoreConfig): Promise<number> {
  const target = createTarget(path)
  try {
    const database = openDatabase(config.databaseURL)
    try {
      await database.backup(path)
    } finally {
      await database.close()
    }
    if (!isSameFile(fstatSync(target), lstatSync(path))) throw new CommandError(`Somebody replaced ${path} during the copy. Choose a folder of your own.`)
    fsyncSync(target)
    syncFolder(dirname(path))
    return fstatSync(target).size
  } catch (error) {
    if (isSameFile(fstatSync(target), lstatSync(path, { throwIfNoEntry: false }))) rmSync(path, { force: true })
    throw error
  } finally {
    closeSync(target)
  }
}

function createTarget (path: string): number {
  try {
    return openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW, 0o600)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (code === 'EEXIST' || code === 'ELOOP') throw new CommandError(`${path} exists already. Name a file that does not.`)
    throw new CommandError(`${path} cannot be made (${code}). Name a file in a folder that exists and that you may write to.`)
  }
}

function isSameFile (left: Stats, right: Stats | undefined): boolean {
  return right !== undefined && left.dev === right.dev && left.ino === right.ino
}

function keyAdvice (config: StoreConfig): string {
  const databasePath = sqlitePath(config.databaseURL)
  return config.encryptionKeys !== null || databasePath === undefined || databasePath === ':memory:'
    ? 'Your encryption keys (LEADLATCH_ENCRYPTION_KEYS) are not inside.'
    : `The key file ${keyFilePath(databasePath)} is not inside.`
}
