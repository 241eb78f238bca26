import { Problem } from './problem.ts'

const MAX_EXPORTS_PER_SHOP = 4
const RETRY_AFTER_SECONDS = 30

/** Counts the exports that run for each shop, so that slow readers cannot pin the service down. */
export function createExportSlots () {
  const running = new Map<string, number>()
  return {
    /**
     * Takes a slot and answers what gives it back, once however often it is called.
     * @throws {Problem} 429 when the shop has as many exports running as it may
     */
    take (shopId: string): () => void {
      const count = running.get(shopId) ?? 0
      if (count >= MAX_EXPORTS_PER_SHOP) {
        throw new Problem(429, 'too_many_exports', `A shop may run ${MAX_EXPORTS_PER_SHOP} exports at once.`, {
          headers: { 'retry-after': String(RETRY_AFTER_SECONDS) }
        })
      }
      running.set(shopId, count + 1)
      let isReleased = false
      return () => {
        if (isReleased) return
        isReleased = true
        const left = (running.get(shopId) ?? 1) - 1
        if (left === 0) running.delete(shopId)
        else running.set(shopId, left)
      }
    }
  }
}
