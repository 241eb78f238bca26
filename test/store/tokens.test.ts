import { test } from 'tap'
import { integer } from '../../src/store/database.ts'
import { joinFragments } from '../../src/store/fragments.ts'
import { TOKEN_STATUSES, tokenStatus, tokenStatusIs } from '../../src/store/tokens.ts'
import { buildParts, DAY_MS, seedLogin, seedShop, START_MS } from '../support/rest.ts'

const CASES: ReadonlyArray<[wanted: typeof TOKEN_STATUSES[number], expiresAtMs: number | null, revokedAtMs: number | null]> = [
  ['active', null, null],
  ['active', START_MS + 7 * DAY_MS + 1, null],
  ['expiring', START_MS + 7 * DAY_MS, null],
  ['expiring', START_MS + 1, null],
  ['expired', START_MS, null],
  ['expired', START_MS - 1, null],
  ['revoked', START_MS + 60 * DAY_MS, START_MS - 1],
  ['revoked', null, START_MS],
  ['revoked', START_MS - 1, START_MS - 2]
]

test('an identity without a token has the status none', async (t) => {
  t.equal(tokenStatus(null, START_MS), 'none')
})

for (const [wanted, expiresAtMs, revokedAtMs] of CASES) {
  test(`a token that expires at ${expiresAtMs} and was revoked at ${revokedAtMs} is ${wanted}, in code and in SQL`, async (t) => {
    const parts = await buildParts(t)
    const { shopId } = await seedShop(parts)
    await seedLogin(parts, shopId, { tokenExpiresAtMs: expiresAtMs })
    await parts.database.run('update tokens set revoked_at_ms = $1', [revokedAtMs])

    t.equal(tokenStatus({ obtainedAtMs: START_MS, expiresAtMs, revokedAtMs }, START_MS), wanted)
    for (const status of TOKEN_STATUSES) {
      const { sql, values } = joinFragments([
        ['select count(*) as total from identities i left join tokens t on t.identity_id = i.id where'], tokenStatusIs(status, START_MS)
      ])
      const row = await parts.database.get(sql, values)
      t.equal(row && integer(row, 'total'), status === wanted ? 1 : 0, status)
    }
  })
}
