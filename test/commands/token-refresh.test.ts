import { test, type Test } from 'tap'
import { startEmulator } from '../../src/emulator/emulator.ts'
import { sealToken } from '../../src/flows/sealed-tokens.ts'
import { saveLogin } from '../../src/store/logins.ts'
import { openDatabase } from '../../src/store/open.ts'
import { openVault } from '../../src/vault-keys.ts'
import { member, NOW_MS, parse, runIn } from './edge.ts'

const DAY_MS = 86_400_000

async function open (t: Test, tokens: ReadonlyArray<{ ageMs: number }>) {
  const folder = t.testdir({})
  const emulator = await startEmulator({ now: () => NOW_MS })
  t.teardown(() => emulator.close())
  const environment = Object.fromEntries(Object.entries(emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY')))
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  const databaseURL = `sqlite:${folder}/data/leadlatch.db`
  const database = openDatabase(databaseURL)
  const vault = await openVault({ databaseURL, encryptionKeys: null }, database, () => NOW_MS)
  for (const [i, { ageMs }] of tokens.entries()) {
    const owner = { shopId, provider: 'instagram', providerAppId: emulator.apps.instagram.clientId, providerUserId: String(i) }
    const token = emulator.control.mintToken('creator', { kind: 'long', ageMs })
    await saveLogin(database, {
      ...owner,
      newCustomerId: `cus_${i}`,
      newIdentityId: `idn_${i}`,
      nowMs: NOW_MS - ageMs,
      providerAccountId: null,
      username: null,
      usernameKey: null,
      name: null,
      nameKey: null,
      pictureURL: null,
      accountType: null,
      scopes: [],
      sealedToken: sealToken(vault, owner, token),
      tokenExpiresAtMs: NOW_MS - ageMs + 60 * DAY_MS,
      exchangeDueAtMs: null,
      sourcePage: null,
      sourceCampaign: null
    })
  }
  await database.close()
  return { emulator, run: (...argv: string[]) => runIn(folder, argv, { environment }) }
}

test('token refresh lengthens the life of a token, tells until when, and is recorded', async (t) => {
  const { emulator, run } = await open(t, [{ ageMs: 40 * DAY_MS }])
  const refreshed = await run('token', 'refresh', 'cus_0', 'instagram', '--json')
  t.equal(refreshed.status, 0, refreshed.stderr)
  t.match(parse(refreshed), { customer_id: 'cus_0', provider: 'instagram', status: 'active', obtained_at: new Date(NOW_MS).toISOString() })
  t.notMatch(refreshed.stdout, 'IGAA')
  t.equal(emulator.control.count('refresh'), 1)
  t.match((await run('audit', '--customer', 'cus_0')).stdout, 'token.refresh')
  const again = await run('token', 'refresh', 'cus_0', 'instagram')
  t.match([again.status, again.stderr], [1, 'less than 24 hours ago'])
})

test('token refresh says what is wrong, in one line, with status 1', async (t) => {
  const { emulator, run } = await open(t, [{ ageMs: 40 * DAY_MS }, { ageMs: 61 * DAY_MS }])
  t.match(await run('token', 'refresh', 'cus_9', 'instagram'), { status: 1, stderr: 'There is no token of customer "cus_9"' })
  t.match(await run('token', 'refresh', 'cus_0', 'facebook'), { status: 1, stderr: 'There is no token' })
  t.match(await run('token', 'refresh', 'cus_1', 'instagram'), { status: 1, stderr: 'must sign in again' })
  emulator.control.fault('refresh', 'html500', 1)
  t.match(await run('token', 'refresh', 'cus_0', 'instagram'), { status: 1, stderr: 'did not answer' })
})

test('token list --expiring-within shows what expires within so many days, and a forecast', async (t) => {
  const { run } = await open(t, [{ ageMs: 0 }, { ageMs: 50 * DAY_MS }, { ageMs: 54 * DAY_MS }, { ageMs: 59.5 * DAY_MS }, { ageMs: 61 * DAY_MS }])
  const listed = parse(await run('token', 'list', '--expiring-within', '7', '--json'))
  t.match(listed, {
    data: [{ customer_id: 'cus_2', status: 'expiring' }, { customer_id: 'cus_3', status: 'expiring' }],
    forecast: {
      by_status: { active: 2, expiring: 2, expired: 1, revoked: 0 },
      expiring_within_days: [{ days: 1, count: 1 }, { days: 7, count: 2 }, { days: 30, count: 3 }]
    }
  })
  const table = (await run('token', 'list', '--expiring-within', '7')).stdout
  t.match(table, '2 of these. In all shops expire, unless they are refreshed: 1 within 1 day, 2 within 7 days, 3 within 30 days.')
  t.equal(parse(await run('token', 'list', '--json'))['forecast'], undefined)
  for (const days of ['0', '-1', 'x', '1.5', '99999']) t.equal((await run('token', 'list', '--expiring-within', days)).status, 2, days)
})
