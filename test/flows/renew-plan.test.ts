import { test } from 'tap'
import { planTokens } from '../../src/flows/plan-tokens.ts'
import type { Provider } from '../../src/providers/provider.ts'
import { migrate, readMigrations } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { buildParts, DAY_MS, seedLogin, seedShop, START_MS } from '../support/rest.ts'

function fakeProvider (refresh: Provider['refresh']): Provider {
  const never = () => Promise.reject(new Error('not asked'))
  return {
    id: 'instagram',
    label: 'Instagram',
    appId: 'app-1',
    issuer: null,
    buildAuthorizationURL: () => '',
    exchangeCode: never,
    fetchProfile: never,
    exchangeLongLived: null,
    refresh,
    refreshableAfterMs: DAY_MS
  }
}

const refreshing = new Map([['instagram', fakeProvider(() => Promise.reject(new Error('not asked')))]])

test('a stored token is planned by what it is: exchanged, refreshed, or left', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await seedLogin(parts, shopId, { providerUserId: '1', exchangeDueAtMs: START_MS, tokenExpiresAtMs: START_MS + 3_600_000 })
  await seedLogin(parts, shopId, { providerUserId: '2' })
  await seedLogin(parts, shopId, { providerUserId: '3', tokenExpiresAtMs: START_MS + DAY_MS / 2 })
  await seedLogin(parts, shopId, { providerUserId: '4', tokenExpiresAtMs: null })
  await seedLogin(parts, shopId, { providerUserId: '5' })
  await parts.database.run("update tokens set revoked_at_ms = 1 where identity_id = (select id from identities where provider_user_id = '5')")
  await planTokens({ ...parts, providers: refreshing }, () => 0.5)
  const rows = await parts.database.all(`select i.provider_user_id as who, t.work, t.provider, t.due_at_ms from tokens t
    join identities i on i.id = t.identity_id order by i.provider_user_id`)
  t.strictSame(rows.map((row) => [row['who'], row['work'], row['due_at_ms']]), [
    ['1', 'exchange', START_MS],
    ['2', 'refresh', START_MS + 0.65 * 60 * DAY_MS],
    ['3', null, null],
    ['4', 'refresh', START_MS + DAY_MS + 1_800_000],
    ['5', null, null]
  ])
})

test('where a provider refreshes nothing there is nothing to plan; one that is not configured yet is planned for', async (t) => {
  for (const [providers, work] of [[new Map([['instagram', fakeProvider(null)]]), null], [new Map(), 'refresh']] as const) {
    const parts = await buildParts(t)
    const { shopId } = await seedShop(parts)
    await seedLogin(parts, shopId)
    await planTokens({ ...parts, providers }, Math.random)
    t.match(await parts.database.get('select work from tokens'), { work })
  }
})

test('more tokens than one statement takes are all planned', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  await Promise.all(Array.from({ length: 1200 }, (_, i) => seedLogin(parts, shopId, { providerUserId: String(i) })))
  await planTokens({ ...parts, providers: refreshing }, Math.random)
  t.match(await parts.database.get("select count(*) as left_over from tokens where work = 'plan'"), { left_over: 0 })
})

test('tokens from before the migration are planned like new ones', async (t) => {
  const database = openDatabase('sqlite::memory:')
  t.teardown(() => database.close())
  const before = readMigrations().filter(({ name }) => name < '0006')
  await migrate(database, { version: '0.1.0', nowMs: START_MS, migrations: before })
  const insert = (id: string, exchangeDueAtMs: number | null) => database.batch([
    { sql: "insert into customers (id, shop_id, first_seen_at_ms, login_count, created_at_ms, updated_at_ms) values ($1, 'shp', 1, 1, 1, 1)", values: [`cus_${id}`] },
    {
      sql: `insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id, scopes, first_seen_at_ms, login_count)
        values ($1, 'shp', $2, 'instagram', 'app-1', $1, '', 1, 1)`,
      values: [id, `cus_${id}`]
    },
    {
      sql: "insert into tokens (identity_id, access_token, obtained_at_ms, expires_at_ms, exchange_due_at_ms) values ($1, '1.k.x', $2, $3, $4)",
      values: [id, START_MS, START_MS + 60 * DAY_MS, exchangeDueAtMs]
    }
  ])
  await database.run("insert into shops (id, name, url, id_token_alg, created_at_ms) values ('shp', 's', 'https://shop.example', 'RS256', 1)")
  await insert('long', null)
  await insert('short', START_MS)
  await migrate(database, { version: '0.1.0', nowMs: START_MS })
  await planTokens({ database, providers: refreshing, now: () => START_MS }, Math.random)
  t.match(await database.all('select identity_id, work, provider, generation from tokens order by identity_id'), [
    { identity_id: 'long', work: 'refresh', provider: 'instagram', generation: 0 },
    { identity_id: 'short', work: 'exchange', provider: 'instagram', generation: 0 }
  ])
})
