import { setTimeout as pause } from 'node:timers/promises'
import type { Command } from 'commander'
import type { StoreConfig } from '../config.ts'
import { type Rotation, type RotateOptions, rotateVault } from '../flows/rotate.ts'
import type { Database } from '../store/database.ts'
import { isInUse } from '../store/in-use.ts'
import { listKeyChecks } from '../store/vault-keys.ts'
import { openVault } from '../vault-keys.ts'
import { CommandError, type Edge } from './edge.ts'
import { formatTime, jsonTime, printJSON, printLine, printWarning } from './print.ts'
import { checkExists, readStoreConfig, withDatabase } from './store.ts'

/** Flows, handoff codes and access tokens that were sealed under an older key are over after this. */
const AFTERLIFE_MS = 15 * 60_000

/** Adds `vault rotate`. */
export function addVaultCommands (program: Command, edge: Edge): void {
  const vault = program.command('vault').description('the encryption of tokens and signing keys')
  vault.command('rotate').description('seal everything under the newest of LEADLATCH_ENCRYPTION_KEYS, while the service runs')
    .option('--json', 'print JSON')
    .action((options: { json?: boolean }) => rotate(edge, options))
}

async function rotate (edge: Edge, options: { json?: boolean }): Promise<void> {
  const config = readStoreConfig(edge)
  checkExists(config.databaseURL)
  // Asked before this process opens the database itself.
  const isRunning = isInUse(config.databaseURL)
  const rotation = await withDatabase(edge, { config }, async (database) => {
    if (isRunning) await checkNewestIsKnown(config, database)
    const vault = await openVault(config, database, edge.now, (warning) => printWarning(edge, warning))
    return rotateVault({ database, vault }, { pause, ...progressOf(edge) })
  })
  if (options.json === true) printJSON(edge, jsonOf(rotation, edge.now()))
  else printRotation(edge, config, rotation)
  const { unreadable, left } = rotation
  if (unreadable > 0) throw new CommandError(`${unreadable} stored values open with none of the keys and were left as they are. "leadlatch doctor" tells more.`)
  if (left > 0) throw new CommandError(`${left} stored values keep being written under an older key. Restart every Leadlatch with the new list, then run this again.`)
}

// A process that was started without the new key could not open what is sealed under it now.
async function checkNewestIsKnown (config: StoreConfig, database: Database): Promise<void> {
  const newest = config.encryptionKeys?.[0]?.id
  const known = await listKeyChecks(database)
  if (newest === undefined || known.length === 0 || known.some(({ keyId }) => keyId === newest)) return
  throw new CommandError(`The encryption key "${newest}" is new, and a Leadlatch that was started without it is using the database. Restart it with the new list, then run this again.`)
}

// A line that counts, on a terminal only.
function progressOf (edge: Edge): Pick<RotateOptions, 'onProgress'> {
  if (edge.stderr.isTTY !== true) return {}
  return { onProgress: ({ seen, resealed }) => { edge.stderr.write(`\r${seen} values seen, ${resealed} sealed anew `) } }
}

function printRotation (edge: Edge, config: StoreConfig, { keyId, resealed, unreadable, left, retiredKeyIds }: Rotation): void {
  if (edge.stderr.isTTY === true) edge.stderr.write('\n')
  printLine(edge, `Sealed ${resealed} stored values under the key "${keyId}".`)
  if (unreadable + left === 0) printLine(edge, `Everything is sealed under "${keyId}" now.`)
  for (const retired of retiredKeyIds) {
    printLine(edge, `Nothing is stored under the key "${retired}" any more. Take it out of LEADLATCH_ENCRYPTION_KEYS after ${formatTime(edge.now() + AFTERLIFE_MS)}: until then logins that began under it may still be on their way. Backups of before need it.`)
  }
  if (config.encryptionKeys?.length === 1 || config.encryptionKeys === null) {
    printLine(edge, `"${keyId}" is the only key. For a new one, set LEADLATCH_ENCRYPTION_KEYS to the new key, a comma and ${
      config.encryptionKeys === null ? 'the line in the key file' : 'the present one'}, restart Leadlatch, and run this again.`)
  }
}

function jsonOf ({ keyId, resealed, unreadable, left, retiredKeyIds }: Rotation, nowMs: number) {
  return {
    key_id: keyId,
    resealed,
    unreadable,
    left,
    retired_key_ids: retiredKeyIds,
    removable_at: jsonTime(retiredKeyIds.length > 0 ? nowMs + AFTERLIFE_MS : null)
  }
}
