import { test } from 'tap'
import { member, parse, runIn } from './edge.ts'

test('key add prints a connection string with all scopes but those for tokens', async (t) => {
  const folder = t.testdir({})
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  const added = await runIn(folder, ['key', 'add', shopId, '--json'])
  t.match(parse(added), {
    id: /^key_/,
    shop_id: shopId,
    scopes: ['login', 'leads:read', 'leads:write', 'customers:erase'],
    connection_string: new RegExp(`^https://${shopId}:llk_[\\w-]{43}@login\\.example$`)
  })
  t.match((await runIn(folder, ['key', 'add', shopId])).stdout, /Connection string: https:\/\/shop_/)
})

test('key add --scope gives just those scopes, and an unknown one is wrong use', async (t) => {
  const folder = t.testdir({})
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  t.match(parse(await runIn(folder, ['key', 'add', shopId, '--scope', 'tokens:read', '--scope', 'login', '--json'])), { scopes: ['login', 'tokens:read'] })
  t.match(await runIn(folder, ['key', 'add', shopId, '--scope', 'everything']), { status: 2, stderr: /no scope "everything".*tokens:write/ })
  t.match(await runIn(folder, ['key', 'add', 'shop_x']), { status: 1, stderr: /no shop/ })
})

test('key list shows the last four characters and when a key was revoked, never the key', async (t) => {
  const folder = t.testdir({})
  const shop = await runIn(folder, ['shop', 'add', 'https://shop.example', '--json'])
  const key = new URL(member(shop, 'connection_string')).password
  const keyId = member(shop, 'key_id')
  t.match(await runIn(folder, ['key', 'revoke', keyId, '--json']), { status: 0 })
  const listed = await runIn(folder, ['key', 'list', '--json'])
  t.match(parse(listed), { data: [{ id: keyId, shop_id: member(shop, 'id'), last_four: key.slice(-4), revoked_at: '2026-11-01T00:00:00.000Z' }] })
  const table = await runIn(folder, ['key', 'list'])
  t.match(table.stdout, key.slice(-4))
  t.notMatch(listed.stdout + table.stdout, key.slice(0, -4))
  t.match(await runIn(folder, ['key', 'revoke', keyId]), { status: 1, stderr: /revoked since 2026-11-01/ })
  t.match(await runIn(folder, ['key', 'revoke', 'key_x']), { status: 1, stderr: /no key "key_x".*key list/ })
})
