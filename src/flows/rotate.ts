import type { Parts } from '../parts.ts'
import { countTextsUnder, listSealedRows, replaceSealedTexts, SEALED_COLUMNS, type SealedRow } from '../store/sealed-values.ts'
import { eraseKeyCheck, listKeyChecks } from '../store/vault-keys.ts'
import { keyIdOf, sealedPrefix, type Vault, VaultError } from '../vault.ts'
import { resealRow } from './sealed-rows.ts'

/**
 * Small, since a batch holds the one write lock that SQLite has. The rows of a batch are opened and
 * sealed before it begins.
 */
const BATCH_ROWS = 250

const SHORTEST_REST_MS = 1
const LONGEST_REST_MS = 50

/** A process that still seals under an older key would keep a rotation busy for ever. */
const MOST_PASSES = 100

/** What a rotation did. */
export type Rotation = {
  /** The key under which everything is sealed now. */
  keyId: string
  /** Rows that this run sealed anew. */
  resealed: number
  /** Rows that open with none of the keys; they stay as they are. */
  unreadable: number
  /** Rows that were replaced under an older key until the run gave up. */
  left: number
  /** Older keys under which nothing is sealed any more. */
  retiredKeyIds: string[]
}

export type RotateOptions = {
  /** Resolves after so many milliseconds. */
  pause: (ms: number) => Promise<unknown>
  /** Called after each batch. */
  onProgress?: (progress: { seen: number, resealed: number }) => void
  batchRows?: number
}

type Pass = { seen: number, resealed: number, left: number, unreadable: number }

/**
 * Seals every stored value under the newest key while the service goes on. It may be killed at any
 * point and started again: each batch is one transaction, and what is under the newest key already is
 * passed over. An older key is let go only when nothing is stored under it any more.
 */
export async function rotateVault (parts: Pick<Parts, 'database' | 'vault'>, options: RotateOptions): Promise<Rotation> {
  let resealed = 0
  for (let passes = 1; ; passes++) {
    const pass = await runPass(parts, { ...options, onProgress: ({ seen, resealed: more }) => options.onProgress?.({ seen, resealed: resealed + more }) })
    resealed += pass.resealed
    // A pass that had work is followed by another one, which sees what was written meanwhile.
    if (pass.resealed + pass.left === 0 || passes === MOST_PASSES) return finish(parts, pass, resealed)
  }
}

async function finish ({ database, vault }: Pick<Parts, 'database' | 'vault'>, pass: Pass, resealed: number): Promise<Rotation> {
  const retiredKeyIds: string[] = []
  for (const { keyId } of await listKeyChecks(database)) {
    if (keyId === vault.newestKeyId || await countTextsUnder(database, sealedPrefix(keyId)) > 0) continue
    await eraseKeyCheck(database, keyId)
    retiredKeyIds.push(keyId)
  }
  return { keyId: vault.newestKeyId, resealed, unreadable: pass.unreadable, left: pass.left, retiredKeyIds }
}

async function runPass (parts: Pick<Parts, 'database' | 'vault'>, options: RotateOptions): Promise<Pass> {
  const limit = options.batchRows ?? BATCH_ROWS
  const pass: Pass = { seen: 0, resealed: 0, left: 0, unreadable: 0 }
  for (const column of SEALED_COLUMNS) {
    for (let afterId = '', isWhole = true; isWhole;) {
      const rows = await listSealedRows(parts.database, column, { afterId, limit })
      isWhole = rows.length === limit
      afterId = rows.at(-1)?.id ?? afterId
      await resealPage(parts, rows, pass, options)
      options.onProgress?.({ seen: pass.seen, resealed: pass.resealed })
    }
  }
  return pass
}

async function resealPage ({ database, vault }: Pick<Parts, 'database' | 'vault'>, rows: readonly SealedRow[], pass: Pass, options: RotateOptions): Promise<void> {
  const replacements: Array<{ row: SealedRow, sealed: string }> = []
  for (const row of rows) {
    pass.seen++
    if (keyIdOf(row.sealed) === vault.newestKeyId) continue
    const sealed = resealIfPossible(vault, row)
    if (sealed === undefined) pass.unreadable++
    else replacements.push({ row, sealed })
  }
  if (replacements.length === 0) return
  const startedMs = performance.now()
  const replaced = await replaceSealedTexts(database, replacements)
  pass.resealed += replaced
  pass.left += replacements.length - replaced
  // Those who wait for the lock ask for it now and then, so it must stay free for as long as it was held.
  await options.pause(Math.min(LONGEST_REST_MS, Math.max(SHORTEST_REST_MS, Math.ceil(performance.now() - startedMs))))
}

function resealIfPossible (vault: Vault, row: SealedRow): string | undefined {
  try {
    return resealRow(vault, row)
  } catch (error) {
    if (error instanceof VaultError) return undefined
    throw error
  }
}
