import { hash } from 'node:crypto'
import { buildId, buildSecret } from '../ids.ts'
import type { Parts } from '../parts.ts'
import type { Provider } from '../providers/provider.ts'
import { saveAuditEntry } from '../store/audit.ts'
import { type Statement, StoreError } from '../store/database.ts'
import {
  bindGuideLink, endGuideAttempt, eraseGuideLinks, findGuideLink, findGuideResult, type GuideLink, type GuideResult,
  saveGuideLink, spendGuideLink, takeGuideAttempt
} from '../store/guide-links.ts'
import { requireShop } from '../store/shop-contents.ts'
import { findShop } from '../store/shops.ts'
import { listCookies } from './flow-cookies.ts'
import { ImportError, type ImportErrorCode } from './import-errors.ts'
import { findImportProvider, type ImportLog, importToken, parsePastedToken } from './import-token.ts'

/** How long a link to the guided page waits for a token. */
export const GUIDE_LIFE_MS = 30 * 60_000

/** How long its browser can still look at what came of it. */
export const GUIDE_KEPT_MS = 24 * 3_600_000

/** Longer than an import may take. */
const ATTEMPT_MS = 60_000

/** Why the guided page is not shown. */
export type GuideRefusal = 'unknown' | 'other_browser' | 'expired' | 'unavailable'

/** The guided page of a link, in the browser to which it belongs. */
export type Guide = {
  link: GuideLink
  browserHash: string
  shop: { id: string, name: string }
  provider: Provider
  /** What a spent link led to; null while it waits. */
  result: GuideResult | 'gone' | null
}

export type OpenedGuide =
  { guide: Guide, newCookie: { name: string, value: string } | null } |
  { refusal: GuideRefusal }

/** Why a pasted text led to nothing: `busy` while another one is being checked. */
export type GuideProblem = ImportErrorCode | 'missing_token' | 'too_long' | 'busy'

/**
 * Makes a link to the guided page of one shop and provider. The secret is known now and never again.
 * @throws {ImportError} `unknown_provider`, `import_unsupported`, `unknown_shop`
 */
export async function createGuideLink (parts: Pick<Parts, 'database' | 'providers' | 'now'>, options: {
  shopId: string, provider: string, publicURL: string, actor: string
}): Promise<{ link: string, expiresAtMs: number }> {
  const { shopId, provider, actor } = options
  const nowMs = parts.now()
  findImportProvider(parts.providers, provider)
  if (await findShop(parts.database, shopId) === undefined) throw new ImportError('unknown_shop')
  const secret = buildSecret()
  const expiresAtMs = nowMs + GUIDE_LIFE_MS
  await parts.database.batch([
    eraseGuideLinks(nowMs - GUIDE_KEPT_MS),
    requireShop(shopId),
    saveGuideLink({ hash: hashSecret(secret), shopId, provider, nowMs, expiresAtMs }),
    saveAuditEntry({ id: buildId('aud', nowMs), shopId, customerId: null, actor, action: 'token.guide_made', subject: null, atMs: nowMs })
  ])
  return { link: `${options.publicURL}/guide/${secret}`, expiresAtMs }
}

/**
 * Opens a link in a browser. The first browser that opens it gets a cookie, and from then on it is that
 * browser's alone.
 * @param options.canBind false for a request that must come from a browser that opened it before
 */
export async function openGuide (parts: Pick<Parts, 'config' | 'database' | 'providers' | 'now'>, options: {
  secret: string, cookieHeader: string | undefined, canBind: boolean
}): Promise<OpenedGuide> {
  const found = /^[\w-]{43}$/.test(options.secret) ? await findGuideLink(parts.database, hashSecret(options.secret)) : undefined
  const shop = found && await findShop(parts.database, found.shopId)
  if (found === undefined || shop === undefined) return { refusal: 'unknown' }
  const name = cookieName(parts.config.publicURL, found)
  const known = findBrowserHash(options.cookieHeader, name, found)
  if (known === undefined && found.browserHash !== null) return { refusal: 'other_browser' }
  if (found.spentAtMs === null && found.expiresAtMs <= parts.now()) return { refusal: 'expired' }
  const provider = parts.providers.get(found.provider)
  if (provider === undefined) return { refusal: 'unavailable' }
  if (known !== undefined) return { guide: await guideOf(parts, found, known, shop, provider), newCookie: null }
  const value = buildSecret()
  const browserHash = hashSecret(value)
  const isFirst = options.canBind && await bindGuideLink(parts.database, found.hash, browserHash, parts.now())
  if (!isFirst) return { refusal: 'other_browser' }
  return { guide: await guideOf(parts, found, browserHash, shop, provider), newCookie: { name, value } }
}

/**
 * Takes the token that was pasted into the guided page. It is stored and the link spent in one
 * transaction; of two at once, one is taken.
 * @param pasted undefined when the form held none
 * @returns the problem when the link still waits; undefined when it is spent
 */
export async function takePastedToken (parts: Parts, guide: Guide, pasted: string | undefined, log: ImportLog): Promise<{
  problem: GuideProblem, retryAfterSeconds?: number | null
} | undefined> {
  const { link, shop, provider, browserHash } = guide
  if (guide.result !== null) return undefined
  if (pasted === undefined || pasted.trim() === '') return { problem: 'missing_token' }
  const accessToken = parsePastedToken(pasted)
  if (accessToken === undefined) return { problem: 'malformed_token' }
  const attempt = { id: buildId('try', parts.now()), nowMs: parts.now(), untilMs: parts.now() + ATTEMPT_MS }
  if (!await takeGuideAttempt(parts.database, { hash: link.hash, browserHash }, attempt)) return { problem: 'busy' }
  try {
    const together = (owner: Parameters<typeof spendGuideLink>[3]): Statement[] => [spendGuideLink(link.hash, attempt.id, parts.now(), owner)]
    await importToken(parts, { shopId: shop.id, provider: provider.id, accessToken, actor: 'guide' }, log, { together })
    return undefined
  } catch (error) {
    await endGuideAttempt(parts.database, link.hash, attempt.id)
    if (error instanceof ImportError) return { problem: error.code, retryAfterSeconds: error.retryAfterSeconds }
    // The try took so long that another one was let in: nothing of this one was written.
    if (error instanceof StoreError && error.code === 'unexpected_row_count') return { problem: 'busy' }
    throw error
  }
}

async function guideOf (parts: Pick<Parts, 'database'>, link: GuideLink, browserHash: string, shop: { id: string, name: string }, provider: Provider): Promise<Guide> {
  const result = link.spentAtMs === null ? null : await findGuideResult(parts.database, link.hash) ?? 'gone'
  return { link, browserHash, shop: { id: shop.id, name: shop.name }, provider, result }
}

// One cookie a link, so that two links can be open in one browser; the name tells nothing of the secret.
function cookieName (publicURL: string, { hash: linkHash }: GuideLink): string {
  return `${publicURL.startsWith('https:') ? '__Host-' : ''}leadlatch-guide-${linkHash.slice(0, 12)}`
}

function findBrowserHash (header: string | undefined, name: string, link: GuideLink): string | undefined {
  if (link.browserHash === null) return undefined
  const isKnown = listCookies(header).some((cookie) => cookie.name === name && hashSecret(cookie.value) === link.browserHash)
  return isKnown ? link.browserHash : undefined
}

function hashSecret (secret: string): string {
  return hash('sha256', secret, 'base64url')
}
