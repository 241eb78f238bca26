import type { Parts } from '../parts.ts'
import { type Provider, ProviderError, type ProviderToken } from '../providers/provider.ts'
import { savePause } from '../store/plans.ts'
import { confirmToken, goBack, type NextWork, replaceToken, reschedule, revokeTaken, type TakenToken, type Work } from '../store/renewals.ts'
import type { Pace } from './provider-pace.ts'
import { sealToken, unsealToken } from './sealed-tokens.ts'
import { OUTAGE_BACKOFF, type Random, REFUSAL_BACKOFF, refreshDueAtMs, retryDelayMs, waitWithinLifeMs } from './token-schedule.ts'

/** What a call may take; with less of a lease left, none is begun. */
export const CALL_MARGIN_MS = 15_000
// Kept short, since a short-lived token is exchanged within a minute of the provider answering again.
const EXCHANGE_RETRY_MS = 20_000
const PROOF_RETRY_MS = 60_000
const UNCONFIGURED_RETRY_MS = 6 * 3_600_000

/** What renewing needs besides the parts; the limits differ only in tests. */
export type Renewing = {
  parts: Pick<Parts, 'database' | 'vault' | 'providers' | 'metrics' | 'now'>
  log: { warn: (fields: object, text: string) => void }
  random: Random
  paceOf: (provider: Provider) => Pace
  callMarginMs: number
}

/**
 * What became of a token that was taken:
 * - `renewed`: a new one is stored
 * - `kept`: the one before the last refresh is back, since the new one does not work
 * - `too_young`, `expired`, `unsupported`: there is nothing that could be done now
 * - `revoked`: the provider says that it is no longer good
 * - `throttled`, `later`, `refused`: tried again on its own
 * - `superseded`: another token was stored, or it was erased, meanwhile
 */
export type RenewalOutcome = 'renewed' | 'kept' | 'too_young' | 'expired' | 'unsupported' | 'revoked' | 'throttled' | 'later' | 'refused' | 'superseded'

/** The work that a taken token needs. */
export function workOf (taken: TakenToken): Work {
  return taken.hasPrevious ? 'prove' : taken.isShortLived ? 'exchange' : 'refresh'
}

/**
 * Does what a taken token needs and gives it back. Never throws for what goes wrong with this token:
 * one bad token does not stop the others.
 *
 * What nobody can know: when the reply is lost after the provider acted (a cut connection, or this
 * process killed after the call), whether the token was refreshed. Nothing is lost by it. The old text
 * stays good at Instagram, so the row still holds a token that works, and trying again is safe: either
 * the first call never arrived and the second one counts, or Instagram refuses the second for being
 * within 24 hours of the first. `unsureAtMs` remembers such a call; a refusal after it is taken for
 * that and the token is tried again when it is old enough, even past the expiry that we know of.
 */
export async function renewToken (renewing: Renewing, taken: TakenToken): Promise<RenewalOutcome> {
  const { parts, log } = renewing
  const work = workOf(taken)
  let outcome: RenewalOutcome
  try {
    outcome = await attempt(renewing, taken, work)
  } catch (error) {
    outcome = 'later'
    log.warn({ ...fieldsOf(taken, work), code: codeOf(error) }, 'a token could not be renewed')
    // The store may be the one that fails: then the lease ends by itself.
    await giveBackLater(renewing, taken, work).catch(() => {})
  }
  parts.metrics.renewals.inc({ provider: taken.provider, work, outcome })
  return outcome
}

async function attempt (renewing: Renewing, taken: TakenToken, work: Work): Promise<RenewalOutcome> {
  const { parts } = renewing
  const provider = parts.providers.get(taken.provider)
  // T-40: a token of one app is never sent to another that took its place.
  if (provider?.appId !== taken.providerAppId) return end(renewing, taken, 'unsupported', { work, dueAtMs: parts.now() + UNCONFIGURED_RETRY_MS })
  const ended = judge(renewing, provider, taken, work)
  if (ended !== undefined) return end(renewing, taken, ended.outcome, ended)
  // A worker that stood still past its lease has lost the token, and makes no call for it.
  if (parts.now() > taken.leaseUntilMs - renewing.callMarginMs) return end(renewing, taken, 'later', { work, dueAtMs: parts.now() })
  try {
    return await call(renewing, provider, taken, work)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return takeFailure(renewing, provider, taken, work, error)
  }
}

// What can be told without asking the provider.
function judge ({ parts, random }: Renewing, provider: Provider, taken: TakenToken, work: Work): {
  outcome: RenewalOutcome, work: Work | null, dueAtMs: number | null
} | undefined {
  const nowMs = parts.now()
  const nothing = { work: null, dueAtMs: null }
  if (taken.revokedAtMs !== null) return { outcome: 'revoked', ...nothing }
  if (work === 'prove') return undefined
  if ((work === 'exchange' ? provider.exchangeLongLived : provider.refresh) === null) return { outcome: 'unsupported', ...nothing }
  const isExpired = taken.expiresAtMs !== null && taken.expiresAtMs <= nowMs
  if (isExpired && (work === 'exchange' || !mayLiveOn(provider, taken, nowMs))) return { outcome: 'expired', ...nothing }
  if (work === 'refresh' && taken.obtainedAtMs + provider.refreshableAfterMs > nowMs) {
    return { outcome: 'too_young', work, dueAtMs: refreshDueAtMs(taken, { refreshableAfterMs: provider.refreshableAfterMs, nowMs, random }) }
  }
  return undefined
}

// A refresh whose reply was lost may have lengthened its life; that is known once it can be refreshed again.
function mayLiveOn (provider: Provider, { unsureAtMs }: TakenToken, nowMs: number): boolean {
  return unsureAtMs !== null && nowMs < unsureAtMs + 2 * Math.max(provider.refreshableAfterMs, 3_600_000)
}

async function call (renewing: Renewing, provider: Provider, taken: TakenToken, work: Work): Promise<RenewalOutcome> {
  const { parts, paceOf } = renewing
  const old: ProviderToken = {
    accessToken: unsealToken(parts.vault, taken, taken.sealed), scopes: taken.scopes, expiresAtMs: taken.expiresAtMs, isShortLived: taken.isShortLived
  }
  const { signal } = new AbortController()
  if (work === 'prove') return prove(renewing, provider, taken, old)
  const ask = work === 'exchange' ? provider.exchangeLongLived : provider.refresh
  if (ask === null) return 'unsupported'
  const token = await ask(old, signal)
  paceOf(provider).answered(token.usage, parts.now())
  // Stored before anything else can fail.
  const outcome = await store(renewing, provider, { taken, work, old, token })
  await keepPause(renewing, provider)
  return outcome
}

async function store (renewing: Renewing, provider: Provider, { taken, work, old, token }: {
  taken: TakenToken, work: Work, old: ProviderToken, token: ProviderToken
}): Promise<RenewalOutcome> {
  const { parts } = renewing
  const nowMs = parts.now()
  // Sources disagree on whether the old text dies with a refresh, and on whether the new one is another.
  const keepsPrevious = work === 'refresh' && token.accessToken !== old.accessToken
  const renewed = { ...taken, obtainedAtMs: nowMs, expiresAtMs: token.expiresAtMs, hasPrevious: keepsPrevious, previousExpiresAtMs: taken.expiresAtMs, unsureAtMs: null }
  const next = keepsPrevious ? { failures: taken.failures, unsureAtMs: null, work: 'prove' as const, dueAtMs: nowMs + PROOF_RETRY_MS } : planAfter(renewing, provider, renewed)
  const sealed = sealToken(parts.vault, taken, token.accessToken)
  if (!await replaceToken(parts.database, taken, { sealed, nowMs, expiresAtMs: token.expiresAtMs }, { next, keepsPrevious })) return 'superseded'
  if (!keepsPrevious) return 'renewed'
  try {
    return await prove(renewing, provider, { ...renewed, sealed }, token)
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    return takeFailure(renewing, provider, renewed, 'prove', error)
  }
}

// The new text works when it reads the profile of the person whose token it is.
async function prove (renewing: Renewing, provider: Provider, taken: TakenToken, token: ProviderToken): Promise<RenewalOutcome> {
  const { parts } = renewing
  const profile = await provider.fetchProfile(token, new AbortController().signal)
  if (profile.userId !== taken.providerUserId) return returnToPrevious(renewing, taken, 'another_person')
  const isMine = await confirmToken(parts.database, taken, planAfter(renewing, provider, taken))
  return isMine ? 'renewed' : 'superseded'
}

async function returnToPrevious ({ parts, random, log }: Renewing, taken: TakenToken, code: string): Promise<RenewalOutcome> {
  log.warn({ ...fieldsOf(taken, 'prove'), code }, 'a refreshed token does not work; the one before it is kept')
  const nowMs = parts.now()
  const waitMs = waitWithinLifeMs(retryDelayMs(REFUSAL_BACKOFF, taken.failures, random), taken.previousExpiresAtMs, nowMs)
  const next = { work: 'refresh' as const, dueAtMs: nowMs + waitMs, failures: taken.failures + 1, unsureAtMs: null }
  return await goBack(parts.database, taken, next) ? 'kept' : 'superseded'
}

async function takeFailure (renewing: Renewing, provider: Provider, taken: TakenToken, work: Work, error: ProviderError): Promise<RenewalOutcome> {
  const { parts, log } = renewing
  const nowMs = parts.now()
  log.warn({ ...fieldsOf(taken, work), code: error.code, ...error.details }, 'a token could not be renewed')
  switch (error.code) {
    case 'revoked':
    case 'denied':
      paceOfAnswer(renewing, provider)
      if (work === 'prove') return returnToPrevious(renewing, taken, error.code)
      return await revokeTaken(parts.database, taken, { nowMs, reason: error.reason ?? 'invalid' }) ? 'revoked' : 'superseded'
    case 'throttled':
      renewing.paceOf(provider).throttled(error.retryAfterMs, nowMs)
      await keepPause(renewing, provider)
      return end(renewing, taken, 'throttled', { work, dueAtMs: renewing.paceOf(provider).pausedUntilMs })
    case 'unreachable':
    case 'timed_out':
    case 'malformed':
      renewing.paceOf(provider).failed(nowMs)
      return end(renewing, taken, 'later', { ...failedAt(renewing, taken, work), unsureAtMs: taken.unsureAtMs ?? nowMs })
    default:
      // An unknown refusal is no revocation.
      paceOfAnswer(renewing, provider)
      return end(renewing, taken, 'refused', refusedAt(renewing, provider, taken, work))
  }
}

function paceOfAnswer ({ paceOf, parts }: Renewing, provider: Provider): void {
  paceOf(provider).answered(undefined, parts.now())
}

async function keepPause ({ parts, paceOf }: Renewing, provider: Provider): Promise<void> {
  const { pausedUntilMs } = paceOf(provider)
  if (pausedUntilMs > parts.now()) await savePause(parts.database, provider.id, provider.appId, pausedUntilMs)
}

const SETTLED = { failures: 0, unsureAtMs: null }

function planAfter ({ parts, random }: Renewing, provider: Provider, token: TakenToken): NextWork {
  const { refresh, refreshableAfterMs } = provider
  const dueAtMs = refresh === null ? null : refreshDueAtMs(token, { refreshableAfterMs, nowMs: parts.now(), random })
  return { ...SETTLED, work: dueAtMs === null ? null : 'refresh', dueAtMs }
}

function failedAt ({ parts, random }: Renewing, taken: TakenToken, work: Work) {
  const delayMs = work === 'exchange' ? EXCHANGE_RETRY_MS : retryDelayMs(OUTAGE_BACKOFF, taken.failures, random)
  return { work, dueAtMs: parts.now() + delayMs, failures: taken.failures + 1 }
}

function refusedAt (renewing: Renewing, provider: Provider, taken: TakenToken, work: Work) {
  const { parts, random } = renewing
  if (work === 'exchange') return failedAt(renewing, taken, work)
  const nowMs = parts.now()
  const oldEnoughMs = (taken.unsureAtMs ?? 0) + provider.refreshableAfterMs + Math.round(random() * 3_600_000)
  const waitMs = Math.max(retryDelayMs(REFUSAL_BACKOFF, taken.failures, random), oldEnoughMs - nowMs)
  return { work, dueAtMs: nowMs + waitWithinLifeMs(waitMs, taken.expiresAtMs, nowMs), failures: taken.failures + 1 }
}

function giveBackLater (renewing: Renewing, taken: TakenToken, work: Work): Promise<boolean> {
  const { parts } = renewing
  return reschedule(parts.database, taken, { ...failedAt(renewing, taken, work), unsureAtMs: taken.unsureAtMs ?? parts.now() })
}

async function end ({ parts }: Renewing, taken: TakenToken, outcome: RenewalOutcome, next: Partial<NextWork>): Promise<RenewalOutcome> {
  const { failures, unsureAtMs } = taken
  const isMine = await reschedule(parts.database, taken, { failures, unsureAtMs, work: null, dueAtMs: null, ...next })
  return isMine ? outcome : 'superseded'
}

function fieldsOf (taken: TakenToken, work: Work) {
  return { provider: taken.provider, identity: taken.identityId, work }
}

function codeOf (error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'failed'
}
