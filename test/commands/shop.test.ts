import { existsSync } from 'node:fs'
import { test } from 'tap'
import { authenticateKey } from '../../src/flows/api-keys.ts'
import { openDatabase } from '../../src/store/open.ts'
import { member, NOW_MS, parse, runIn } from './edge.ts'

test('shop add prints id, redirect URI and a connection string that works', async (t) => {
  const folder = t.testdir({})
  const added = await runIn(folder, ['shop', 'add', 'https://shop.example', '--name', 'Ana', '--json'])
  t.equal(added.status, 0)
  t.equal(added.stderr, '')
  t.match(parse(added), {
    id: /^shop_/,
    name: 'Ana',
    url: 'https://shop.example',
    redirect_uris: ['https://shop.example/?leadlatch=callback'],
    requires_pkce: true,
    id_token_alg: 'RS256',
    created_at: new Date(NOW_MS).toISOString(),
    key_id: /^key_/,
    scopes: ['login', 'leads:read', 'leads:write', 'customers:erase']
  })
  const url = new URL(member(added, 'connection_string'))
  t.equal(url.origin, 'https://login.example')
  t.equal(url.username, member(added, 'id'))
  const database = openDatabase(`sqlite:${folder}/data/leadlatch.db`)
  t.match(await authenticateKey(database, url.password), { shopId: member(added, 'id') })
  await database.close()
})

test('for people shop add prints the same, and says that the string is shown once', async (t) => {
  const { stdout } = await runIn(t.testdir({}), ['shop', 'add', 'https://shop.example'], { environment: { LEADLATCH_PUBLIC_URL: 'http://localhost:8787/x/' } })
  t.match(stdout, /Shop id: +shop_/)
  t.match(stdout, /Redirect URI: +https:\/\/shop\.example\/\?leadlatch=callback\n/)
  t.match(stdout, /Connection string: http:\/\/shop_[0-9a-f]{32}:llk_[\w-]{43}@localhost:8787\/x\n/)
  t.match(stdout, /not shown again/)
})

test('T-02: shop add of a trap exits 2, names the fault and stores nothing', async (t) => {
  const folder = t.testdir({})
  for (const [argv, fault] of [
    [['https://shop.example', '--redirect-uri', 'https://shop.example/#a'], /fragment/],
    [['https://shop.example', '--redirect-uri', 'https://ok.example/', '--redirect-uri', 'http://shop.example/'], /must be https/],
    [['http://shop.example'], /must be https/],
    [['https://u:p@shop.example'], /names a user/],
    [['https://*.example'], /wildcard/],
    [['https://shop.example', '--name', 'a\u001b[2J'], /name/]
  ] as const) {
    const outcome = await runIn(folder, ['shop', 'add', ...argv])
    t.match(outcome, { status: 2, stdout: '', stderr: fault })
    t.equal(outcome.stderr.split('\n').length, 2, 'one line')
    t.notMatch(outcome.stderr, '\u001b')
  }
  t.strictSame(parse(await runIn(folder, ['shop', 'list', '--json'])), { data: [] })
})

test('T-06: shop add --without-pkce warns that the client must send and check a nonce', async (t) => {
  const folder = t.testdir({})
  const added = await runIn(folder, ['shop', 'add', 'https://shop.example', '--without-pkce', '--json'])
  t.match(added.stderr, /nonce.*checks it/)
  t.match(parse(added), { requires_pkce: false })
  const updated = await runIn(folder, ['shop', 'update', member(added, 'id'), '--with-pkce', '--json'])
  t.match(updated, { status: 0, stderr: '' })
  t.match(parse(updated), { requires_pkce: true })
  t.match((await runIn(folder, ['shop', 'update', member(added, 'id'), '--without-pkce'])).stderr, /nonce/)
  t.match(await runIn(folder, ['shop', 'update', member(added, 'id'), '--without-pkce', '--with-pkce']), { status: 2 })
})

test('shop update changes name, redirect URIs and algorithm, and nothing is no change', async (t) => {
  const folder = t.testdir({})
  const id = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  const updated = await runIn(folder, ['shop', 'update', id, '--name', 'New', '--redirect-uri', 'https://a.example/', '--redirect-uri', 'https://b.example/', '--id-token-alg', 'ES256', '--json'])
  t.match(parse(updated), { name: 'New', redirect_uris: ['https://a.example/', 'https://b.example/'], id_token_alg: 'ES256' })
  t.match(await runIn(folder, ['shop', 'update', id]), { status: 2, stderr: /Nothing to change/ })
  t.match(await runIn(folder, ['shop', 'update', id, '--id-token-alg', 'none']), { status: 2, stderr: /RS256, ES256/ })
  t.match(await runIn(folder, ['shop', 'update', 'shop_x', '--name', 'x']), { status: 1, stderr: /no shop "shop_x".*shop list/ })
})

test('shop list shows every shop on a line, never a key', async (t) => {
  const folder = t.testdir({})
  const first = await runIn(folder, ['shop', 'add', 'https://a.example', '--json'])
  await runIn(folder, ['shop', 'add', 'https://b.example'])
  const { stdout } = await runIn(folder, ['shop', 'list'])
  t.equal(stdout.split('\n').length, 4)
  t.match(stdout, 'https://a.example/?leadlatch=callback')
  t.notMatch(stdout, 'llk_')
  const { data } = parse(await runIn(folder, ['shop', 'list', '--json']))
  t.same(Array.isArray(data) && data.map(({ name }) => name).sort(), ['a.example', 'b.example'])
  t.ok(Array.isArray(data) && data.some(({ id }) => id === member(first, 'id')))
})

test('T-76: control and direction characters in a stored name do not reach the terminal', async (t) => {
  const folder = t.testdir({})
  await runIn(folder, ['shop', 'add', 'https://a.example'])
  const database = openDatabase(`sqlite:${folder}/data/leadlatch.db`)
  const name = 'a\u001b]0;x\u0007\nb\u009bc\u202ed'
  await database.run('update shops set name = $1', [name])
  await database.close()
  t.match((await runIn(folder, ['shop', 'list'])).stdout, 'a\\u{1b}]0;x\\u{7}\\u{a}b\\u{9b}c\\u{202e}d')
  const json = await runIn(folder, ['shop', 'list', '--json'])
  // eslint-disable-next-line no-control-regex
  t.notMatch(json.stdout.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u202e]/)
  t.match(parse(json), { data: [{ name }] })
})

test('shop remove without --yes counts what would go and removes nothing', async (t) => {
  const folder = t.testdir({})
  const id = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  t.match(await runIn(folder, ['shop', 'remove', id]), { status: 2, stdout: '', stderr: /0 customers.*1 live keys.*--yes/ })
  t.match(parse(await runIn(folder, ['shop', 'list', '--json'])), { data: [{ id }] })
  t.strictSame(parse(await runIn(folder, ['shop', 'remove', id, '--yes', '--json'])), { id, removed: { customers: 0, identities: 0, live_keys: 1 } })
  t.match(await runIn(folder, ['shop', 'remove', id, '--yes']), { status: 1, stderr: /no shop/ })
})

test('only shop add begins a database; a reading command in the wrong folder says so', async (t) => {
  const folder = t.testdir({})
  t.match(await runIn(folder, ['shop', 'list']), { status: 1, stderr: /no database .*leadlatch\.db.*DATABASE_URL/ })
  t.notOk(existsSync(`${folder}/data`))
})

test('shop add needs the public URL, shop list does not', async (t) => {
  const folder = t.testdir({})
  const environment = { LEADLATCH_PUBLIC_URL: '' }
  t.match(await runIn(folder, ['shop', 'add', 'https://shop.example'], { environment }), { status: 2, stderr: /LEADLATCH_PUBLIC_URL must be set/ })
  await runIn(folder, ['shop', 'add', 'https://shop.example'])
  t.match(await runIn(folder, ['shop', 'list'], { environment }), { status: 0 })
})
