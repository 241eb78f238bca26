import { test } from 'tap'
import { changeCustomer, findCustomerView, lookUpCustomers } from '../../src/flows/customers.ts'
import { textOrNull } from '../../src/store/database.ts'
import { searchKey } from '../../src/text.ts'
import { buildParts, seedLogin, seedShop } from '../support/rest.ts'
import type { Parts } from '../../src/parts.ts'

async function nameKeyOf ({ database }: Parts, id: string): Promise<string | null> {
  const row = await database.get('select name_key from customers where id = $1', [id])
  return row === undefined ? null : textOrNull(row, 'name_key')
}

test('a customer is found by the name that a lead shows, before and after a name of their own', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const id = await seedLogin(parts, shopId, { name: 'Ana Lima' })
  t.equal(await nameKeyOf(parts, id), 'ana lima')
  await changeCustomer(parts, { shopId, id, actor: 'key:test' }, { name: 'BÉA' })
  t.equal(await nameKeyOf(parts, id), searchKey('BÉA'))
  await seedLogin(parts, shopId, { name: 'Ana Souza' })
  t.equal(await nameKeyOf(parts, id), searchKey('BÉA'), 'a login leaves it')
  await changeCustomer(parts, { shopId, id, actor: 'key:test' }, { name: null })
  t.equal(await nameKeyOf(parts, id), 'ana souza')
})

test('a name that is cleared while a login brings a new one is found by the new one', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const id = await seedLogin(parts, shopId, { name: 'Ana Lima' })
  await changeCustomer(parts, { shopId, id, actor: 'key:test' }, { name: 'Own' })
  let isFirst = true
  const database = {
    ...parts.database,
    batch: async (...call: Parameters<typeof parts.database.batch>) => {
      if (isFirst) {
        isFirst = false
        await seedLogin(parts, shopId, { name: 'Ana Souza' })
      }
      return parts.database.batch(...call)
    }
  }
  t.match(await changeCustomer({ ...parts, database }, { shopId, id, actor: 'key:test' }, { name: null }), { outcome: 'changed', customer: { name: null } })
  t.equal(await nameKeyOf(parts, id), 'ana souza')
})

test('a customer without any name can be cleared of the one they have not', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const id = await seedLogin(parts, shopId, { name: null })
  t.match(await changeCustomer(parts, { shopId, id, actor: 'key:test' }, { name: null }), { outcome: 'changed' })
  t.equal(await nameKeyOf(parts, id), null)
})

test('every change moves updated_at on, though the clock stands still or was set back', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const id = await seedLogin(parts, shopId)
  const times: string[] = []
  for (const deltaMs of [0, 0, -60_000, 120_000]) {
    parts.clock.nowMs += deltaMs
    await changeCustomer(parts, { shopId, id, actor: 'key:test' }, { phone: '1' })
    times.push((await findCustomerView(parts, shopId, id))?.updated_at ?? '')
  }
  t.strictSame(times, [...new Set(times)].toSorted())
})

test('a change of nothing writes nothing', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const id = await seedLogin(parts, shopId)
  const before = await findCustomerView(parts, shopId, id)
  parts.clock.nowMs += 1000
  t.strictSame(await changeCustomer(parts, { shopId, id, actor: 'key:test' }, {}), { outcome: 'changed', customer: before })
})

test('one external_id given to two customers at once by two replicas is one customer\'s', async (t) => {
  const databaseURL = `sqlite:${t.testdir()}/two.db`
  const first = await buildParts(t, { databaseURL })
  const second = await buildParts(t, { databaseURL })
  const { shopId } = await seedShop(first)
  const ids = [await seedLogin(first, shopId, { providerUserId: '1' }), await seedLogin(first, shopId, { providerUserId: '2' })]
  const outcomes = await Promise.all([first, second].map((parts, i) => changeCustomer(parts, { shopId, id: ids[i] ?? '', actor: 'key:test' }, { external_id: '7' })))
  t.strictSame(outcomes.map(({ outcome }) => outcome).toSorted(), ['changed', 'external_id_held'])
  t.equal((await lookUpCustomers(first, shopId, { by: 'external_id', value: '7' })).length, 1)
})

test('one shop\'s external_id is free in another shop', async (t) => {
  const parts = await buildParts(t)
  for (const url of ['https://a.example', 'https://b.example']) {
    const { shopId } = await seedShop(parts, { url })
    const id = await seedLogin(parts, shopId)
    t.match(await changeCustomer(parts, { shopId, id, actor: 'key:test' }, { external_id: '7' }), { outcome: 'changed' }, url)
  }
})

test('T-39: ids beyond 2^53 that differ in the last digit are two people, and either id of a person finds them', async (t) => {
  const parts = await buildParts(t)
  const { shopId } = await seedShop(parts)
  const first = await seedLogin(parts, shopId, { providerUserId: '17841400000000830', providerAccountId: '9007199254740993' })
  const second = await seedLogin(parts, shopId, { providerUserId: '17841400000000831', providerAccountId: '17841400000000830' })
  const find = async (value: string) => (await lookUpCustomers(parts, shopId, { by: 'provider_user', provider: 'instagram', value })).map(({ id }) => id)
  t.not(first, second)
  t.strictSame(await find('17841400000000831'), [second])
  t.strictSame(await find('9007199254740993'), [first])
  t.strictSame(await find('9007199254740992'), [])
  t.strictSame((await find('17841400000000830')).toSorted(), [first, second].toSorted(), 'an ambiguous id finds both')
})
