import { type Database, text } from './database.ts'

const LIST_KEY_CHECKS = 'select key_id, check_value from vault_keys order by created_at_ms, key_id limit 1000'
const SAVE_KEY_CHECK = `insert into vault_keys (key_id, check_value, created_at_ms) values ($1, $2, $3)
  on conflict (key_id) do nothing`
const ERASE_KEY_CHECK = 'delete from vault_keys where key_id = $1'

/** A known text, sealed under the vault key that the row names. */
export type KeyCheck = { keyId: string, checkValue: string }

/** The check values of all vault keys that were ever in use, oldest first. */
export async function listKeyChecks (database: Database): Promise<KeyCheck[]> {
  return (await database.all(LIST_KEY_CHECKS)).map((row) => ({ keyId: text(row, 'key_id'), checkValue: text(row, 'check_value') }))
}

/** Stores a key's check value, unless another process stored one under this id before. */
export async function saveKeyCheck (database: Database, check: KeyCheck, nowMs: number): Promise<void> {
  await database.run(SAVE_KEY_CHECK, [check.keyId, check.checkValue, nowMs])
}

/** Forgets a key under which nothing is sealed any more: from then on a start does not ask for it. */
export async function eraseKeyCheck (database: Database, keyId: string): Promise<void> {
  await database.run(ERASE_KEY_CHECK, [keyId])
}
