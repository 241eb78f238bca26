import { isObject } from '../json.ts'
import { ProviderError, type ProviderErrorCode } from './provider.ts'
import type { ProviderReply } from './request.ts'

// https://developers.facebook.com/docs/graph-api/guides/error-handling
const GRAPH_CODES: ReadonlyArray<[ProviderErrorCode, (code: number) => boolean]> = [
  ['revoked', (code) => code === 190 || code === 102],
  ['unreachable', (code) => code === 1 || code === 2],
  ['misconfigured', (code) => code === 3 || code === 368],
  ['throttled', (code) => [4, 17, 32, 341, 613].includes(code) || (code >= 80000 && code <= 80014)],
  ['denied', (code) => code === 10 || (code >= 200 && code <= 299)]
]

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
  return new ProviderError(codeOf(failure), `The provider refused the call (code ${failure.code}).`, {
    retryAfterMs: parseRetryAfter(reply), details
  })
}

/** A refusal without a known envelope, judged by its status alone. */
export function refusal (reply: ProviderReply, message: string): ProviderError {
  const code = reply.status === 429 ? 'throttled' : reply.status >= 500 ? 'unreachable' : 'refused'
  return new ProviderError(code, message, { retryAfterMs: parseRetryAfter(reply), details: { status: reply.status } })
}

function codeOf ({ code, message }: GraphFailure): ProviderErrorCode {
  // 100 "Unsupported request" is Meta's catch-all for a dead token; any other 100 is a wrong field of ours.
  if (code === 100) return message.startsWith('Unsupported request') ? 'revoked' : 'misconfigured'
  return GRAPH_CODES.find(([, matches]) => matches(code))?.[0] ?? 'refused'
}

/**
 * How long Meta says to wait: the worst entry of X-Business-Use-Case-Usage, in minutes there.
 * The header is advice: absent or unreadable means null.
 */
function parseRetryAfter (reply: ProviderReply): number | null {
  try {
    const usage: unknown = JSON.parse(String(reply.headers['x-business-use-case-usage'] ?? '{}'))
    const minutes = isObject(usage) ? Object.values(usage).flat().map(regainMinutes) : []
    const worst = Math.max(0, ...minutes)
    return worst > 0 ? worst * 60_000 : null
  } catch {
    return null
  }
}

function regainMinutes (entry: unknown): number {
  const minutes = isObject(entry) ? numberOf(entry.estimated_time_to_regain_access) : null
  return minutes !== null && minutes > 0 ? Math.min(minutes, 1440) : 0
}

function numberOf (value: unknown): number | null {
  const number = typeof value === 'string' || typeof value === 'number' ? Number(value) : NaN
  return Number.isSafeInteger(number) ? number : null
}
