import { test } from 'tap'
import type { Fault } from '../../src/emulator/faults.ts'
import { runUpkeep } from '../../src/flows/renew.ts'
import { build, type Built } from '../support/build.ts'
import { logIn } from '../support/journey.ts'

const silent = { warn: () => {}, error: () => {} }

async function tokenRow (built: Built) {
  const row = await built.parts.database.get('select access_token, obtained_at_ms, expires_at_ms, exchange_due_at_ms, due_at_ms, revoked_at_ms from tokens')
  return { ...row }
}

test('a login succeeds with the short token when only the long-lived exchange fails', async (t) => {
  const faults: Fault[] = ['html500', 'empty', 'reset', 'rate_limit', { name: 'graph_error', code: 190, status: 400 }, 'truncated', 'permission']
  for (const fault of faults) {
    const built = await build(t)
    built.emulator.control.fault('exchange', fault, 1)
    t.equal((await logIn(built)).status, 200, JSON.stringify(fault))
    t.match(await tokenRow(built), { expires_at_ms: built.clock.nowMs + 3_600_000, exchange_due_at_ms: built.clock.nowMs })
  }
})

test('the short token is exchanged within a minute of the provider answering again', async (t) => {
  const built = await build(t)
  built.emulator.control.fault('exchange', 'html500')
  await logIn(built)
  const short = await tokenRow(built)
  for (let i = 0; i < 3; i++) {
    await runUpkeep(built.parts, silent)
    built.clock.advance(20_000)
  }
  t.equal((await tokenRow(built)).access_token, short.access_token)
  built.emulator.control.fault('exchange', null)
  for (let i = 0; i < 3; i++) {
    await runUpkeep(built.parts, silent)
    built.clock.advance(20_000)
  }
  const long = await tokenRow(built)
  t.equal(long.exchange_due_at_ms, null)
  t.equal(Number(long.expires_at_ms) - Number(long.obtained_at_ms), 5_183_944_000)
  t.not(long.access_token, short.access_token)
})

test('two replicas exchange a short token once', async (t) => {
  const built = await build(t)
  built.emulator.control.fault('exchange', 'html500', 1)
  await logIn(built)
  built.emulator.control.resetCalls()
  await Promise.all(Array.from({ length: 4 }, () => runUpkeep(built.parts, silent)))
  t.equal(built.emulator.control.count('exchange'), 1)
})

test('a throttled exchange waits as long as the provider says', async (t) => {
  const built = await build(t)
  built.emulator.control.fault('exchange', { name: 'rate_limit', status: 403, minutes: 5 }, 2)
  await logIn(built)
  await runUpkeep(built.parts, silent)
  const dueAfterMs = Number((await tokenRow(built)).due_at_ms) - built.clock.nowMs
  t.ok(dueAfterMs >= 5 * 60_000 && dueAfterMs <= 6 * 60_000)
})

test('a token that the provider calls dead is marked revoked and not tried again; a new login heals it', async (t) => {
  const built = await build(t)
  built.emulator.control.fault('exchange', 'html500', 1)
  await logIn(built)
  built.emulator.control.revoke('creator', 460)
  await runUpkeep(built.parts, silent)
  t.match(await tokenRow(built), { revoked_at_ms: built.clock.nowMs, exchange_due_at_ms: null })
  built.emulator.control.resetCalls()
  built.clock.advance(120_000)
  await runUpkeep(built.parts, silent)
  t.equal(built.emulator.control.count('exchange'), 0)
  t.equal((await logIn(built)).status, 200)
  t.match(await tokenRow(built), { revoked_at_ms: null })
})

test('a login that comes during an exchange keeps its newer token', async (t) => {
  const built = await build(t)
  built.emulator.control.fault('exchange', 'html500', 1)
  await logIn(built)
  built.emulator.control.fault('exchange', { name: 'slow', ms: 300 }, 1)
  const upkeep = runUpkeep(built.parts, silent)
  built.emulator.control.fault('exchange', { name: 'slow', ms: 300 }, 1)
  const login = logIn(built)
  await Promise.all([upkeep, login])
  const token = await tokenRow(built)
  t.match(token, { exchange_due_at_ms: null, revoked_at_ms: null })
  t.equal(Number(token.expires_at_ms) - Number(token.obtained_at_ms), 5_183_944_000)
})

test('a short token that expired before it could be exchanged is given up', async (t) => {
  const built = await build(t)
  built.emulator.control.fault('exchange', 'html500', 1)
  await logIn(built)
  built.clock.advance(3_600_001)
  built.emulator.control.resetCalls()
  await runUpkeep(built.parts, silent)
  t.equal(built.emulator.control.count('exchange'), 0)
  t.match(await tokenRow(built), { exchange_due_at_ms: null, revoked_at_ms: null })
})
