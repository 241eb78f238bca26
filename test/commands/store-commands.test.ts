import { randomBytes } from 'node:crypto'
import { test, type Test } from 'tap'
import { sealToken } from '../../src/flows/sealed-tokens.ts'
import { saveLogin } from '../../src/store/logins.ts'
import { openDatabase } from '../../src/store/open.ts'
import { openVault } from '../../src/vault-keys.ts'
import { member, NOW_MS, parse, runIn } from './edge.ts'

const DAY_MS = 86_400_000
const TOKEN = `IGAA${randomBytes(20).toString('hex')}`

async function withLead (t: Test): Promise<{ folder: string, shopId: string, customerId: string }> {
  const folder = t.testdir({})
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  return { folder, shopId, customerId: await addLead(folder, shopId, '17841405793187218', 'ana') }
}

async function addLead (folder: string, shopId: string, providerUserId: string, username: string): Promise<string> {
  const databaseURL = `sqlite:${folder}/data/leadlatch.db`
  const database = openDatabase(databaseURL)
  const vault = await openVault({ databaseURL, encryptionKeys: null }, database, () => NOW_MS)
  const owner = { shopId, provider: 'instagram', providerAppId: '42', providerUserId }
  const { customerId } = await saveLogin(database, {
    ...owner,
    newCustomerId: `cus_${providerUserId}`,
    newIdentityId: `idn_${providerUserId}`,
    nowMs: NOW_MS - DAY_MS,
    providerAccountId: null,
    username,
    usernameKey: username,
    name: username,
    nameKey: username,
    pictureURL: null,
    accountType: 'BUSINESS',
    scopes: ['instagram_business_basic'],
    sealedToken: sealToken(vault, owner, TOKEN),
    tokenExpiresAtMs: NOW_MS + 3 * DAY_MS,
    exchangeDueAtMs: null,
    sourcePage: null,
    sourceCampaign: null
  })
  await database.close()
  return customerId
}

test('token list shows the state of tokens and never a token', async (t) => {
  const { folder, shopId, customerId } = await withLead(t)
  const listed = await runIn(folder, ['token', 'list', '--json'])
  t.strictSame(parse(listed), {
    data: [{
      shop_id: shopId,
      customer_id: customerId,
      provider: 'instagram',
      provider_user_id: '17841405793187218',
      username: 'ana',
      status: 'expiring',
      reason: null,
      obtained_at: '2026-10-31T00:00:00.000Z',
      expires_at: '2026-11-04T00:00:00.000Z'
    }]
  })
  t.notMatch(listed.stdout, TOKEN)
  t.match((await runIn(folder, ['token', 'list'])).stdout, /17841405793187218 +ana +expiring/)
  t.strictSame(parse(await runIn(folder, ['token', 'list', '--shop', 'shop_x', '--json'])), { data: [] })
  t.match(parse(await runIn(folder, ['token', 'list', '--shop', shopId, '--customer', customerId, '--json'])), { data: [{}] })
})

test('token list goes on where a page ends', async (t) => {
  const { folder, shopId } = await withLead(t)
  const database = openDatabase(`sqlite:${folder}/data/leadlatch.db`)
  await database.run(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200)
    insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id, scopes, first_seen_at_ms, login_count)
    select 'idn_x' || i, '${shopId}', 'cus_17841405793187218', 'instagram', '42', i, '', 1, 0 from n`)
  await database.close()
  const { data } = parse(await runIn(folder, ['token', 'list', '--json']))
  t.equal(Array.isArray(data) && new Set(data.map(({ provider_user_id: id }) => id)).size, 1201)
})

test('token get prints the token alone, and the audit log tells that the command line read it', async (t) => {
  const { folder, shopId, customerId } = await withLead(t)
  t.strictSame(await runIn(folder, ['token', 'get', customerId, 'instagram']), { status: 0, stdout: `${TOKEN}\n`, stderr: '' })
  t.match(parse(await runIn(folder, ['token', 'get', customerId, 'instagram', '--provider-user-id', '17841405793187218', '--json'])), {
    access_token: TOKEN, shop_id: shopId, customer_id: customerId, status: 'expiring', scopes: ['instagram_business_basic']
  })
  const audit = await runIn(folder, ['audit', '--customer', customerId, '--json'])
  t.match(parse(audit), { data: [1, 2].map(() => ({ actor: 'cli', action: 'token.read', customer_id: customerId, shop_id: shopId, subject: 'idn_17841405793187218' })) })
  t.notMatch(audit.stdout, TOKEN)
})

test('token get of what is not there fails without a record', async (t) => {
  const { folder, customerId } = await withLead(t)
  for (const argv of [['cus_x', 'instagram'], [customerId, 'facebook'], [customerId, 'instagram', '--provider-user-id', '1']]) {
    t.match(await runIn(folder, ['token', 'get', ...argv]), { status: 1, stdout: '', stderr: /no token of customer.*token list/ })
  }
  t.strictSame(parse(await runIn(folder, ['audit', '--customer', customerId, '--json'])), { data: [] })
})

test('audit lists what was done, oldest first, page after page', async (t) => {
  const { folder, shopId } = await withLead(t)
  const database = openDatabase(`sqlite:${folder}/data/leadlatch.db`)
  await database.run(`with recursive n(i) as (select 1 union all select i + 1 from n where i < 1200)
    insert into audit_entries (id, shop_id, actor, action, at_ms) select 'aud_' || i, '${shopId}', 'x', 'y', i / 3 from n`)
  await database.close()
  const { data } = parse(await runIn(folder, ['audit', '--json']))
  if (!Array.isArray(data)) throw new Error('no list')
  t.equal(data.length, 1201)
  t.equal(new Set(data.map(({ id }) => id)).size, 1201)
  t.same(data.map(({ at }) => at), data.map(({ at }) => at).sort())
  t.match((await runIn(folder, ['audit'])).stdout, /cli +shop\.added/)
})

test('leads export writes the leads of all shops as one document, or those of one', async (t) => {
  const { folder, shopId } = await withLead(t)
  const otherId = member(await runIn(folder, ['shop', 'add', 'https://other.example', '--json']), 'id')
  await runIn(folder, ['shop', 'add', 'https://empty.example'])
  await addLead(folder, otherId, '2', 'ben')
  await addLead(folder, otherId, '3', 'eve')
  const json = parse(await runIn(folder, ['leads', 'export', '--format', 'json']))
  t.same(Array.isArray(json.data) && json.data.map(({ username }) => username).sort(), ['ana', 'ben', 'eve'])
  const csv = (await runIn(folder, ['leads', 'export'])).stdout.split('\r\n')
  t.equal(csv.length, 5)
  t.equal(csv.filter((line) => line.startsWith('id,')).length, 1)
  const one = (await runIn(folder, ['leads', 'export', '--shop', shopId, '--format', 'ndjson'])).stdout.split('\n')
  t.equal(one.length, 2)
  t.match(JSON.parse(one[0] ?? ''), { username: 'ana', provider_user_id: '17841405793187218' })
  t.match(await runIn(folder, ['leads', 'export', '--shop', 'shop_x']), { status: 1, stdout: '', stderr: /no shop/ })
  t.match(await runIn(folder, ['leads', 'export', '--format', 'pdf']), { status: 2 })
})

test('leads export without any shop is an empty document of its format', async (t) => {
  const folder = t.testdir({})
  await runIn(folder, ['migrate'])
  t.match((await runIn(folder, ['leads', 'export'])).stdout, /^id,external_id,.*\r\n$/)
  t.strictSame(parse(await runIn(folder, ['leads', 'export', '--json'])), { data: [] })
})

test('T-76: an export escapes control characters on a terminal only, and only there shows progress', async (t) => {
  const { folder, shopId } = await withLead(t)
  await addLead(folder, shopId, '9', 'x\u001b[2Jy')
  const piped = await runIn(folder, ['leads', 'export'])
  t.match(piped.stdout, 'x\u001b[2Jy')
  t.equal(piped.stderr, '')
  const shown = await runIn(folder, ['leads', 'export'], { isTTY: true })
  t.match(shown.stdout, 'x\\u{1b}[2Jy')
  t.notMatch(shown.stdout, '\u001b')
  t.equal(shown.stdout.split('\r\n').length, 4)
  t.match(shown.stderr, /2 leads\n$/)
})

test('migrate names what it applied, once', async (t) => {
  const folder = t.testdir({})
  const first = await runIn(folder, ['migrate', '--json'], { environment: { LEADLATCH_PUBLIC_URL: '' } })
  t.match(parse(first), { applied: ['0001_create_shops.sql'] })
  t.strictSame(parse(await runIn(folder, ['migrate', '--json'])), { applied: [] })
  t.match((await runIn(folder, ['migrate'])).stdout, 'The database is up to date.')
})
