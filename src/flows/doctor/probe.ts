import { type Dispatcher, request } from 'undici'
import { codeOf } from './finding.ts'

const TIMEOUT_MS = 5000
const MAX_BODY_BYTES = 256 * 1024

/** What an address answered, or why it did not. */
export type Probe = {
  isAnswered: true
  status: number
  /** The beginning of the body. */
  body: string
  /** How far the other clock is ahead of ours; null when it did not tell its time. */
  aheadMs: number | null
} | {
  isAnswered: false
  /** Such as `ECONNREFUSED` or `timed_out`. */
  code: string
}

/** Asks an address once: five seconds, no redirects, the first 256 KB of the body. */
export async function probe (dispatcher: Dispatcher, url: string, now: () => number): Promise<Probe> {
  const controller = new AbortController()
  const timer = setTimeout(() => controller.abort(), TIMEOUT_MS)
  const startedAtMs = now()
  try {
    const { statusCode, headers, body } = await request(url, {
      dispatcher, signal: controller.signal, headers: { accept: '*/*', 'user-agent': 'leadlatch doctor' }
    })
    const aheadMs = measureAhead(headers['date'], startedAtMs, now())
    return { isAnswered: true, status: statusCode, body: await readBeginning(body), aheadMs }
  } catch (error) {
    // The client's errors may hold the address, and with it a query.
    return { isAnswered: false, code: controller.signal.aborted ? 'timed_out' : codeOf(error) }
  } finally {
    clearTimeout(timer)
  }
}

// The header has whole seconds: on average it is half a second behind.
function measureAhead (date: string | string[] | undefined, startedAtMs: number, endedAtMs: number): number | null {
  const atMs = Date.parse(String(date))
  return Number.isNaN(atMs) ? null : atMs + 500 - (startedAtMs + endedAtMs) / 2
}

async function readBeginning (body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of body) {
    chunks.push(chunk)
    bytes += chunk.length
    // Leaving the loop destroys the body and with it the connection.
    if (bytes > MAX_BODY_BYTES) break
  }
  return Buffer.concat(chunks).toString('utf8').slice(0, MAX_BODY_BYTES)
}
