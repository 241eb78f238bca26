import { buildId } from '../ids.ts'
import type { Parts } from '../parts.ts'
import { type Profile, type Provider, ProviderError, type ProviderToken } from '../providers/provider.ts'
import { type Statement, StoreError } from '../store/database.ts'
import { type SavedImport, saveImport } from '../store/imports.ts'
import { ImportError, importErrorOf } from './import-errors.ts'
import { lengthenLife } from './imported-life.ts'
import { buildIdentityValues } from './identity-values.ts'

/** All provider calls of one import together. */
const PROVIDER_TIMEOUT_MS = 20_000

/**
 * Where a token provably belongs to our app: Instagram's ids are per app, so a token of another app
 * never names an identity of ours, and its exchange needs our app's secret.
 */
const WITH_PROOF: ReadonlySet<string> = new Set(['instagram', 'instagram-basic-display'])

const OUTER_QUOTES = /^["'`\u2018\u2019\u201c\u201d\u00ab\u00bb]+|["'`\u2018\u2019\u201c\u201d\u00ab\u00bb]+$/g
const ACCESS_TOKEN = /^[\x21-\x7e]{1,4096}$/

/** What an import needs of a running Leadlatch; a command has no more. */
export type ImportParts = Pick<Parts, 'database' | 'vault' | 'providers' | 'now'>

/** What a log may hold of a provider's failure. */
export type ImportLog = { warn: (fields: object, text: string) => void }

/** A token that somebody hands over, and for which shop. */
export type HandedToken = {
  shopId: string
  provider: string
  accessToken: string
  /** Who hands it over, for the record: `key:` and the id of the API key, `cli`, or `guide`. */
  actor: string
}

/** An import that went through: whose token it is, and until when. */
export type ImportedToken = SavedImport & {
  profile: Profile
  /** Null when the provider tells the life of such a token to nobody yet. */
  expiresAtMs: number | null
}

/** The provider of this id, for imports. @throws {ImportError} `unknown_provider`, `import_unsupported` */
export function findImportProvider (providers: ImportParts['providers'], id: string): Provider {
  const provider = providers.get(id)
  if (provider === undefined) throw new ImportError('unknown_provider')
  if (!WITH_PROOF.has(provider.id)) throw new ImportError('import_unsupported')
  return provider
}

/**
 * Reads a token as people paste it: whitespace and invisible characters anywhere, since a mail or a
 * terminal wraps lines, and quotes around it are not part of it.
 * @returns undefined when what remains cannot be a token
 */
export function parsePastedToken (pasted: string): string | undefined {
  const token = pasted.replace(/[\s\u00ad\u200b-\u200f\u2060-\u2064\ufeff]+/g, '').replace(OUTER_QUOTES, '')
  return ACCESS_TOKEN.test(token) ? token : undefined
}

/**
 * Verifies a token at its provider, learns how long it lives and stores it under the identity that it
 * names, whose customer is made if need be. It is no login: it opens no session and counts as none.
 * @param options.together makes statements for the transaction that stores the token
 * @throws {ImportError}
 */
export async function importToken (parts: ImportParts, handed: HandedToken, log: ImportLog, options: {
  together?: (owner: { shopId: string, provider: string, providerAppId: string, providerUserId: string }) => readonly Statement[]
} = {}): Promise<ImportedToken> {
  const provider = findImportProvider(parts.providers, handed.provider)
  const { profile, token } = await askProvider(parts, provider, handed.accessToken, log)
  const nowMs = parts.now()
  const owner = { shopId: handed.shopId, provider: provider.id, providerAppId: provider.appId, providerUserId: profile.userId }
  try {
    const saved = await saveImport(parts.database, {
      ...buildIdentityValues(parts.vault, owner, { profile, token, nowMs }),
      newCustomerId: buildId('cus', nowMs),
      newIdentityId: buildId('idn', nowMs),
      newAuditId: buildId('aud', nowMs),
      actor: handed.actor
    }, options.together?.(owner))
    return { ...saved, profile, expiresAtMs: token.expiresAtMs }
  } catch (error) {
    if (error instanceof StoreError && error.code === 'constraint') throw new ImportError('unknown_shop', { cause: error })
    throw error
  }
}

async function askProvider (parts: ImportParts, provider: Provider, accessToken: string, log: ImportLog): Promise<{ profile: Profile, token: ProviderToken }> {
  const controller = new AbortController()
  const { signal } = controller
  const timer = setTimeout(() => controller.abort(), PROVIDER_TIMEOUT_MS)
  const handed: ProviderToken = { accessToken, scopes: [], expiresAtMs: null, isShortLived: false }
  try {
    const profile = await provider.fetchProfile(handed, signal)
    return { profile, token: await lengthenLife(provider, handed, { signal, nowMs: parts.now() }) }
  } catch (error) {
    const failure = error instanceof ImportError ? error.cause : error
    if (!(failure instanceof ProviderError)) throw error
    log.warn({ provider: provider.id, code: failure.code, ...failure.details }, 'a token could not be imported')
    throw error instanceof ImportError ? error : importErrorOf(failure)
  } finally {
    clearTimeout(timer)
  }
}
