import { test } from 'tap'
import { findTokenStates, openToken } from '../../src/flows/tokens.ts'
import { buildParts, DAY_MS, seedLogin, seedShop } from '../support/rest.ts'
import type { Parts } from '../../src/parts.ts'

async function auditEntries ({ database }: Parts) {
  return (await database.all('select shop_id, customer_id, actor, action, subject, at_ms from audit_entries')).map((row) => ({ ...row }))
}

// Puts a second identity of the same provider under a customer, as attaching one would.
async function attach (parts: Parts, from: string, to: string): Promise<void> {
  await parts.database.run('update identities set customer_id = $1 where customer_id = $2', [to, from])
}

test('the token of the identity used last is opened, or that of the account named', async (t) => {
  const parts = await buildParts(t)
  const { shopId, keyId } = await seedShop(parts)
  const customerId = await seedLogin(parts, shopId, { providerUserId: '1', accessToken: 'older' })
  parts.clock.nowMs += 1
  await attach(parts, await seedLogin(parts, shopId, { providerUserId: '2', accessToken: 'newer' }), customerId)
  const wanted = { shopId, customerId, provider: 'instagram', actor: `key:${keyId}` }
  t.match(await openToken(parts, { ...wanted, providerUserId: null }), { access_token: 'newer', provider_user_id: '2' })
  t.match(await openToken(parts, { ...wanted, providerUserId: '1' }), { access_token: 'older' })
  t.equal(await openToken(parts, { ...wanted, providerUserId: '3' }), undefined)
  t.equal(await openToken(parts, { ...wanted, provider: 'facebook', providerUserId: null }), undefined)
})

test('an older account\'s token does not stand in for the one that the account used last has lost', async (t) => {
  const parts = await buildParts(t)
  const { shopId, keyId } = await seedShop(parts)
  const customerId = await seedLogin(parts, shopId, { providerUserId: '1' })
  parts.clock.nowMs += 1
  await attach(parts, await seedLogin(parts, shopId, { providerUserId: '2' }), customerId)
  await parts.database.run('delete from tokens where identity_id in (select id from identities where provider_user_id = $1)', ['2'])
  t.equal(await openToken(parts, { shopId, customerId, provider: 'instagram', providerUserId: null, actor: `key:${keyId}` }), undefined)
})

test('each read of a token is recorded by ids alone, before it is answered', async (t) => {
  const parts = await buildParts(t)
  const { shopId, keyId } = await seedShop(parts)
  const customerId = await seedLogin(parts, shopId)
  const wanted = { shopId, customerId, provider: 'instagram', providerUserId: null, actor: `key:${keyId}` }
  await openToken(parts, wanted)
  const [entry, ...more] = await auditEntries(parts)
  t.match(entry, { shop_id: shopId, customer_id: customerId, actor: `key:${keyId}`, action: 'token.read', subject: /^idn_/, at_ms: parts.now() })
  t.strictSame(more, [])
  const failing = { ...parts.database, batch: async () => { throw new Error('disk full') } }
  await t.rejects(openToken({ ...parts, database: failing }, wanted), { message: 'disk full' })
})

test('a read that finds nothing is not recorded', async (t) => {
  const parts = await buildParts(t)
  const { shopId, keyId } = await seedShop(parts)
  const other = await seedShop(parts, { url: 'https://other.example' })
  const customerId = await seedLogin(parts, other.shopId)
  t.equal(await openToken(parts, { shopId, customerId, provider: 'instagram', providerUserId: null, actor: `key:${keyId}` }), undefined)
  t.strictSame(await auditEntries(parts), [])
})

test('T-59: a sealed token that was moved to another identity does not open', async (t) => {
  const parts = await buildParts(t)
  const { shopId, keyId } = await seedShop(parts)
  const customerId = await seedLogin(parts, shopId, { providerUserId: '1' })
  const thief = await seedLogin(parts, shopId, { providerUserId: '2' })
  await parts.database.run(`update tokens set access_token = (select access_token from tokens where identity_id in
    (select id from identities where customer_id = $1)) where identity_id in (select id from identities where customer_id = $2)`, [customerId, thief])
  await t.rejects(openToken(parts, { shopId, customerId: thief, provider: 'instagram', providerUserId: null, actor: `key:${keyId}` }), { code: 'not_authentic' })
  t.strictSame(await auditEntries(parts), [])
})

test('the state of each token is told, a missing one as none', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const customerId = await seedLogin(parts, shopId, { providerUserId: '1', tokenExpiresAtMs: parts.now() + DAY_MS })
  t.strictSame(await findTokenStates(parts, shopId, customerId), [{
    provider: 'instagram',
    provider_user_id: '1',
    scopes: ['instagram_business_basic'],
    status: 'expiring',
    reason: null,
    obtained_at: '2026-01-15T12:00:00.000Z',
    expires_at: '2026-01-16T12:00:00.000Z'
  }])
  await parts.database.run('delete from tokens where identity_id is not null')
  t.match(await findTokenStates(parts, shopId, customerId), [{ status: 'none', obtained_at: null, expires_at: null }])
})
