import type { Clock } from './clock.ts'

/** What can be called at the emulator. */
export type Endpoint = 'authorize' | 'decision' | 'token' | 'exchange' | 'refresh' | 'me'

/** One request that reached the emulator. The status is 0 while unanswered, and stays so when the connection was cut. */
export type Call = { endpoint: Endpoint, at: number, status: number }

/** The calls in order of arrival. The oldest are dropped beyond 200,000; the counts stay exact. */
export type CallLog = {
  open (endpoint: Endpoint): Call
  list (): Call[]
  count (endpoint: Endpoint): number
  reset (): void
}

const keptCalls = 200_000

/** Builds an empty log. */
export function buildCallLog (clock: Clock): CallLog {
  let calls: Call[] = []
  let counts = noCalls()
  return {
    open (endpoint) {
      const call: Call = { endpoint, at: clock.now(), status: 0 }
      if (calls.length >= keptCalls) calls = calls.slice(keptCalls / 2)
      calls.push(call)
      counts[endpoint] += 1
      return call
    },
    list: () => calls.map((call) => ({ ...call })),
    count: (endpoint) => counts[endpoint],
    reset () {
      calls = []
      counts = noCalls()
    },
  }
}

function noCalls (): Record<Endpoint, number> {
  return { authorize: 0, decision: 0, token: 0, exchange: 0, refresh: 0, me: 0 }
}
