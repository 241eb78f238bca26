import t from 'tap'
import { authorizeURL, decide, get, graphURL, hourMs, mintCode, redeem, start } from './support/emulator.ts'

t.test('calls are listed in order, with their times and statuses, and counted', async (t) => {
  const emulator = await start(t, { now: () => 1_000_000 })
  await decide(emulator, 'creator', 'allow')
  emulator.control.advance(500)
  await redeem(emulator, 'unknown')
  await get(graphURL(emulator, 'me', {}))
  t.strictSame(emulator.control.calls(), [
    { endpoint: 'authorize', at: 1_000_000, status: 200 },
    { endpoint: 'decision', at: 1_000_000, status: 302 },
    { endpoint: 'token', at: 1_000_500, status: 400 },
    { endpoint: 'me', at: 1_000_500, status: 400 },
  ])
  t.equal(emulator.control.count('token'), 1)
  t.equal(emulator.control.count('refresh'), 0)
  emulator.control.resetCalls()
  t.strictSame(emulator.control.calls(), [])
  t.equal(emulator.control.count('token'), 0)
})

t.test('answers can be instant, as one persona', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ instant: 'hugeid' })
  const location = (await get(authorizeURL(emulator))).headers.get('location') ?? ''
  t.match(await (await redeem(emulator, new URL(location).searchParams.get('code') ?? '')).text(), '"user_id":17841457205391437')
  emulator.control.set({ instant: 'personal' })
  t.equal((await get(authorizeURL(emulator))).headers.get('location'), null)
  emulator.control.set({ instant: null })
  t.equal((await get(authorizeURL(emulator))).status, 200)
})

t.test('a persona is added with ids of its own, or changed in part', async (t) => {
  const { control } = await start(t)
  control.savePersona({ id: 'added', name: 'Zoe' })
  t.match(control.persona('added'), { id: 'added', appScopedId: /^2\d{16}$/, userId: /^1784\d{13}$/, username: 'added', name: 'Zoe', accountType: 'MEDIA_CREATOR' })
  const { appScopedId } = control.persona('added')
  control.savePersona({ id: 'added', username: 'zoe.moved' })
  t.match(control.persona('added'), { appScopedId, username: 'zoe.moved', name: 'Zoe' })
  control.persona('added').username = 'outside'
  t.equal(control.persona('added').username, 'zoe.moved')
})

t.test('what does not exist is refused by name', async (t) => {
  const { control } = await start(t)
  t.throws(() => control.persona('nobody'), { message: 'There is no persona nobody' })
  t.throws(() => control.mintCode('nobody', { redirectURI: 'x' }), TypeError)
  t.throws(() => control.mintToken('nobody', { kind: 'long' }), TypeError)
  t.throws(() => control.revoke('nobody'), TypeError)
  t.throws(() => control.signedRequest('nobody'), TypeError)
  t.throws(() => control.set({ instant: 'nobody' }), TypeError)
  t.throws(() => control.savePersona({ id: 'creator', userId: '1e3' }), TypeError)
  t.throws(() => control.savePersona({ id: 'a b' }), TypeError)
})

t.test('a reset puts everything back but the apps', async (t) => {
  const emulator = await start(t, { now: () => 0 })
  const { control, apps } = emulator
  const { clientId } = apps.instagram
  const code = mintCode(emulator)
  control.set({ instant: 'creator', usageFrom: 1, replyShape: 'wrapped' })
  control.fault('me', 'html500')
  control.advance(hourMs)
  control.savePersona({ id: 'creator', username: 'changed' })
  control.savePersona({ id: 'added' })
  await get(authorizeURL(emulator))
  control.reset()
  t.equal(apps.instagram.clientId, clientId)
  t.strictSame(control.calls(), [])
  t.equal(control.persona('creator').username, 'ana.makes')
  t.throws(() => control.persona('added'))
  t.equal((await redeem(emulator, code)).status, 400)
  t.equal((await get(authorizeURL(emulator))).status, 200)
  const me = await get(graphURL(emulator, 'me', { access_token: control.mintToken('creator', { kind: 'short' }) }))
  t.equal(me.status, 200)
  t.equal(me.headers.get('x-app-usage'), null)
  t.equal(control.calls()[0]?.at, 0)
})
