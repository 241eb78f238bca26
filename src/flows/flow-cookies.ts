import type { Vault } from '../vault.ts'
import { type Flow, sealFlow, unsealFlow } from './flow.ts'

const MAX_COOKIES = 4
const MAX_TOTAL_BYTES = 6 * 1024
// More than a browser ever holds by our doing: an answer has room for so many Set-Cookie.
const MAX_DROPPED = 20

// Only such a name is one of ours; a planted one may hold anything, and must not be sent back.
const FLOW_ID = /^[\w-]{22}$/

/** A flow cookie to set, or with an empty value to drop. */
export type FlowCookie = { name: string, value: string }

/**
 * The cookies to set for a new flow: its own, and the oldest others dropped so that a browser keeps
 * at most four and 6 KB of them. What does not open is nobody's flow and is dropped first.
 * @param header the request's Cookie header
 */
export function buildFlowCookies (vault: Vault, prefix: string, header: string | undefined, flow: Flow): FlowCookie[] {
  const own = { name: prefix + flow.id, value: sealFlow(vault, flow) }
  let bytes = sizeOf(own)
  let kept = 1
  const dropped: FlowCookie[] = []
  for (const { cookie } of listOpenFlows(vault, prefix, header)) {
    bytes += sizeOf(cookie)
    kept++
    if (kept > MAX_COOKIES || bytes > MAX_TOTAL_BYTES) dropped.push({ name: cookie.name, value: '' })
  }
  return [...dropped.slice(0, MAX_DROPPED), own]
}

/**
 * The flow of this id that this browser began. Several cookies may bear the name (one tossed by a
 * sibling host, over http): each is tried, and only one that we sealed for this flow opens.
 */
export function findFlow (vault: Vault, prefix: string, header: string | undefined, id: string): Flow | undefined {
  for (const { name, value } of listCookies(header)) {
    const flow = name === prefix + id ? unsealFlow(vault, id, value) : undefined
    if (flow !== undefined) return flow
  }
  return undefined
}

// Newest first.
function listOpenFlows (vault: Vault, prefix: string, header: string | undefined) {
  return listCookies(header)
    .filter(({ name }) => name.startsWith(prefix) && FLOW_ID.test(name.slice(prefix.length)))
    .map((cookie) => ({ cookie, startedAtMs: unsealFlow(vault, cookie.name.slice(prefix.length), cookie.value)?.startedAtMs ?? 0 }))
    .sort((a, b) => b.startedAtMs - a.startedAtMs)
}

/** The cookies of a header. Cookie libraries keep one a name; here a second one must not hide the first. */
export function listCookies (header: string | undefined): FlowCookie[] {
  return (header ?? '').split(';').map((pair) => {
    const [name = '', ...value] = pair.split('=')
    return { name: name.trim(), value: value.join('=').trim() }
  })
}

function sizeOf ({ name, value }: FlowCookie): number {
  return name.length + 1 + value.length
}
