import { test } from 'tap'
import { lengthenLife } from '../../src/flows/imported-life.ts'
import { type Provider, ProviderError, type ProviderErrorCode, type ProviderToken } from '../../src/providers/provider.ts'

const NOW_MS = Date.UTC(2026, 10, 1)
const HANDED: ProviderToken = { accessToken: 'handed', scopes: [], expiresAtMs: null, isShortLived: false }
const LONG: ProviderToken = { accessToken: 'long', scopes: [], expiresAtMs: NOW_MS + 1000, isShortLived: false }
const SHORT: ProviderToken = { ...HANDED, expiresAtMs: NOW_MS + 3_600_000, isShortLived: true }

type Answer = ProviderToken | [code: ProviderErrorCode, graphCode?: number] | null

const UNSUPPORTED = ['revoked', 100] as const satisfies Answer
const DEAD = ['revoked', 190] as const satisfies Answer

function callOf (answer: Answer): Provider['refresh'] {
  if (answer === null) return null
  return async () => {
    if (!Array.isArray(answer)) return answer
    const [code, graphCode] = answer
    throw new ProviderError(code, 'refused', { details: graphCode === undefined ? {} : { code: graphCode } })
  }
}

function createProvider (exchange: Answer, refresh: Answer): Provider {
  return {
    id: 'instagram',
    label: 'Instagram',
    appId: 'app',
    issuer: null,
    buildAuthorizationURL: () => '',
    exchangeCode: async () => LONG,
    fetchProfile: async () => ({ userId: '1', accountId: null, username: null, name: null, pictureURL: null, accountType: null }),
    exchangeLongLived: callOf(exchange),
    refresh: callOf(refresh),
    refreshableAfterMs: 0
  }
}

const CASES: ReadonlyArray<[exchange: Answer, refresh: Answer, outcome: ProviderToken | string, why: string]> = [
  [LONG, null, LONG, 'a short one is exchanged'],
  [[...UNSUPPORTED], LONG, LONG, 'a long one that is old enough is refreshed'],
  [[...UNSUPPORTED], ['misconfigured', 100], HANDED, 'a long one that is too young keeps its unknown life'],
  [['refused', 452], LONG, LONG, 'an exchange refused in another way may mean a long one'],
  [['misconfigured', 100], LONG, LONG, 'so may one refused for a parameter'],
  [['misconfigured', 100], ['misconfigured', 100], HANDED, 'and one that is too young as well'],
  [[...UNSUPPORTED], ['timed_out'], HANDED, 'a long one whose refresh gets no answer keeps its unknown life'],
  [[...UNSUPPORTED], [...UNSUPPORTED], HANDED, 'so does one that is neither'],
  [null, null, HANDED, 'and one of a provider without these calls'],
  [['unreachable'], [...UNSUPPORTED], SHORT, 'a short one that cannot be exchanged now stays short'],
  [['malformed'], [...UNSUPPORTED], SHORT, 'an answer that is none is no answer'],
  [['throttled'], LONG, LONG, 'a refresh tells a long one'],
  [['timed_out'], ['misconfigured', 100], HANDED, 'a refresh refused for its age tells a young long one'],
  [['unreachable'], ['timed_out'], 'provider_unavailable', 'without any answer nothing is known'],
  [[...DEAD], LONG, 'token_of_another_app', 'T-38: dead in the hands of our app alone'],
  [[...UNSUPPORTED], [...DEAD], 'token_refused', 'dead meanwhile'],
  [['unreachable'], [...DEAD], 'token_refused', 'dead meanwhile, and no short one'],
  [['misconfigured', 100], [...UNSUPPORTED], 'provider_misconfigured', 'a short one that our secret does not exchange']
]

for (const [exchange, refresh, outcome, why] of CASES) {
  test(`the life of an imported token: ${why}`, async (t) => {
    const learnt = lengthenLife(createProvider(exchange, refresh), HANDED, { signal: new AbortController().signal, nowMs: NOW_MS })
    if (typeof outcome === 'string') await t.rejects(learnt, { code: outcome })
    else t.strictSame(await learnt, outcome)
  })
}

test('a refreshed token that does not open its account is not taken', async (t) => {
  const provider = createProvider([...UNSUPPORTED], LONG)
  provider.fetchProfile = async () => { throw new ProviderError('revoked', 'refused') }
  t.strictSame(await lengthenLife(provider, HANDED, { signal: new AbortController().signal, nowMs: NOW_MS }), HANDED)
})
