import { test, type Test } from 'tap'
import type { Fault, FaultyEndpoint } from '../../src/emulator/faults.ts'
import { build, type Built } from '../support/build.ts'
import { logIn, type Redeemed } from '../support/journey.ts'

type Case = [FaultyEndpoint, Fault, number, string]

async function customerRows (built: Built): Promise<number> {
  const { database } = built.parts
  const tables = await Promise.all(['customers', 'identities', 'tokens'].map((table) => database.all(`select 1 from ${table}`)))
  return tables.flat().length
}

/** One login under a fault, then one without: the first leaves nothing, the second is fine. */
async function checkFault (t: Test, built: Built, [endpoint, fault, status, error]: Case): Promise<Redeemed> {
  const why = `${endpoint} ${JSON.stringify(fault)}`
  built.emulator.control.reset()
  built.emulator.control.fault(endpoint, fault, 1)
  const reply = await logIn(built)
  t.match(reply, { status, body: { error } }, why)
  t.ok(built.emulator.control.count('token') <= 1, `${why}: the code is sent once`)
  t.equal(await customerRows(built), 0, `${why}: nothing half-written`)
  t.notMatch(String(reply.body.error_description), /http|IGAA|AQB/, `${why}: the answer holds no address or token`)
  t.equal((await logIn(built)).status, 200, `${why}: the next login is fine`)
  await built.parts.database.run('delete from customers')
  return reply
}

const QUICK: readonly Case[] = [
  ['token', 'used_code', 400, 'invalid_grant'],
  ['token', 'invalid_code', 400, 'invalid_grant'],
  ['token', 'wrong_secret', 500, 'server_error'],
  ['token', 'platform_app', 500, 'server_error'],
  ['token', 'rate_limit', 503, 'temporarily_unavailable'],
  ['me', { name: 'rate_limit', status: 403, minutes: 19 }, 503, 'temporarily_unavailable'],
  ['me', { name: 'rate_limit', status: 400 }, 503, 'temporarily_unavailable'],
  ['me', 'permission', 400, 'invalid_grant'],
  ['me', { name: 'graph_error', code: 190, subcode: 460, status: 400 }, 503, 'temporarily_unavailable'],
  ['me', { name: 'graph_error', code: 2, status: 500 }, 503, 'temporarily_unavailable'],
  ['me', { name: 'graph_error', code: 3, status: 400 }, 500, 'server_error'],
  ...(['html500', 'html200', 'empty', 'truncated', 'wrong_type', 'huge', 'gzip_bomb', 'deep', 'proto', 'ids_as_objects', 'reset', 'lost', 'redirect'] as const)
    .flatMap((fault): Case[] => (['token', 'me'] as const).map((endpoint) => [endpoint, fault, 503, 'temporarily_unavailable']))
]

test('T-41: every fault of the provider ends in the right error, leaves nothing, and the next login is fine', async (t) => {
  const built = await build(t)
  // The ids of the token reply are not used: only /me says who somebody is.
  for (const one of QUICK.filter(([endpoint, fault]) => !(endpoint === 'token' && fault === 'ids_as_objects'))) {
    await checkFault(t, built, one)
  }
  t.equal(Object.getPrototypeOf({}), Object.prototype)
})

test('a throttled login says how long to wait, as the provider’s header has it', async (t) => {
  const built = await build(t)
  const { headers } = await checkFault(t, built, ['me', { name: 'rate_limit', status: 403, minutes: 19 }, 503, 'temporarily_unavailable'])
  t.equal(Number(headers['retry-after']), 19 * 60)
})

test('an operator is told what is wrong with the app, both causes where Instagram does not tell', async (t) => {
  const built = await build(t)
  t.match((await checkFault(t, built, ['token', 'platform_app', 500, 'server_error'])).body.error_description, /Instagram app ID/)
  t.match((await checkFault(t, built, ['token', 'wrong_secret', 500, 'server_error'])).body.error_description, /client secret is wrong.*redirect URI/)
})

test('a permission that the shopper unticked is asked for again, not stored around', async (t) => {
  const built = await build(t)
  built.emulator.control.savePersona({ id: 'creator', permissions: [] })
  t.match(await logIn(built), { status: 400, body: { error: 'invalid_grant' } })
  t.equal(await customerRows(built), 0)
})

test('answers that never end are cut off after ten seconds, slow ones are waited for', { timeout: 60_000 }, async (t) => {
  const cases: readonly Case[] = [
    ['token', 'hang', 503, 'temporarily_unavailable'],
    ['token', { name: 'slow', ms: 11_000 }, 503, 'temporarily_unavailable'],
    ['token', 'drip', 503, 'temporarily_unavailable'],
    ['me', 'hang', 503, 'temporarily_unavailable']
  ]
  await Promise.all([
    ...cases.map(async (one) => {
      const built = await build(t)
      const startedAt = performance.now()
      await checkFault(t, built, one)
      t.ok(performance.now() - startedAt < 13_000, `${one[0]} took ${Math.round(performance.now() - startedAt)} ms`)
    }),
    (async () => {
      const built = await build(t)
      built.emulator.control.fault('token', { name: 'slow', ms: 9000 }, 1)
      t.equal((await logIn(built)).status, 200, 'nine seconds pass')
    })()
  ])
})
