/** A virtual clock with a queue of what happens when; one seed is one history. */
export type Scheduler = {
  readonly nowMs: number
  /** Between 0 and 1, from the seed. */
  random: () => number
  chance: (probability: number) => boolean
  between: (fromMs: number, toMs: number) => number
  /** Resolves so much later. */
  sleep: (ms: number) => Promise<void>
  /** Lets things happen until this time, or until nothing is left to happen. */
  runUntil: (timeMs: number) => Promise<void>
}

export function createScheduler (seed: number, startMs: number): Scheduler {
  const random = createRandom(seed)
  const queue: Array<{ atMs: number, order: number, wake: () => void }> = []
  let nowMs = startMs

  return {
    get nowMs () { return nowMs },
    random,
    chance: (probability) => random() < probability,
    between: (fromMs, toMs) => Math.floor(fromMs + random() * (toMs - fromMs)),
    // What is due at one time happens in an order from the seed.
    sleep: (ms) => new Promise((resolve) => queue.push({ atMs: nowMs + ms, order: random(), wake: resolve })),
    async runUntil (timeMs) {
      for (;;) {
        // Everything that follows from the last event without waiting is done before the next one.
        await new Promise((resolve) => setImmediate(resolve))
        const next = queue.reduce<number>((best, event, i) => best < 0 || isBefore(event, queue[best]) ? i : best, -1)
        const event = queue[next]
        if (event === undefined || event.atMs > timeMs) break
        queue.splice(next, 1)
        nowMs = event.atMs
        event.wake()
      }
      nowMs = Math.max(nowMs, timeMs)
    }
  }
}

function isBefore (a: { atMs: number, order: number }, b: { atMs: number, order: number } | undefined): boolean {
  return b === undefined || a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}

// mulberry32
function createRandom (seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
