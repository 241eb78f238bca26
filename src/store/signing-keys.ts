import { type Database, integer, integerOrNull, type Row, text } from './database.ts'

/** A signing key as it is stored: the public part in clear, the private part sealed. */
export type StoredSigningKey = {
  kid: string
  alg: string
  publicJWK: string
  sealedPrivateJWK: string
  createdAtMs: number
  /** From then on it signs nothing more. */
  retiredAtMs: number | null
}

const LIST_KEYS = `select kid, alg, public_jwk, private_jwk, created_at_ms, retired_at_ms from signing_keys
  where retired_at_ms is null or retired_at_ms > $1 order by created_at_ms, kid limit 1000`
const SAVE_KEY = 'insert into signing_keys (kid, alg, public_jwk, private_jwk, created_at_ms) values ($1, $2, $3, $4, $5)'
const RETIRE_OLDER = 'update signing_keys set retired_at_ms = $3 where alg = $1 and created_at_ms < $2 and retired_at_ms is null'
const ERASE_RETIRED = 'delete from signing_keys where retired_at_ms < $1'

/** Keys that were not retired by this time, oldest first. */
export async function listSigningKeys (database: Database, retiredAfterMs: number): Promise<StoredSigningKey[]> {
  return (await database.all(LIST_KEYS, [retiredAfterMs])).map(keyOf)
}

/** Stores a new key, and has the older ones of its algorithm retire at `retireOlderAtMs`. */
export async function saveSigningKey (database: Database, key: StoredSigningKey, retireOlderAtMs: number): Promise<void> {
  await database.batch([
    { sql: SAVE_KEY, values: [key.kid, key.alg, key.publicJWK, key.sealedPrivateJWK, key.createdAtMs] },
    { sql: RETIRE_OLDER, values: [key.alg, key.createdAtMs, retireOlderAtMs] }
  ])
}

/** Erases keys that were retired before this time. */
export async function eraseRetiredSigningKeys (database: Database, retiredBeforeMs: number): Promise<void> {
  await database.run(ERASE_RETIRED, [retiredBeforeMs])
}

function keyOf (row: Row): StoredSigningKey {
  return {
    kid: text(row, 'kid'),
    alg: text(row, 'alg'),
    publicJWK: text(row, 'public_jwk'),
    sealedPrivateJWK: text(row, 'private_jwk'),
    createdAtMs: integer(row, 'created_at_ms'),
    retiredAtMs: integerOrNull(row, 'retired_at_ms')
  }
}
