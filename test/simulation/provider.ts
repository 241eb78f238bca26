import { type Provider, ProviderError, type ProviderToken } from '../../src/providers/provider.ts'
import type { Scheduler } from './scheduler.ts'

export const DAY_MS = 24 * 3_600_000
export const LIFE_MS = 60 * DAY_MS
const CALL_LIMIT_MS = 10_000

/** A token as the provider knows it. `lineage`: which login it descends from; `serial`: when it was given, in order. */
export type Issued = { owner: string, lineage: number, serial: number, issuedAtMs: number, expiresAtMs: number, works: boolean }

/** Instagram as a simulation has it: it fails, is late, loses replies and acts twice, until it is calm. */
export type SimulatedProvider = {
  tokens: Map<string, Issued>
  isCalm: boolean
  /** Gives a token, as to a login. */
  issue: (owner: string, lineage: number, issuedAtMs: number) => string
  /** The provider as one worker sees it. Each refresh is heard of when it is asked for, and when it leaves. */
  as: (worker: { pass: () => Promise<void> }, hear: { onAsk: (owner: string) => void, onCall: (owner: string) => void }) => Provider
}

export function simulateProvider (scheduler: Scheduler): SimulatedProvider {
  const { chance, between, sleep } = scheduler
  const tokens = new Map<string, Issued>()
  const returnsNew = chance(0.5)
  let serial = 0

  function issue (owner: string, lineage: number, issuedAtMs: number, works = true): string {
    serial += 1
    const text = `IGAA-${owner}-${serial}`
    tokens.set(text, { owner, lineage, serial, issuedAtMs, expiresAtMs: issuedAtMs + LIFE_MS, works })
    return text
  }

  function find (text: string): Issued {
    const token = tokens.get(text)
    if (token === undefined || !token.works || token.expiresAtMs <= scheduler.nowMs) throw new ProviderError('revoked', 'dead', { reason: 'invalid' })
    return token
  }

  function refresh (text: string): string {
    const token = find(text)
    if (scheduler.nowMs - token.issuedAtMs < DAY_MS) throw new ProviderError('misconfigured', 'too young')
    if (returnsNew) return issue(token.owner, token.lineage, scheduler.nowMs, provider.isCalm || !chance(0.1))
    serial += 1
    Object.assign(token, { serial, issuedAtMs: scheduler.nowMs, expiresAtMs: scheduler.nowMs + LIFE_MS })
    return text
  }

  // One call over a network: what is lost on the way there, acts late, twice, or is lost on the way back.
  async function overNetwork<Reply> (act: () => Reply): Promise<Reply> {
    if (provider.isCalm) return act()
    const arrivesMs = between(1, chance(0.1) ? 30_000 : 500)
    const returnsMs = between(1, chance(0.1) ? 30_000 : 500)
    if (chance(0.05)) throw await after(between(1, 2000), new ProviderError('throttled', 'limit', { retryAfterMs: chance(0.5) ? 120_000 : null }))
    if (chance(0.1)) throw await after(between(1, 2000), new ProviderError('unreachable', 'down'))
    if (chance(0.03)) throw await after(between(1, 2000), new ProviderError('refused', 'unknown'))
    const acted = sleep(arrivesMs).then(act)
    if (chance(0.05)) void sleep(arrivesMs + between(1, 5000)).then(act).catch(() => {})
    const isLost = chance(0.1)
    const reply = acted.finally(() => isLost ? new Promise<never>(() => {}) : sleep(returnsMs))
    reply.catch(() => {})
    return Promise.race([reply, after(CALL_LIMIT_MS, new ProviderError('timed_out', 'late')).then((error) => { throw error })])
  }

  async function after<Value> (ms: number, value: Value): Promise<Value> {
    await sleep(ms)
    return value
  }

  const provider: SimulatedProvider = {
    tokens,
    isCalm: false,
    issue,
    as: (worker, { onAsk, onCall }) => ({
      id: 'instagram',
      label: 'Instagram',
      appId: '1',
      issuer: null,
      buildAuthorizationURL: () => '',
      exchangeCode: () => Promise.reject(new Error('not asked')),
      exchangeLongLived: null,
      refreshableAfterMs: DAY_MS,
      fetchProfile: async ({ accessToken }: ProviderToken) => {
        await worker.pass()
        const { owner } = await overNetwork(() => find(accessToken))
        await worker.pass()
        return { userId: owner, accountId: null, username: null, name: null, pictureURL: null, accountType: null }
      },
      refresh: async ({ accessToken, scopes }: ProviderToken) => {
        const owner = tokens.get(accessToken)?.owner ?? ''
        onAsk(owner)
        await worker.pass()
        onCall(owner)
        const text = await overNetwork(() => refresh(accessToken))
        await worker.pass()
        return { accessToken: text, scopes, expiresAtMs: scheduler.nowMs + LIFE_MS, isShortLived: false }
      }
    })
  }
  return provider
}
