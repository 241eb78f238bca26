import type { SealedRow } from '../store/sealed-values.ts'
import type { Vault } from '../vault.ts'
import { sealToken, unsealToken } from './sealed-tokens.ts'

/** Opens the sealed text of a row under what the row is. @throws {VaultError} */
export function openSealedRow (vault: Vault, row: SealedRow): string {
  if (row.owner !== null) return unsealToken(vault, row.owner, row.sealed)
  return vault.unseal(row.column.purpose, row.id, row.sealed)
}

/** The value of a row sealed anew, under the newest key. @throws {VaultError} when it does not open */
export function resealRow (vault: Vault, row: SealedRow): string {
  const plain = openSealedRow(vault, row)
  return row.owner !== null ? sealToken(vault, row.owner, plain) : vault.seal(row.column.purpose, row.id, plain)
}
