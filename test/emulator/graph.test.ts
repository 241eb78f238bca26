import t, { type Test } from 'tap'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { get, graphURL, hourMs, readJSON, redeem, start } from './support/emulator.ts'

function exchange (emulator: Emulator, token: string, changes: Record<string, string> = {}): Promise<Response> {
  const { clientSecret } = emulator.apps.instagram
  return get(graphURL(emulator, 'access_token', { grant_type: 'ig_exchange_token', client_secret: clientSecret, access_token: token, ...changes }))
}

function refresh (emulator: Emulator, token: string): Promise<Response> {
  return get(graphURL(emulator, 'refresh_access_token', { grant_type: 'ig_refresh_token', access_token: token }))
}

async function tokenOf (response: Response): Promise<string> {
  return /"access_token":"([^"]+)"/.exec(await response.text())?.[1] ?? ''
}

async function refused (t: Test, response: Response, error: { code: number, error_subcode?: number }): Promise<void> {
  t.equal(response.status, 400)
  t.match(await readJSON(response), { error: { message: String, type: String, fbtrace_id: /^A[\w-]+$/, ...error } })
}

t.test('a short token is exchanged for a long one, whose life is not a round number', async (t) => {
  const emulator = await start(t)
  const response = await exchange(emulator, emulator.control.mintToken('creator', { kind: 'short' }))
  t.equal(response.status, 200)
  t.match(await response.text(), /^\{"access_token":"IGAA[\w-]+","token_type":"bearer","expires_in":5183944\}$/)
})

t.test('the exchange refuses wrong secrets, wrong tokens and wrong grants', async (t) => {
  const emulator = await start(t)
  const { control, apps } = emulator
  const short = control.mintToken('creator', { kind: 'short' })
  const expired = control.mintToken('creator', { kind: 'short', ageMs: hourMs })
  const foreign = control.mintToken('creator', { kind: 'short', flavour: 'basicDisplay' })
  await refused(t, await exchange(emulator, short, { client_secret: 'wrong' }), { code: 100 })
  await refused(t, await exchange(emulator, short, { client_secret: apps.instagram.metaAppSecret }), { code: 100 })
  await refused(t, await exchange(emulator, short, { client_secret: '' }), { code: 100 })
  await refused(t, await exchange(emulator, ''), { code: 100 })
  await refused(t, await exchange(emulator, 'unknown'), { code: 190 })
  await refused(t, await exchange(emulator, foreign), { code: 190 })
  await refused(t, await exchange(emulator, expired), { code: 190, error_subcode: 463 })
  await refused(t, await exchange(emulator, short, { grant_type: 'ig_refresh_token' }), { code: 100 })
  await refused(t, await exchange(emulator, control.mintToken('creator', { kind: 'long' })), { code: 100 })
})

t.test('a long token is refreshed from 24 hours on, until it expires', async (t) => {
  const emulator = await start(t, { now: () => 1_700_000_000_000 })
  const token = emulator.control.mintToken('creator', { kind: 'long' })
  emulator.control.advance(24 * hourMs - 1)
  await refused(t, await refresh(emulator, token), { code: 100 })
  emulator.control.advance(1)
  const response = await refresh(emulator, token)
  t.match(await readJSON(response), { access_token: token, token_type: 'bearer', expires_in: 5183944 })
  await refused(t, await refresh(emulator, token), { code: 100 })
  emulator.control.advance(5_183_944_000 - 1)
  t.equal((await get(graphURL(emulator, 'me', { access_token: token }))).status, 200, 'extended from the refresh')
  emulator.control.advance(1)
  await refused(t, await refresh(emulator, token), { code: 190, error_subcode: 463 })
})

t.test('a refresh can return a new token; the old one works until it expires', async (t) => {
  const emulator = await start(t, { now: () => 1_700_000_000_000 })
  emulator.control.set({ refreshReturns: 'new' })
  const old = emulator.control.mintToken('creator', { kind: 'long', ageMs: 25 * hourMs })
  const renewed = await tokenOf(await refresh(emulator, old))
  t.match(renewed, /^IGAA/)
  t.not(renewed, old)
  for (const token of [old, renewed]) t.equal((await get(graphURL(emulator, 'me', { access_token: token }))).status, 200)
})

t.test('a short token cannot be refreshed, nor a token by the wrong grant', async (t) => {
  const emulator = await start(t)
  await refused(t, await refresh(emulator, emulator.control.mintToken('creator', { kind: 'short' })), { code: 100 })
  const url = graphURL(emulator, 'refresh_access_token', { grant_type: 'ig_exchange_token', access_token: 'x' })
  await refused(t, await get(url), { code: 100 })
  await refused(t, await refresh(emulator, 'unknown'), { code: 190 })
})

t.test('Graph answers GET only', async (t) => {
  const emulator = await start(t)
  const token = emulator.control.mintToken('creator', { kind: 'long', ageMs: 25 * hourMs })
  for (const path of ['access_token', 'refresh_access_token', 'me']) {
    const response = await fetch(graphURL(emulator, path, { grant_type: 'ig_refresh_token', access_token: token }), { method: 'POST' })
    t.equal(response.status, 400)
    t.match(await readJSON(response), { error: { code: 100, message: 'Unsupported request - method type: post' } })
  }
})

for (const subcode of [458, 459, 460, 463, 464, 467] as const) {
  t.test(`a revoked token answers 190 with subcode ${subcode}, at every call`, async (t) => {
    const emulator = await start(t)
    const token = emulator.control.mintToken('creator', { kind: 'long', ageMs: 25 * hourMs })
    const other = emulator.control.mintToken('business', { kind: 'long' })
    emulator.control.revoke('creator', subcode)
    await refused(t, await get(graphURL(emulator, 'me', { access_token: token })), { code: 190, error_subcode: subcode })
    await refused(t, await refresh(emulator, token), { code: 190, error_subcode: subcode })
    t.equal((await get(graphURL(emulator, 'me', { access_token: other }))).status, 200)
  })
}

t.test('a revocation without a subcode has none, and a new login works again', async (t) => {
  const emulator = await start(t)
  const token = emulator.control.mintToken('creator', { kind: 'long' })
  emulator.control.revoke('creator')
  const text = await (await get(graphURL(emulator, 'me', { access_token: token }))).text()
  t.match(text, '"code":190')
  t.notMatch(text, 'error_subcode')
  const renewed = await tokenOf(await redeem(emulator, emulator.control.mintCode('creator', { redirectURI: 'http://127.0.0.1:9/callback' })))
  t.equal((await get(graphURL(emulator, 'me', { access_token: renewed }))).status, 200)
})

t.test('tokens and secrets come in the query, and a version in the path is accepted', async (t) => {
  const emulator = await start(t)
  const short = emulator.control.mintToken('creator', { kind: 'short' })
  t.equal((await get(graphURL(emulator, 'v21.0/me', { access_token: short }))).status, 200)
  t.equal((await get(graphURL(emulator, 'v26.0/me', { access_token: short }))).status, 200)
  t.equal((await get(graphURL(emulator, 'latest/me', { access_token: short }))).status, 400)
  const header = await get(`${emulator.url}/graph/me`, { authorization: `Bearer ${short}` })
  await refused(t, header, { code: 190 })
})
