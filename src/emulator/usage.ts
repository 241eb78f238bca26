import type { Answer } from './answer.ts'
import { graphErrorAnswer, rateLimitError } from './errors.ts'
import type { Platform } from './platform.ts'

/** How much of its calls an app has used, and how long it is blocked. */
export type Usage = { percent: number, minutes: number }

const defaultMinutes = 19

/**
 * Builds the two usage headers. They count in percent; the time to wait is in minutes, 0 when the
 * app is not blocked.
 */
export function buildUsageHeaders (platform: Platform, { percent, minutes }: Usage): Record<string, string> {
  const lower = Math.max(0, percent - 3)
  const account = platform.apps.instagram.clientId
  return {
    'x-app-usage': JSON.stringify({ call_count: percent, total_time: lower, total_cputime: lower }),
    'x-business-use-case-usage': JSON.stringify({
      [account]: [{ type: 'instagram', call_count: percent, total_cputime: lower, total_time: lower, estimated_time_to_regain_access: minutes }],
    }),
  }
}

/** Answers a Graph call under the usage that the switches set: with headers, or refused at 100 percent. */
export function answerWithinUsage (platform: Platform, work: () => Answer): Answer {
  const { usageFrom, usagePercent: percent } = platform.switches
  const isFull = percent >= 100
  const isCounted = usageFrom !== null && countGraphCalls(platform) >= usageFrom
  if (!isCounted && !(isFull && usageFrom === null)) return work()
  const answer = isFull ? graphErrorAnswer(rateLimitError(403)) : work()
  return { ...answer, headers: { ...answer.headers, ...buildUsageHeaders(platform, { percent, minutes: isFull ? defaultMinutes : 0 }) } }
}

function countGraphCalls ({ calls }: Platform): number {
  return calls.count('exchange') + calls.count('refresh') + calls.count('me')
}
