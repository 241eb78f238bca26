import type { Provider } from '../providers/provider.ts'
import { eraseExpiredClaims } from '../store/claims.ts'
import { findPause } from '../store/plans.ts'
import { giveBack, takeDue, type TakenToken, type Work } from '../store/renewals.ts'
import { eraseRetiredSigningKeys } from '../store/signing-keys.ts'
import { planTokens } from './plan-tokens.ts'
import { createPace, type Pace } from './provider-pace.ts'
import { CALL_MARGIN_MS, type Renewing, renewToken } from './renew-token.ts'
import { AFTERLIFE_MS } from './signing-keys.ts'
import type { Random } from './token-schedule.ts'

/** Lease and round together are less than the minute within which a short token is exchanged once the provider answers. */
const LIMITS = { roundMs: 20_000, leaseMs: 35_000, callMarginMs: CALL_MARGIN_MS, exchangesAtOnce: 8, refreshesAtOnce: 16 }
const WORKS: readonly Work[] = ['exchange', 'prove', 'refresh']

/** What upkeep tells of itself. */
export type UpkeepLog = { warn: (fields: object, text: string) => void, error: (fields: object, text: string) => void }

/** How upkeep runs; what is given differs from production in tests and benchmarks only. */
export type UpkeepOptions = Partial<typeof LIMITS> & { random?: Random }

/** What upkeep works on. */
export type UpkeepParts = Renewing['parts']

/** Upkeep of one process. */
export type Upkeep = {
  /** One round: settles when nothing is due any more, or nothing may be called. Rounds may overlap. */
  run: () => Promise<void>
  /** Lets calls under way finish, gives back what else was taken, and settles. */
  stop: () => Promise<void>
}

/**
 * Runs upkeep every 20 seconds until stopped: renews tokens that are due, and erases claims and signing
 * keys whose time is over. A round that fails is logged and tried again.
 */
export function startUpkeep (parts: UpkeepParts, log: UpkeepLog, options: UpkeepOptions = {}): Pick<Upkeep, 'stop'> {
  const upkeep = createUpkeep(parts, log, options)
  const timer = setInterval(() => {
    upkeep.run().catch((error: unknown) => {
      log.error({ code: error instanceof Error && 'code' in error ? error.code : 'unknown' }, 'a round of upkeep failed')
    })
  }, options.roundMs ?? LIMITS.roundMs)
  return {
    stop: () => {
      clearInterval(timer)
      return upkeep.stop()
    }
  }
}

/** One round of upkeep by itself. */
export async function runUpkeep (parts: UpkeepParts, log: UpkeepLog, options: UpkeepOptions = {}): Promise<void> {
  await createUpkeep(parts, log, options).run()
}

/**
 * Builds upkeep. Each kind of work at each provider is a lane of its own, so that a long row of
 * refreshes, or one slow provider, never stands before an exchange that a login waits for.
 */
export function createUpkeep (parts: UpkeepParts, log: UpkeepLog, options: UpkeepOptions = {}): Upkeep {
  const { random = Math.random, ...given } = options
  const limits = { ...LIMITS, ...given }
  const paces = new Map<string, Pace>()
  const lanes = new Map<string, Promise<void>>()
  const rounds = new Set<Promise<void>>()
  let isStopping = false
  const paceOf = ({ id }: Provider): Pace => {
    const pace = paces.get(id) ?? createPace(random)
    paces.set(id, pace)
    return pace
  }
  const renewing: Renewing = { parts, log, random, paceOf, callMarginMs: limits.callMarginMs }

  // A lane that is still busy from the round before goes on as it is.
  function enterLane (provider: Provider, work: Work): Promise<void> {
    const name = `${provider.id} ${work}`
    const busy = lanes.get(name)
    if (busy !== undefined) return busy
    const lane = createLane(renewing, provider, work, { ...limits, isStopping: () => isStopping })
      .finally(() => lanes.delete(name))
    lanes.set(name, lane)
    return lane
  }

  async function round (): Promise<void> {
    const { database, now, providers } = parts
    await database.batch([eraseExpiredClaims(now())])
    await eraseRetiredSigningKeys(database, now() - AFTERLIFE_MS)
    await planTokens(parts, random)
    await settleAll(Array.from(providers.values()).flatMap((provider) => WORKS.map((work) => enterLane(provider, work))))
  }

  return {
    run: async () => {
      if (isStopping) return
      const running = round()
      rounds.add(running)
      await running.finally(() => rounds.delete(running))
    },
    stop: async () => {
      isStopping = true
      await Promise.allSettled(rounds)
    }
  }
}

// One lane that fails must not leave the others unwatched.
async function settleAll (lanes: ReadonlyArray<Promise<void>>): Promise<void> {
  const failed = (await Promise.allSettled(lanes)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

type LaneOptions = { leaseMs: number, exchangesAtOnce: number, refreshesAtOnce: number, isStopping: () => boolean }

/** Works off what is due: some calls at once, the next tokens taken while they run. */
async function createLane (renewing: Renewing, provider: Provider, work: Work, options: LaneOptions): Promise<void> {
  const { parts, paceOf } = renewing
  const atOnce = work === 'exchange' ? options.exchangesAtOnce : options.refreshesAtOnce
  const pace = paceOf(provider)
  const ready: TakenToken[] = []
  const running = new Set<Promise<unknown>>()
  let taking: Promise<void> | undefined
  let isDrained = false
  pace.pauseUntil(await findPause(parts.database, provider.id, provider.appId))

  const room = (): number => {
    if (options.isStopping()) return 0
    const allowed = pace.roomFor(work, parts.now())
    return allowed === 'all' ? atOnce : allowed === 'one' ? 1 : 0
  }

  async function take (limit: number): Promise<void> {
    const nowMs = parts.now()
    const taken = await takeDue(parts.database, { work, provider: provider.id, nowMs, leaseUntilMs: nowMs + options.leaseMs, limit })
    ready.push(...taken)
    // A shorter answer was the rest of what is due.
    isDrained = taken.length < limit
  }

  try {
    for (;;) {
      const allowed = room()
      while (running.size < allowed && ready.length > 0) {
        const token = ready.shift()
        if (token === undefined) break
        const renewal = renewToken(renewing, token).finally(() => running.delete(renewal))
        running.add(renewal)
      }
      if (allowed > 0 && !isDrained && taking === undefined && ready.length < allowed) {
        taking = take(allowed === 1 ? 1 : atOnce).finally(() => { taking = undefined })
      }
      const waits = [...running, ...(taking === undefined ? [] : [taking])]
      if (waits.length === 0) break
      await Promise.race(waits)
    }
  } finally {
    await Promise.allSettled([...running, taking])
    await giveBack(parts.database, ready, work, parts.now())
  }
}
