import { isObject } from '../json.ts'
import { ProviderError, type ProviderErrorCode, type ProviderUsage, type RevocationReason } from './provider.ts'
import type { ProviderReply } from './request.ts'

// https://developers.facebook.com/docs/graph-api/guides/error-handling
const GRAPH_CODES: ReadonlyArray<[ProviderErrorCode, (code: number) => boolean]> = [
  ['revoked', (code) => code === 190 || code === 102],
  ['unreachable', (code) => code === 1 || code === 2],
  ['misconfigured', (code) => code === 3 || code === 368],
  ['throttled', (code) => [4, 17, 32, 341, 613].includes(code) || (code >= 80000 && code <= 80014)],
  ['denied', (code) => code === 10 || (code >= 200 && code <= 299)]
]

// The subcodes of 190; https://developers.facebook.com/docs/graph-api/guides/error-handling#errorcodes
const REVOCATIONS: Readonly<Record<number, RevocationReason>> = {
  458: 'app_removed',
  459: 'checkpoint',
  460: 'password_changed',
  463: 'expired',
  464: 'unconfirmed',
  467: 'logged_out'
}

const PERCENTS = ['call_count', 'total_time', 'total_cputime'] as const

/** The members of a Graph error envelope that matter: `{"error":{message,code,error_subcode,fbtrace_id}}`. */
export type GraphFailure = { code: number, subcode: number | null, message: string, traceId: string | null }

/** Reads the Graph envelope of an answer; undefined when it has none. */
export function parseGraphFailure (reply: ProviderReply): GraphFailure | undefined {
  const error = isObject(reply.body) ? reply.body.error : undefined
  if (!isObject(error)) return undefined
  const traceId = typeof error.fbtrace_id === 'string' ? error.fbtrace_id.replace(/[^\w-]/g, '').slice(0, 64) : null
  return {
    code: numberOf(error.code) ?? 0,
    subcode: numberOf(error.error_subcode),
    message: typeof error.message === 'string' ? error.message : '',
    traceId
  }
}

/**
 * Judges a refused Graph call by `code`; the text decides only where Meta's code is a catch-all.
 * @param reply an answer with status 400 or more, or with an `error` member
 */
export function graphError (reply: ProviderReply): ProviderError {
  const failure = parseGraphFailure(reply)
  if (failure === undefined) return refusal(reply, 'The provider refused the call in a form we do not know.')
  const details = {
    status: reply.status,
    code: failure.code,
    ...(failure.subcode !== null && { subcode: failure.subcode }),
    ...(failure.traceId !== null && { fbtrace_id: failure.traceId })
  }
  const code = codeOf(failure)
  return new ProviderError(code, `The provider refused the call (code ${failure.code}).`, {
    retryAfterMs: parseRetryAfter(reply), reason: reasonOf(code, failure), details
  })
}

/** A refusal without a known envelope, judged by its status alone. */
export function refusal (reply: ProviderReply, message: string): ProviderError {
  const code = reply.status === 429 ? 'throttled' : reply.status >= 500 ? 'unreachable' : 'refused'
  return new ProviderError(code, message, { retryAfterMs: parseRetryAfter(reply), details: { status: reply.status } })
}

function reasonOf (code: ProviderErrorCode, { subcode }: GraphFailure): RevocationReason | null {
  if (code === 'denied') return 'permission_missing'
  return code === 'revoked' ? REVOCATIONS[subcode ?? 0] ?? 'invalid' : null
}

function codeOf ({ code, message }: GraphFailure): ProviderErrorCode {
  // 100 "Unsupported request" is Meta's catch-all for a dead token; any other 100 is a wrong field of ours.
  if (code === 100) return message.startsWith('Unsupported request') ? 'revoked' : 'misconfigured'
  // Meta has blocked the app, not the person: every token would seem to have lost its permission.
  if (code === 200 && message.startsWith('API access blocked')) return 'misconfigured'
  return GRAPH_CODES.find(([, matches]) => matches(code))?.[0] ?? 'refused'
}

/**
 * What Meta says about its limits: the worst figure of X-App-Usage and X-Business-Use-Case-Usage, in
 * percent, and the longest wait, in minutes there. The headers are advice: absent or unreadable means null.
 * https://developers.facebook.com/docs/graph-api/overview/rate-limiting
 */
export function parseUsage (reply: Pick<ProviderReply, 'headers'>): ProviderUsage | null {
  const businesses = Object.values(parseHeader(reply.headers['x-business-use-case-usage'])).flat().filter(isObject)
  const entries = [parseHeader(reply.headers['x-app-usage']), ...businesses]
  const percents = entries.flatMap((entry) => PERCENTS.map((name) => positiveOf(entry[name])))
  const minutes = Math.min(Math.max(...businesses.map((entry) => positiveOf(entry.estimated_time_to_regain_access)), 0), 1440)
  const percent = Math.max(...percents)
  return percent === 0 && minutes === 0 ? null : { percent, retryAfterMs: minutes > 0 ? minutes * 60_000 : null }
}

function parseRetryAfter (reply: ProviderReply): number | null {
  return parseUsage(reply)?.retryAfterMs ?? null
}

function parseHeader (header: string | string[] | undefined): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(String(header ?? '{}'))
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}

function positiveOf (value: unknown): number {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN
  return number > 0 && number < Infinity ? number : 0
}

function numberOf (value: unknown): number | null {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN
  return Number.isSafeInteger(number) ? number : null
}
