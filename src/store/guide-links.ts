import { type Database, integer, integerOrNull, type Row, type Statement, text, textOrNull } from './database.ts'

/** A one-time link to the guided page, found by the SHA-256 of its secret. */
export type GuideLink = {
  hash: string
  shopId: string
  provider: string
  expiresAtMs: number
  /** Of the secret in the cookie of the browser that opened it first. */
  browserHash: string | null
  spentAtMs: number | null
  /** Whose token it took; null while it took none, and when that identity is gone. */
  identityId: string | null
}

/** What a spent link shows: whose token it was and how long the stored one lives. */
export type GuideResult = {
  providerUserId: string
  username: string | null
  name: string | null
  expiresAtMs: number | null
}

const SAVE = 'insert into guide_links (hash, shop_id, provider, created_at_ms, expires_at_ms) values ($1, $2, $3, $4, $5)'
const ERASE_OLD = 'delete from guide_links where expires_at_ms < $1'
const FIND = `select hash, shop_id, provider, expires_at_ms, browser_hash, spent_at_ms, identity_id
  from guide_links where hash = $1`
const BIND = `update guide_links set browser_hash = $2
  where hash = $1 and browser_hash is null and spent_at_ms is null and expires_at_ms > $3`
const TAKE_ATTEMPT = `update guide_links set attempt = $3, attempt_until_ms = $5
  where hash = $1 and browser_hash = $2 and spent_at_ms is null and expires_at_ms > $4
    and (attempt is null or attempt_until_ms < $4)`
const END_ATTEMPT = 'update guide_links set attempt = null, attempt_until_ms = null where hash = $1 and attempt = $2'
const SPEND = `update guide_links set spent_at_ms = $3, attempt = null, attempt_until_ms = null,
    identity_id = (select i.id from identities i where i.shop_id = $4 and i.provider = $5
      and i.provider_app_id = $6 and i.provider_user_id = $7)
  where hash = $1 and attempt = $2 and spent_at_ms is null`
const FIND_RESULT = `select i.provider_user_id, i.username, i.name, t.expires_at_ms
  from guide_links g join identities i on i.id = g.identity_id join tokens t on t.identity_id = i.id
  where g.hash = $1`

/** A statement that stores a new link. */
export function saveGuideLink (link: { hash: string, shopId: string, provider: string, nowMs: number, expiresAtMs: number }): Statement {
  return { sql: SAVE, values: [link.hash, link.shopId, link.provider, link.nowMs, link.expiresAtMs], expect: 1 }
}

/** A statement that erases the links that expired before this time. */
export function eraseGuideLinks (expiredBeforeMs: number): Statement {
  return { sql: ERASE_OLD, values: [expiredBeforeMs] }
}

/** The link with this SHA-256. */
export async function findGuideLink (database: Database, hash: string): Promise<GuideLink | undefined> {
  const row = await database.get(FIND, [hash])
  return row === undefined ? undefined : guideLinkOf(row)
}

/** Binds a link to the first browser that opens it; false when another one was first. */
export async function bindGuideLink (database: Database, hash: string, browserHash: string, nowMs: number): Promise<boolean> {
  return await database.run(BIND, [hash, browserHash, nowMs]) === 1
}

/** Takes the right to try a token, which one request has at a time, whatever process it runs in. */
export async function takeGuideAttempt (database: Database, link: { hash: string, browserHash: string }, attempt: {
  id: string, nowMs: number, untilMs: number
}): Promise<boolean> {
  return await database.run(TAKE_ATTEMPT, [link.hash, link.browserHash, attempt.id, attempt.nowMs, attempt.untilMs]) === 1
}

/** Gives the right back after a try that stored nothing. */
export async function endGuideAttempt (database: Database, hash: string, attemptId: string): Promise<void> {
  await database.run(END_ATTEMPT, [hash, attemptId])
}

/** A statement that spends a link, for the batch that stores its token: of a link that is spent, it fails the batch. */
export function spendGuideLink (hash: string, attemptId: string, nowMs: number, identity: {
  shopId: string, provider: string, providerAppId: string, providerUserId: string
}): Statement {
  const { shopId, provider, providerAppId, providerUserId } = identity
  return { sql: SPEND, values: [hash, attemptId, nowMs, shopId, provider, providerAppId, providerUserId], expect: 1 }
}

/** What a spent link led to; undefined when identity or token are gone since. */
export async function findGuideResult (database: Database, hash: string): Promise<GuideResult | undefined> {
  const row = await database.get(FIND_RESULT, [hash])
  if (row === undefined) return undefined
  return {
    providerUserId: text(row, 'provider_user_id'),
    username: textOrNull(row, 'username'),
    name: textOrNull(row, 'name'),
    expiresAtMs: integerOrNull(row, 'expires_at_ms')
  }
}

function guideLinkOf (row: Row): GuideLink {
  return {
    hash: text(row, 'hash'),
    shopId: text(row, 'shop_id'),
    provider: text(row, 'provider'),
    expiresAtMs: integer(row, 'expires_at_ms'),
    browserHash: textOrNull(row, 'browser_hash'),
    spentAtMs: integerOrNull(row, 'spent_at_ms'),
    identityId: textOrNull(row, 'identity_id')
  }
}
