import type { StoreConfig } from '../../config.ts'
import { KeyFileError } from '../../key-file.ts'
import type { Database } from '../../store/database.ts'
import { countSealedRows, listSealedRows, SEALED_COLUMNS, type SealedRow } from '../../store/sealed-values.ts'
import { listKeyChecks } from '../../store/vault-keys.ts'
import { findKeyFaults, readKeys } from '../../vault-keys.ts'
import { createVault, keyIdOf, type Vault, VaultError } from '../../vault.ts'
import { openSealedRow } from '../sealed-rows.ts'
import { countOf, type Notes } from './finding.ts'

const PAGE_ROWS = 1000
/** So many rows are opened; of more, every second, third and so on. Which key each is under is counted of all. */
const OPENED_ROWS = 50_000

type Tally = { rows: number, opened: number, malformed: number, unknown: number, altered: number, byKey: Map<string, number> }

/** Examines the key list against the key ids in the database, and whether what is sealed opens. */
export async function examineKeys (notes: Notes, config: StoreConfig, database: Database): Promise<void> {
  const checks = await listKeyChecks(database)
  const keys = readKeysIfPossible(notes, config)
  if (keys === null) return
  if (keys === undefined || keys.length === 0) {
    if (checks.length === 0) return notes.ok('keys', 'No key is there, and nothing is sealed: the first start makes a key file.')
    return notes.fail('key_missing', 'The key file is missing, and the database holds values sealed under its key.', 'Restore the key file from your backup, or set LEADLATCH_ENCRYPTION_KEYS.')
  }
  const vault = createVault(keys)
  const faults = findKeyFaults(vault, checks)
  for (const { message } of faults) notes.fail('key_wrong', message, 'Leadlatch does not start without the right key. Look for it in your backups.')
  if (faults.length === 0) notes.ok('keys', `${countOf(checks.length, 'key')} in use, all of them listed. New values are sealed under "${vault.newestKeyId}".`)
  noteTally(notes, vault, await tallyRows(database, vault), checks.map(({ keyId }) => keyId))
}

function readKeysIfPossible (notes: Notes, config: StoreConfig) {
  try {
    return readKeys(config)
  } catch (error) {
    if (!(error instanceof KeyFileError)) throw error
    notes.fail('key_file', error.message, 'Leadlatch does not start with such a key file.')
    return null
  }
}

function noteTally (notes: Notes, vault: Vault, tally: Tally, keyIdsInUse: readonly string[]): void {
  const { rows, opened, malformed, unknown, altered, byKey } = tally
  const lost = 'Those people must sign in again, unless you find the right key or restore the rows from a backup.'
  if (unknown > 0) notes.fail('sealed_unknown_key', `${countOf(unknown, 'stored value')} are sealed under a key that is not listed.`, 'Add the key to LEADLATCH_ENCRYPTION_KEYS. The ids: ' + [...byKey.keys()].filter((id) => !vault.keyIds.includes(id)).slice(0, 5).join(', '))
  if (malformed > 0) notes.fail('sealed_malformed', `${countOf(malformed, 'stored value')} are no sealed texts.`, `Something other than Leadlatch wrote them. ${lost}`)
  if (altered > 0) notes.fail('sealed_altered', `${countOf(altered, 'stored value')} of ${opened} that were tried do not open.`, `They were altered, moved from another row, or sealed under other bytes. ${lost}`)
  if (unknown + malformed + altered === 0) notes.ok('sealed_rows', `${countOf(rows, 'stored value')} are sealed, and ${opened === rows ? 'all' : `the ${opened} that were tried`} open.`)
  const older = rows - malformed - unknown - (byKey.get(vault.newestKeyId) ?? 0)
  if (older > 0) notes.warn('rotation_due', `${countOf(older, 'stored value')} are still sealed under an older key.`, 'Run: leadlatch vault rotate')
  for (const id of vault.keyIds.slice(1)) {
    if ((byKey.get(id) ?? 0) === 0 && !keyIdsInUse.includes(id)) notes.ok('key_unused', `Nothing is stored under the key "${id}"; it may be taken out of the list 15 minutes after the last rotation.`)
  }
}

async function tallyRows (database: Database, vault: Vault): Promise<Tally> {
  const tally: Tally = { rows: 0, opened: 0, malformed: 0, unknown: 0, altered: 0, byKey: new Map() }
  let total = 0
  for (const column of SEALED_COLUMNS) total += await countSealedRows(database, column)
  const step = Math.max(1, Math.ceil(total / OPENED_ROWS))
  for (const column of SEALED_COLUMNS) {
    for (let afterId = '', isWhole = true; isWhole;) {
      const rows = await listSealedRows(database, column, { afterId, limit: PAGE_ROWS })
      isWhole = rows.length === PAGE_ROWS
      afterId = rows.at(-1)?.id ?? afterId
      for (const row of rows) tallyRow(tally, vault, row, tally.rows++ % step === 0)
    }
  }
  return tally
}

function tallyRow (tally: Tally, vault: Vault, row: SealedRow, isTried: boolean): void {
  const keyId = keyIdOf(row.sealed)
  if (keyId === undefined) {
    tally.malformed++
    return
  }
  tally.byKey.set(keyId, (tally.byKey.get(keyId) ?? 0) + 1)
  if (!vault.keyIds.includes(keyId)) tally.unknown++
  else if (isTried) tryRow(tally, vault, row)
}

function tryRow (tally: Tally, vault: Vault, row: SealedRow): void {
  tally.opened++
  try {
    openSealedRow(vault, row)
  } catch (error) {
    if (!(error instanceof VaultError)) throw error
    tally.altered++
  }
}
