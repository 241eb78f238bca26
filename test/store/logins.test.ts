import { test, type Test } from 'tap'
import { findCustomer, listByProviderUser, listIdentities } from '../../src/store/customers.ts'
import type { Database } from '../../src/store/database.ts'
import { type Login, saveLogin } from '../../src/store/logins.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'

async function openStore (t: Test, url = 'sqlite::memory:'): Promise<Database> {
  const database = openDatabase(url)
  t.teardown(() => database.close())
  await migrate(database, { version: '0.1.0', nowMs: 0 })
  await database.batch(['s1', 's2'].map((id) => ({
    sql: 'insert into shops (id, name, url, id_token_alg, created_at_ms) values ($1, \'\', \'\', \'RS256\', 0) on conflict do nothing', values: [id]
  })))
  return database
}

let count = 0

function login (changes: Partial<Login> = {}): Login {
  count++
  return {
    shopId: 's1',
    newCustomerId: `cus_${count}`,
    newIdentityId: `idn_${count}`,
    nowMs: 1_000,
    provider: 'instagram',
    providerAppId: 'app',
    providerUserId: '27640875392278831',
    providerAccountId: '17841405793187218',
    username: 'ana',
    usernameKey: 'ana',
    name: 'Ana',
    nameKey: 'ana',
    pictureURL: 'https://cdn.example/a.jpg',
    accountType: 'BUSINESS',
    scopes: ['instagram_business_basic', 'x'],
    sealedToken: '1.k.first',
    tokenExpiresAtMs: 9_000,
    exchangeDueAtMs: null,
    sourcePage: '/checkout/',
    sourceCampaign: 'spring',
    ...changes
  }
}

async function countRows (database: Database): Promise<Record<string, unknown>> {
  return { ...await database.get('select (select count(*) from customers) as customers, (select count(*) from identities) as identities, (select count(*) from tokens) as tokens') }
}

test('a first login makes customer, identity and token', async (t) => {
  const database = await openStore(t)
  const first = login()
  const { customerId, isCreated } = await saveLogin(database, first)
  t.strictSame({ customerId, isCreated }, { customerId: first.newCustomerId, isCreated: true })
  t.match(await findCustomer(database, 's1', customerId), { externalId: null, email: null, createdAtMs: 1_000, updatedAtMs: 1_000 })
  t.match(await listIdentities(database, customerId), [{
    id: first.newIdentityId,
    provider: 'instagram',
    providerAppId: 'app',
    providerUserId: '27640875392278831',
    providerAccountId: '17841405793187218',
    username: 'ana',
    scopes: ['instagram_business_basic', 'x'],
    firstSeenAtMs: 1_000,
    lastLoginAtMs: 1_000,
    loginCount: 1,
    token: { obtainedAtMs: 1_000, expiresAtMs: 9_000, revokedAtMs: null }
  }])
  t.match(await database.get('select source_page, source_campaign, last_identity_id, login_count from customers'),
    { source_page: '/checkout/', source_campaign: 'spring', last_identity_id: first.newIdentityId, login_count: 1 })
})

test('a further login of the same person renews profile and token, counts, and keeps where they came from', async (t) => {
  const database = await openStore(t)
  const { customerId } = await saveLogin(database, login())
  await database.run('update tokens set revoked_at_ms = 5, lease_until_ms = 6, exchange_due_at_ms = 7')
  const again = await saveLogin(database, login({
    nowMs: 2_000, username: 'ana.new', name: null, nameKey: null, sealedToken: '1.k.second', tokenExpiresAtMs: null, sourcePage: '/other/', sourceCampaign: null
  }))
  t.strictSame(again, { customerId, isCreated: false })
  t.strictSame(await countRows(database), { customers: 1, identities: 1, tokens: 1 })
  t.match(await listIdentities(database, customerId), [{
    username: 'ana.new', name: null, firstSeenAtMs: 1_000, lastLoginAtMs: 2_000, loginCount: 2, token: { obtainedAtMs: 2_000, expiresAtMs: null, revokedAtMs: null }
  }])
  t.match(await database.get('select * from tokens'), { access_token: '1.k.second', exchange_due_at_ms: null, lease_until_ms: null })
  t.match(await database.get('select * from customers'), {
    source_page: '/checkout/', source_campaign: 'spring', first_seen_at_ms: 1_000, created_at_ms: 1_000, updated_at_ms: 2_000, last_login_at_ms: 2_000, login_count: 2, name_key: null
  })
})

test('a name that was typed keeps its search key through a login', async (t) => {
  const database = await openStore(t)
  await saveLogin(database, login())
  await database.run('update customers set name = $1, name_key = $2', ['Typed', 'typed'])
  await saveLogin(database, login({ nameKey: 'provider' }))
  t.match(await database.get('select name, name_key from customers'), { name: 'Typed', name_key: 'typed' })
})

test('first logins of one person at once, over two connections, make one customer', async (t) => {
  const url = `sqlite:${t.testdir({})}/a.db`
  const [first, second] = [await openStore(t, url), await openStore(t, url)]
  const results = await Promise.all(Array.from({ length: 20 }, (_, i) => saveLogin(i % 2 === 0 ? first : second, login())))
  t.equal(results.filter(({ isCreated }) => isCreated).length, 1)
  t.equal(new Set(results.map(({ customerId }) => customerId)).size, 1)
  t.strictSame(await countRows(first), { customers: 1, identities: 1, tokens: 1 })
  t.match(await first.get('select login_count from customers'), { login_count: 20 })
  t.match(await first.get('select login_count from identities'), { login_count: 20 })
})

test('ids beyond 2^53 that differ in the last digit are two people', async (t) => {
  const database = await openStore(t)
  const ids = ['17841405793187218', '17841405793187219', '017841405793187218', '1e16']
  const customers = await Promise.all(ids.map((providerUserId) => saveLogin(database, login({ providerUserId }))))
  t.equal(new Set(customers.map(({ customerId }) => customerId)).size, 4)
  for (const [i, providerUserId] of ids.slice(1).entries()) {
    t.match(await listByProviderUser(database, 's1', 'instagram', providerUserId), [{ id: customers[i + 1]?.customerId }])
  }
})

test('T-40: the same user id at another shop, provider or app is another person', async (t) => {
  const database = await openStore(t)
  const customers = await Promise.all([{}, { shopId: 's2' }, { provider: 'instagram-basic-display' }, { providerAppId: 'other' }]
    .map((changes) => saveLogin(database, login(changes))))
  t.ok(customers.every(({ isCreated }) => isCreated))
  t.strictSame(await countRows(database), { customers: 4, identities: 4, tokens: 4 })
})

test('T-44: a username that another person takes over makes a customer of its own', async (t) => {
  const database = await openStore(t)
  const before = await saveLogin(database, login({ providerUserId: '1' }))
  const after = await saveLogin(database, login({ providerUserId: '2' }))
  t.ok(after.isCreated)
  t.not(after.customerId, before.customerId)
})

test('a login for a shop that is gone writes nothing', async (t) => {
  const database = await openStore(t)
  await t.rejects(saveLogin(database, login({ shopId: 'gone' })), { code: 'constraint' })
  t.strictSame(await countRows(database), { customers: 0, identities: 0, tokens: 0 })
})

test('an identity that was given to another customer logs that customer in', async (t) => {
  const database = await openStore(t)
  const first = await saveLogin(database, login({ providerUserId: '1' }))
  const second = await saveLogin(database, login({ providerUserId: '2' }))
  await database.run('update identities set customer_id = $1 where customer_id = $2', [first.customerId, second.customerId])
  t.strictSame(await saveLogin(database, login({ providerUserId: '2', nowMs: 3_000 })), { customerId: first.customerId, isCreated: false })
  t.match(await database.get('select login_count, last_login_at_ms from customers where id = $1', [first.customerId]), { login_count: 2, last_login_at_ms: 3_000 })
  t.match((await listIdentities(database, first.customerId)).map(({ providerUserId }) => providerUserId), ['2', '1'], 'the one used last first')
})
