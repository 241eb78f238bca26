/** The part of autocannon's interface that the benches use; the package brings no types. */
declare module 'autocannon' {
  import type { EventEmitter } from 'node:events'

  export type Client = { setRequests: (requests: Array<{ method: string, path: string }>) => void }

  export type Options = {
    url: string
    connections: number
    /** Seconds. */
    duration: number
    headers: Record<string, string>
    setupClient: (client: Client) => void
  }

  export type Result = {
    errors: number
    timeouts: number
    /** Seconds. */
    duration: number
    requests: { total: number }
  }

  export default function autocannon (options: Options): EventEmitter & PromiseLike<Result>
}
