import t, { type Test } from 'tap'
import { decide, get, graphURL, hourMs, mintCode, post, readJSON, redeem, redirectURI, start, tokenFields } from './support/emulator.ts'

const verification = 'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request'

async function refused (t: Test, response: Response, message: string): Promise<void> {
  t.equal(response.status, 400)
  t.strictSame(await readJSON(response), { error_type: 'OAuthException', code: 400, error_message: message })
}

t.test('the flat reply has a bare number above 2^53 and no token_type or expires_in', async (t) => {
  const emulator = await start(t)
  const text = await (await redeem(emulator, mintCode(emulator, 'hugeid'))).text()
  t.match(text, /^\{"access_token":"IGAA[\w-]+","user_id":17841457205391437,"permissions":\["instagram_business_basic"\]\}$/)
  t.notMatch(text, /token_type|expires_in|refresh_token|"scope"|id_token/)
})

t.test('a client that reads ids as JavaScript numbers takes two accounts for one', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ tokenUserId: 'id' })
  const read = async (persona: string): Promise<string> => await (await redeem(emulator, mintCode(emulator, persona))).text()
  const [hugeid, neighbour] = [await read('hugeid'), await read('neighbour')]
  t.match(hugeid, '"user_id":27640875392278831,')
  t.match(neighbour, '"user_id":27640875392278830,')
  t.match(JSON.parse(hugeid), { user_id: Number('27640875392278830') })
  t.match(JSON.parse(neighbour), { user_id: Number('27640875392278830') })
})

t.test('the wrapped reply has strings and a comma list, and names the same account', async (t) => {
  const emulator = await start(t, { apps: { instagram: { replyShape: 'wrapped' } } })
  emulator.control.savePersona({ id: 'hugeid', permissions: ['instagram_business_basic', 'instagram_business_manage_comments'] })
  const text = await (await redeem(emulator, mintCode(emulator, 'hugeid'))).text()
  t.match(text, /^\{"data":\[\{"access_token":"IGAA[\w-]+","user_id":"17841457205391437","permissions":"instagram_business_basic,instagram_business_manage_comments"\}\]\}$/)
  emulator.control.set({ replyShape: 'flat' })
  t.match(await (await redeem(emulator, mintCode(emulator, 'hugeid'))).text(), '"user_id":17841457205391437,')
})

t.test('Basic Display replies flat, without permissions', async (t) => {
  const emulator = await start(t)
  const response = await redeem(emulator, mintCode(emulator, 'personal', 'basicDisplay'), {}, 'basicDisplay')
  t.match(await response.text(), /^\{"access_token":"IGQV[\w-]+","user_id":17841400991827364\}$/)
})

t.test('a code from the consent page is redeemed for the scopes that were asked', async (t) => {
  const emulator = await start(t)
  const scope = 'instagram_business_basic,instagram_business_manage_messages'
  const location = (await decide(emulator, 'business', 'allow', { scope })).headers.get('location') ?? ''
  const response = await redeem(emulator, new URL(location).searchParams.get('code') ?? '')
  t.match(await readJSON(response), { permissions: scope.split(',') })
})

t.test('fewer permissions can be granted than asked, and then the profile is refused', async (t) => {
  const emulator = await start(t)
  emulator.control.savePersona({ id: 'creator', permissions: [] })
  const text = await (await redeem(emulator, mintCode(emulator))).text()
  t.match(text, ',"permissions":[]}')
  const token = /"access_token":"([^"]+)"/.exec(text)?.[1] ?? ''
  t.match(await readJSON(await get(graphURL(emulator, 'me', { access_token: token }))), { error: { code: 10 } })
})

t.test('a code works once', async (t) => {
  const emulator = await start(t)
  const code = mintCode(emulator)
  t.equal((await redeem(emulator, code)).status, 200)
  await refused(t, await redeem(emulator, code), 'Matching code was not found or was already used')
  await refused(t, await redeem(emulator, 'unknown'), 'Matching code was not found or was already used')
})

t.test('of two requests with one code at the same time, one succeeds', async (t) => {
  const emulator = await start(t)
  const code = mintCode(emulator)
  const responses = await Promise.all([redeem(emulator, code), redeem(emulator, code)])
  t.strictSame(responses.map(({ status }) => status).sort(), [200, 400])
})

t.test('a code dies after one hour', async (t) => {
  const emulator = await start(t)
  const [early, late] = [mintCode(emulator), mintCode(emulator)]
  emulator.control.advance(hourMs - 60_000)
  t.equal((await redeem(emulator, early)).status, 200)
  emulator.control.advance(2 * 60_000)
  await refused(t, await redeem(emulator, late), 'Invalid authorization code')
})

t.test('the redirect URI must be the one of the authorization, byte for byte', async (t) => {
  const emulator = await start(t)
  for (const other of [`${redirectURI}/`, redirectURI.toUpperCase(), `${redirectURI}?x=1`]) {
    await refused(t, await redeem(emulator, mintCode(emulator), { redirect_uri: other }), verification)
  }
})

t.test('a wrong secret gets the misleading message about redirect_uri', async (t) => {
  const emulator = await start(t)
  for (const secret of ['wrong', emulator.apps.instagram.metaAppSecret, emulator.apps.basicDisplay.clientSecret]) {
    await refused(t, await redeem(emulator, mintCode(emulator), { client_secret: secret }), verification)
  }
})

t.test('the Meta app id is an invalid platform app', async (t) => {
  const emulator = await start(t)
  await refused(t, await redeem(emulator, mintCode(emulator), { client_id: emulator.apps.instagram.metaAppId }), 'Invalid platform app')
})

t.test("another app's code is not found", async (t) => {
  const emulator = await start(t)
  const code = mintCode(emulator, 'creator', 'basicDisplay')
  await refused(t, await redeem(emulator, code), 'Matching code was not found or was already used')
})

t.test('a multipart form is read like an urlencoded one', async (t) => {
  const emulator = await start(t)
  const form = new FormData()
  for (const [name, value] of Object.entries(tokenFields(emulator, mintCode(emulator)))) form.append(name, value)
  form.append('file', new Blob(['code']), 'code')
  form.append('naïve', 'é')
  const response = await fetch(`${emulator.url}/api/oauth/access_token`, { method: 'POST', body: form })
  t.equal(response.status, 200)
  t.match(await response.text(), '"user_id":17841405793187218')
})

t.test('JSON, GET and missing fields are refused', async (t) => {
  const emulator = await start(t)
  const url = `${emulator.url}/api/oauth/access_token`
  const fields = tokenFields(emulator, mintCode(emulator))
  const json = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(fields) })
  await refused(t, json, 'Missing required field client_id')
  const got = await get(`${url}?${new URLSearchParams(fields).toString()}`)
  t.equal(got.status, 405)
  t.match(await readJSON(got), { error_type: 'OAuthException', code: 405, error_message: String })
  const basic = Buffer.from(`${fields.client_id}:${fields.client_secret}`).toString('base64')
  const header = await post(url, { ...fields, client_id: '', client_secret: '' }, { authorization: `Basic ${basic}` })
  await refused(t, header, 'Missing required field client_id')
  await refused(t, await redeem(emulator, fields.code ?? '', { grant_type: 'refresh_token' }), 'Invalid grant_type')
  t.equal((await redeem(emulator, fields.code ?? '')).status, 200, 'none of these spent the code')
})

t.test('old replies wrapped their error in meta', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ tokenErrors: 'meta' })
  t.match(await readJSON(await redeem(emulator, 'unknown')), { meta: { error_type: 'OAuthException', code: 400 } })
})
