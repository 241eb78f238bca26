import { randomBytes } from 'node:crypto'
import type { StoreConfig } from './config.ts'
import { createKeyFile, KeyFileError, keyFilePath, readKeyFile } from './key-file.ts'
import type { Database } from './store/database.ts'
import { sqlitePath } from './store/open.ts'
import { type KeyCheck, listKeyChecks, saveKeyCheck } from './store/vault-keys.ts'
import { createVault, type Vault, VaultError, type VaultKey } from './vault.ts'

const CHECK_TEXT = 'leadlatch'

/**
 * The vault under the configured keys, or under those of the key file beside a SQLite database. A
 * key file is made only where no key was ever in use: a new key beside old texts would lose them.
 * Every key that was in use must be there with the same bytes.
 * @param warn takes a text for the log when a key file was made
 * @throws {VaultError} `unknown_key`, `not_authentic` naming the key id
 * @throws {KeyFileError} `missing` and the others, naming the file
 */
export async function openVault (
  config: StoreConfig, database: Database, now: () => number, warn: (message: string) => void = () => {}
): Promise<Vault> {
  const checks = await listKeyChecks(database)
  const vault = createVault(config.encryptionKeys ?? [readOrCreateKey(config.databaseURL, checks, warn)])
  checkKeys(vault, checks)
  if (checks.some(({ keyId }) => keyId === vault.newestKeyId)) return vault
  const checkValue = vault.seal('check', vault.newestKeyId, CHECK_TEXT)
  await saveKeyCheck(database, { keyId: vault.newestKeyId, checkValue }, now())
  // Read again: another process may have stored other bytes under this id in the meantime.
  checkKeys(vault, await listKeyChecks(database))
  return vault
}

function readOrCreateKey (databaseURL: string, checks: readonly KeyCheck[], warn: (message: string) => void): VaultKey {
  const databasePath = sqlitePath(databaseURL)
  if (databasePath === undefined) throw new VaultError('unknown_key', 'LEADLATCH_ENCRYPTION_KEYS must be set with this database.')
  if (databasePath === ':memory:') return { id: 'memory', bytes: randomBytes(32) }
  const path = keyFilePath(databasePath)
  const key = readKeyFile(path)
  if (key !== undefined) return key
  if (checks.length > 0) {
    throw new KeyFileError('missing', `The key file ${path} is missing, and the database holds values sealed under its key. Restore the file, or set LEADLATCH_ENCRYPTION_KEYS.`)
  }
  const created = createKeyFile(path)
  warn(`Made the key file ${path}. Back it up apart from the database: without it the tokens in the database are lost.`)
  return created
}

function checkKeys (vault: Vault, checks: readonly KeyCheck[]): void {
  const [fault] = findKeyFaults(vault, checks)
  if (fault !== undefined) throw fault
}

/** What is wrong with the keys of a vault, given those that were ever in use; none: every text may open. */
export function findKeyFaults (vault: Vault, checks: readonly KeyCheck[]): VaultError[] {
  return checks.flatMap(({ keyId, checkValue }) => {
    if (!vault.keyIds.includes(keyId)) {
      return new VaultError('unknown_key', `The encryption key "${keyId}" is missing, and the database holds values sealed under it. Add it to LEADLATCH_ENCRYPTION_KEYS.`)
    }
    if (isCheckValueOf(vault, keyId, checkValue)) return []
    return new VaultError('not_authentic', `The encryption key "${keyId}" is not the one that the database was made with. Restore the key's own bytes.`)
  })
}

/**
 * The configured keys, or that of the key file, newest first; undefined when there is neither. Makes none.
 * @throws {KeyFileError} `unsafe`, `malformed`
 */
export function readKeys (config: StoreConfig): readonly VaultKey[] | undefined {
  if (config.encryptionKeys !== null) return config.encryptionKeys
  const path = sqlitePath(config.databaseURL)
  const key = path === undefined || path === ':memory:' ? undefined : readKeyFile(keyFilePath(path))
  return key === undefined ? undefined : [key]
}

function isCheckValueOf (vault: Vault, keyId: string, checkValue: string): boolean {
  try {
    return vault.unseal('check', keyId, checkValue) === CHECK_TEXT
  } catch (error) {
    if (error instanceof VaultError) return false
    throw error
  }
}
