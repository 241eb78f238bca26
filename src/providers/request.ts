import { type Dispatcher, request } from 'undici'
import { JSONError, parseJSON } from '../json.ts'
import type { Metrics } from '../metrics.ts'
import { ProviderError } from './provider.ts'

/** The limit of one call, connecting and reading included (contract, section 2). */
const CALL_TIMEOUT_MS = 10_000
const MAX_BODY_BYTES = 1024 * 1024

// Graph answers with text/javascript at times; HTML and plain text are outages dressed as answers.
const JSON_TYPES = new Set(['application/json', 'text/javascript'])

/** What each provider's calls go through. */
export type Line = { dispatcher: Dispatcher, metrics: Metrics, now: () => number }

export type ProviderCall = {
  provider: string
  /** Names the call in metrics. */
  call: 'code' | 'profile' | 'long_lived' | 'refresh'
  url: string
  /** Sent as a POST when present. */
  form?: Record<string, string>
  signal: AbortSignal
}

/** An answer in JSON; numbers are kept as text, so that ids stay exact. */
export type ProviderReply = { status: number, headers: Record<string, string | string[] | undefined>, body: unknown }

/**
 * Makes one HTTP call: no redirects, ten seconds, one mebibyte. A JSON answer of any status below 500
 * is returned for the provider's file to judge. Nothing thrown holds the URL or the body.
 * @throws {ProviderError} `timed_out`, `unreachable`, `malformed`
 */
export async function callProvider (line: Line, call: ProviderCall): Promise<ProviderReply> {
  const stop = line.metrics.providerCalls.startTimer({ provider: call.provider, call: call.call })
  const controller = new AbortController()
  const abort = () => controller.abort()
  const timer = setTimeout(abort, CALL_TIMEOUT_MS)
  call.signal.addEventListener('abort', abort, { once: true })
  try {
    if (call.signal.aborted) abort()
    const reply = await send(line.dispatcher, call, controller.signal)
    stop({ outcome: reply.status < 400 ? 'answered' : 'refused' })
    return reply
  } catch (error) {
    const failure = toProviderError(error, controller.signal.aborted)
    stop({ outcome: failure.code })
    throw failure
  } finally {
    clearTimeout(timer)
    call.signal.removeEventListener('abort', abort)
  }
}

async function send (dispatcher: Dispatcher, call: ProviderCall, signal: AbortSignal): Promise<ProviderReply> {
  const { statusCode: status, headers, body } = await request(call.url, {
    dispatcher,
    signal,
    headers: { accept: 'application/json', 'user-agent': 'leadlatch', ...(call.form && { 'content-type': 'application/x-www-form-urlencoded' }) },
    ...(call.form && { method: 'POST', body: new URLSearchParams(call.form).toString() })
  })
  const text = await readBounded(body)
  const type = String(headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase() ?? ''
  if (status >= 300 && status < 400) throw new ProviderError('malformed', `The provider answered with a redirect (${status}).`)
  if (!JSON_TYPES.has(type)) throw notJSON(status)
  try {
    return { status, headers, body: parseJSON(text, { numbers: 'text' }) }
  } catch (error) {
    if (error instanceof JSONError) throw notJSON(status)
    throw error
  }
}

// We ask for no compression; a provider that compresses all the same is not decoded and reads as malformed.
async function readBounded (body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    bytes += chunk.length
    // Leaving the loop destroys the body and with it the connection.
    if (bytes > MAX_BODY_BYTES) throw new ProviderError('malformed', 'The provider answered with more than 1 MiB.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function notJSON (status: number): ProviderError {
  return status >= 500
    ? new ProviderError('unreachable', `The provider is failing (${status}).`, { details: { status } })
    : new ProviderError('malformed', `The provider answered with something other than JSON (${status}).`, { details: { status } })
}

// The cause is left behind on purpose: the client's errors may hold the URL, and with it a token.
function toProviderError (error: unknown, isAborted: boolean): ProviderError {
  if (error instanceof ProviderError) return error
  if (isAborted) return new ProviderError('timed_out', 'The provider did not answer in time.')
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
  return new ProviderError('unreachable', `The provider could not be reached (${code}).`, { details: { cause: code } })
}
