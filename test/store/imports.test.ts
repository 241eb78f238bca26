import { test, type Test } from 'tap'
import { type Import, saveImport } from '../../src/store/imports.ts'
import { findCustomer, listIdentities } from '../../src/store/customers.ts'
import { buildParts, DAY_MS, seedLogin, seedShop, START_MS } from '../support/rest.ts'

async function build (t: Test) {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  let count = 0
  const save = (changes: Partial<Import> = {}, together: Parameters<typeof saveImport>[2] = []) => saveImport(parts.database, {
    shopId,
    newCustomerId: `cus_${++count}`,
    newIdentityId: `idn_${count}`,
    newAuditId: `aud_${count}`,
    actor: 'cli',
    nowMs: parts.now(),
    provider: 'instagram',
    providerAppId: 'app-1',
    providerUserId: '17841400000000001',
    providerAccountId: null,
    username: 'ana.new',
    usernameKey: 'ana.new',
    name: 'Ana New',
    nameKey: 'ana new',
    pictureURL: null,
    accountType: 'BUSINESS',
    sealedToken: `sealed-${count}`,
    tokenExpiresAtMs: START_MS + 60 * DAY_MS,
    exchangeDueAtMs: null,
    ...changes
  }, together)
  const token = () => parts.database.get('select access_token, expires_at_ms from tokens')
  return { parts, shopId, save, token }
}

test('an import makes the customer, who was never signed in', async (t) => {
  const { parts, shopId, save } = await build(t)
  t.strictSame(await save(), { customerId: 'cus_1', isCreated: true, isStored: true })
  t.match(await listIdentities(parts.database, 'cus_1'), [{ id: 'idn_1', loginCount: 0, lastLoginAtMs: null, firstSeenAtMs: START_MS, scopes: [] }])
  t.match(await parts.database.get('select login_count, last_login_at_ms, last_identity_id, name_key from customers'), {
    login_count: 0, last_login_at_ms: null, last_identity_id: 'idn_1', name_key: 'ana new'
  })
  t.ok(await findCustomer(parts.database, shopId, 'cus_1'))
})

test('an import refreshes the profile of a known identity and leaves its login, scopes and owner alone', async (t) => {
  const { parts, shopId, save } = await build(t)
  const customerId = await seedLogin(parts, shopId)
  parts.clock.nowMs += 1000
  t.match(await save(), { customerId, isCreated: false })
  t.match(await listIdentities(parts.database, customerId), [{
    username: 'ana.new', name: 'Ana New', loginCount: 1, lastLoginAtMs: START_MS, scopes: ['instagram_business_basic']
  }])
  t.match(await parts.database.get('select name_key, updated_at_ms from customers'), { name_key: 'ana new', updated_at_ms: START_MS + 1000 })
})

test('an import of an account that is not the one used last does not change by which name the customer is found', async (t) => {
  const { parts, shopId, save } = await build(t)
  const customerId = await seedLogin(parts, shopId)
  await save({ providerUserId: '2' })
  await parts.database.run('update identities set customer_id = $1 where provider_user_id = $2', [customerId, '2'])
  t.match(await save({ providerUserId: '2' }), { customerId })
  t.match(await parts.database.get('select name_key from customers where id = $1', [customerId]), { name_key: 'ana lima' })
})

const LIVES: ReadonlyArray<[stored: number | null, imported: number | null, isStored: boolean]> = [
  [60, 59, false], [60, 60, true], [59, 60, true], [60, null, false], [8, null, false], [7, null, true], [6, null, true],
  [-1, null, true], [-1, 1, true], [null, null, true], [null, 1 / 24, false], [null, 60, true], [1 / 24, null, true]
]

for (const [stored, imported, isStored] of LIVES) {
  test(`a token good for ${stored ?? 'unknown'} days ${isStored ? 'gives way to' : 'stays before'} one good for ${imported ?? 'unknown'} days`, async (t) => {
    const { save, token } = await build(t)
    const at = (days: number | null) => days === null ? null : START_MS + days * DAY_MS
    await save({ tokenExpiresAtMs: at(stored) })
    t.match(await save({ tokenExpiresAtMs: at(imported) }), { isStored })
    t.match(await token(), { access_token: isStored ? 'sealed-2' : 'sealed-1', expires_at_ms: at(isStored ? imported : stored) })
  })
}

test('a revoked token gives way to any', async (t) => {
  const { parts, save, token } = await build(t)
  await save()
  await parts.database.run('update tokens set revoked_at_ms = 1')
  t.match(await save({ tokenExpiresAtMs: START_MS + DAY_MS }), { isStored: true })
  t.match(await token(), { access_token: 'sealed-2' })
})

test('a further statement that fails takes the whole import with it', async (t) => {
  const { parts, save } = await build(t)
  await t.rejects(save({}, [{ sql: 'update shops set name = name where id = $1', values: ['shop_x'], expect: 1 }]), { code: 'unexpected_row_count' })
  for (const table of ['customers', 'identities', 'tokens']) t.same(await parts.database.all(`select * from ${table}`), [], table)
  await t.rejects(save({ shopId: 'shop_x' }), { code: 'constraint' })
})
