import { test } from 'tap'
import { parseUsage } from '../../src/providers/meta-errors.ts'

const entry = (members: object) => JSON.stringify({ 1: [{ type: 'instagram', call_count: 1, total_cputime: 2, total_time: 3, ...members }] })

const CASES: ReadonlyArray<[what: string, headers: Record<string, string>, expected: { percent: number, retryAfterMs: number | null } | null]> = [
  ['no header', {}, null],
  ['an app header', { 'x-app-usage': '{"call_count":28,"total_time":25,"total_cputime":97}' }, { percent: 97, retryAfterMs: null }],
  ['a business header', { 'x-business-use-case-usage': entry({ call_count: 95 }) }, { percent: 95, retryAfterMs: null }],
  ['a wait, in minutes', { 'x-business-use-case-usage': entry({ call_count: 100, estimated_time_to_regain_access: 19 }) }, { percent: 100, retryAfterMs: 1_140_000 }],
  ['a wait of 0', { 'x-business-use-case-usage': entry({ estimated_time_to_regain_access: 0 }) }, { percent: 3, retryAfterMs: null }],
  ['a wait of a year', { 'x-business-use-case-usage': entry({ estimated_time_to_regain_access: 525_600 }) }, { percent: 3, retryAfterMs: 86_400_000 }],
  ['the worst of both', { 'x-app-usage': '{"call_count":99}', 'x-business-use-case-usage': entry({ call_count: 40 }) }, { percent: 99, retryAfterMs: null }],
  ['no JSON', { 'x-app-usage': 'lots', 'x-business-use-case-usage': '{' }, null],
  ['one that is no JSON beside one that is', { 'x-app-usage': '{', 'x-business-use-case-usage': entry({ call_count: 90 }) }, { percent: 90, retryAfterMs: null }],
  ['other shapes', { 'x-app-usage': '[1]', 'x-business-use-case-usage': '{"1":"x","2":[null,3],"3":{"call_count":"x"}}' }, null],
  ['nonsense figures', { 'x-app-usage': '{"call_count":-5,"total_time":1e999,"total_cputime":null}' }, null]
]

for (const [what, headers, expected] of CASES) {
  test(`usage headers with ${what} are read as ${JSON.stringify(expected)}`, async (t) => {
    t.strictSame(parseUsage({ headers }), expected)
  })
}
