import type { JWK } from 'jose'
import { generateSigningKey, ID_TOKEN_LIFE_SECONDS, importSigningKey, SIGNING_ALGS, type SigningAlg, type SigningKey } from '../oauth/id-token.ts'
import type { Parts } from '../parts.ts'
import { listSigningKeys, saveSigningKey, type StoredSigningKey } from '../store/signing-keys.ts'

const KEY_LIFE_MS = 90 * 86_400_000

/** A new key is published this long before it signs, so that no client's cached key set lacks it. */
export const ACTIVATION_MS = 15 * 60_000

/** How long a replica trusts what it read of the keys. */
const RECHECK_MS = 60_000

/** How long a retired key stays published: until the last token it signed has expired. */
export const AFTERLIFE_MS = RECHECK_MS + ID_TOKEN_LIFE_SECONDS * 1000 + 60_000

/** The keys that sign id_tokens: made when the key set is first read or a login needs one, renewed every 90 days, shared through the database. */
export type SigningKeys = {
  /** The key to sign with now. */
  current: (alg: SigningAlg) => Promise<SigningKey>
  /** The public parts of all keys whose tokens may still live, as JWKs. */
  published: () => Promise<JWK[]>
}

export function createSigningKeys ({ database, vault, now }: Pick<Parts, 'database' | 'vault' | 'now'>): SigningKeys {
  const cached = new Map<SigningAlg, { key: Promise<SigningKey>, readAtMs: number }>()

  async function read (alg: SigningAlg): Promise<SigningKey> {
    const stored = (await listSigningKeys(database, now())).filter((key) => key.alg === alg)
    const newest = stored.at(-1)
    const isDue = newest === undefined || now() - newest.createdAtMs > KEY_LIFE_MS
    const keys = isDue ? [...stored, await create(alg)] : stored
    const { kid, sealedPrivateJWK } = chooseKey(keys, now())
    return importSigningKey(kid, alg, vault.unseal('signing-key', kid, sealedPrivateJWK))
  }

  // Two replicas may make one each at the same time; both are published, and either may sign.
  async function create (alg: SigningAlg): Promise<StoredSigningKey> {
    const { kid, publicJWK, privateJWK } = await generateSigningKey(alg)
    const key = {
      kid,
      alg,
      publicJWK: JSON.stringify(publicJWK),
      sealedPrivateJWK: vault.seal('signing-key', kid, JSON.stringify(privateJWK)),
      createdAtMs: now(),
      retiredAtMs: null
    }
    await saveSigningKey(database, key, now() + ACTIVATION_MS)
    return key
  }

  function current (alg: SigningAlg): Promise<SigningKey> {
    const known = cached.get(alg)
    if (known !== undefined && now() - known.readAtMs < RECHECK_MS) return known.key
    const key = read(alg)
    cached.set(alg, { key, readAtMs: now() })
    key.catch(() => cached.delete(alg))
    return key
  }

  return {
    current,
    // Made here at the latest: a client that read the key set before the first login must know its key.
    published: async () => {
      await Promise.all(SIGNING_ALGS.map(current))
      return (await listSigningKeys(database, now() - AFTERLIFE_MS)).map(({ publicJWK }) => JSON.parse(publicJWK))
    }
  }
}

// The newest one that clients had time to see; at the very beginning the only one there is.
function chooseKey (keys: readonly StoredSigningKey[], nowMs: number): StoredSigningKey {
  const chosen = keys.findLast(({ createdAtMs }) => createdAtMs <= nowMs - ACTIVATION_MS) ?? keys[0]
  if (chosen === undefined) throw new Error('There is no signing key.')
  return chosen
}
