import { once } from 'node:events'
import { test } from 'tap'
import { buildMachine, findOver, reachHandoffOver, redeemOver } from '../support/process.ts'

async function customerOf (response: Response): Promise<string> {
  const body: unknown = await response.json()
  return String(Object(Object(body).customer).id)
}

test('after kill -9 under load every login whose reply was sent is there', { timeout: 60_000 }, async (t) => {
  const machine = await buildMachine(t)
  const service = await machine.serve()
  for (let i = 0; i < 40; i++) machine.emulator.control.savePersona({ id: `p${i}`, username: `p${i}`, appScopedId: String(9_000_000 + i), userId: String(17_841_000_000 + i) })
  const answered: string[] = []
  let isKilled = false
  const shopper = async (i: number) => {
    while (!isKilled) {
      try {
        const response = await redeemOver(machine, await reachHandoffOver(machine, `p${i}`, [service, service]), service)
        if (response.status === 200) answered.push(await customerOf(response))
        if (answered.length >= 60 && !isKilled) {
          isKilled = true
          service.child.kill('SIGKILL')
        }
      } catch (error) {
        if (!isKilled) throw error
      }
    }
  }
  await Promise.all(Array.from({ length: 40 }, (_, i) => shopper(i)))
  t.ok(answered.length >= 60)
  const restarted = await machine.serve()
  for (const id of new Set(answered)) t.equal(await findOver(machine, id, restarted), 200, id)
  const again = await redeemOver(machine, await reachHandoffOver(machine, 'p1', [restarted, restarted]), restarted)
  t.equal(again.status, 200, 'logins go on')
})

test('flows and unspent handoff codes survive kill -9', { timeout: 60_000 }, async (t) => {
  const machine = await buildMachine(t)
  const before = await machine.serve()
  const handoff = await reachHandoffOver(machine, 'creator', [before, before])
  before.child.kill('SIGKILL')
  await once(before.child, 'close')
  const after = await machine.serve()
  t.equal((await redeemOver(machine, handoff, after)).status, 200)
})

test('a code whose redemption was killed in the middle is dead, and a new try works', { timeout: 60_000 }, async (t) => {
  const machine = await buildMachine(t)
  const before = await machine.serve()
  const handoff = await reachHandoffOver(machine, 'creator', [before, before])
  machine.emulator.control.fault('me', 'hang', 1)
  const cut = redeemOver(machine, handoff, before).catch((error: unknown) => error)
  while (machine.emulator.control.count('token') === 0) await new Promise((resolve) => setImmediate(resolve))
  before.child.kill('SIGKILL')
  machine.emulator.control.fault('me', null)
  t.ok(await cut instanceof Error)
  const after = await machine.serve()
  const late = await redeemOver(machine, handoff, after)
  t.match([late.status, await late.json()], [400, { error: 'invalid_grant' }])
  t.equal(machine.emulator.control.count('token'), 1, 'the provider’s code was sent once')
  t.equal((await redeemOver(machine, await reachHandoffOver(machine, 'creator', [after, after]), after)).status, 200)
})

test('two replicas as processes share flows and codes, and one code is exchanged once', { timeout: 60_000 }, async (t) => {
  const machine = await buildMachine(t)
  const [a, b] = [await machine.serve(), await machine.serve({ isReplica: true })]
  const handoff = await reachHandoffOver(machine, 'creator', [a, b])
  const replies = await Promise.all(Array.from({ length: 12 }, (_, i) => redeemOver(machine, handoff, i % 2 === 0 ? a : b)))
  t.equal(replies.filter(({ status }) => status === 200).length, 1)
  t.equal(machine.emulator.control.count('token'), 1)
})

test('SIGTERM lets a redemption finish, takes nothing new, and exits 0', { timeout: 60_000 }, async (t) => {
  const machine = await buildMachine(t)
  const service = await machine.serve()
  const handoff = await reachHandoffOver(machine, 'creator', [service, service])
  machine.emulator.control.fault('me', { name: 'slow', ms: 800 }, 1)
  const redemption = redeemOver(machine, handoff, service)
  while (machine.emulator.control.count('token') === 0) await new Promise((resolve) => setImmediate(resolve))
  service.child.kill('SIGTERM')
  const closed = once(service.child, 'close')
  t.equal((await redemption).status, 200)
  t.equal((await closed)[0], 0)
  await t.rejects(fetch(`${service.origin}/health/live`))
})
