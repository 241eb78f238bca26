import fc from 'fast-check'
import t, { type Test } from 'tap'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { authorizeURL, decide, get, post, redirectURI, requestId, start } from './support/emulator.ts'

async function refusal (t: Test, response: Response, text: RegExp): Promise<void> {
  t.ok([200, 400, 404].includes(response.status), `status ${response.status}`)
  t.equal(response.headers.get('location'), null)
  t.match(response.headers.get('content-type'), /^text\/html/)
  t.match(await response.text(), text)
}

t.test('an allowed request returns with a code, the state and a raw #_', async (t) => {
  const emulator = await start(t)
  const response = await decide(emulator, 'creator', 'allow', { state: 'abc' })
  t.equal(response.status, 302)
  t.match(response.headers.get('location'), /^http:\/\/127\.0\.0\.1:9\/callback\?code=AQ[\w-]{20,}&state=abc#_$/)
})

t.test('a request without a state returns without one', async (t) => {
  const emulator = await start(t)
  const response = await decide(emulator, 'creator', 'allow')
  t.match(response.headers.get('location'), /\?code=AQ[\w-]+#_$/)
})

t.test('a cancelled request returns the four parameters, with pluses', async (t) => {
  const emulator = await start(t)
  const response = await decide(emulator, 'creator', 'cancel', { state: 'abc' })
  const location = response.headers.get('location') ?? ''
  t.equal(location, `${redirectURI}?error=access_denied&error_reason=user_denied&error_description=The+user+denied+your+request&state=abc`)
  t.equal(new URL(location).searchParams.get('error_description'), 'The user denied your request')
})

t.test('a redirect URI matches only itself: anything else is a page', async (t) => {
  const emulator = await start(t)
  const others = [`${redirectURI}/`, redirectURI.toUpperCase(), redirectURI.replace('callback', 'Callback'), `${redirectURI}?x=1`, `${redirectURI}#x`, redirectURI.replace('/callback', '//callback'), '']
  for (const other of others) {
    await refusal(t, await get(authorizeURL(emulator, { redirect_uri: other })), /Invalid redirect_uri/)
  }
})

const mistakes: [changes: Record<string, string>, text: RegExp][] = [
  [{ client_id: '1' }, /Invalid platform app/],
  [{ client_id: '' }, /Invalid platform app/],
  [{ response_type: 'token' }, /Invalid response_type/],
  [{ scope: '' }, /Invalid scope/],
  [{ scope: 'user_profile,user_media' }, /Invalid scope: user_profile/],
  [{ scope: 'basic' }, /Invalid scope: basic/],
  [{ scope: 'business_basic' }, /Invalid scope: business_basic/],
  [{ scope: 'instagram_business_basic,instagram_business_content_publishing' }, /Business and user permissions are mutually exclusive/],
]

for (const [changes, text] of mistakes) {
  t.test(`${JSON.stringify(changes)} is a page, never a redirect, even when answers are instant`, async (t) => {
    const emulator = await start(t)
    await refusal(t, await get(authorizeURL(emulator, changes)), text)
    emulator.control.set({ instant: 'creator' })
    await refusal(t, await get(authorizeURL(emulator, changes)), text)
  })
}

t.test('the Meta app id is not an Instagram app id', async (t) => {
  const emulator = await start(t)
  await refusal(t, await get(authorizeURL(emulator, { client_id: emulator.apps.instagram.metaAppId })), /Invalid platform app/)
})

t.test('scopes may be separated by spaces', async (t) => {
  const emulator = await start(t)
  const scope = 'instagram_business_basic instagram_business_manage_comments'
  t.equal((await get(authorizeURL(emulator, { scope }))).status, 200)
})

t.test('the retired host answers an HTML page to the Instagram app', async (t) => {
  const emulator = await start(t)
  const url = authorizeURL(emulator).replace('/www/', '/api/')
  await refusal(t, await get(url), /Sorry, this page isn&#39;t available\./)
})

t.test('Basic Display is still served on the retired host, with its own scopes', async (t) => {
  const emulator = await start(t)
  t.equal((await get(authorizeURL(emulator, {}, 'basicDisplay'))).status, 200)
  await refusal(t, await get(authorizeURL(emulator, { scope: 'instagram_business_basic' }, 'basicDisplay')), /Invalid scope: instagram_business_basic/)
  await refusal(t, await get(authorizeURL(emulator, { scope: 'user_media' }, 'basicDisplay')), /user_profile is required/)
})

t.test('a personal account ends on a page of the provider, except in Basic Display', async (t) => {
  const emulator = await start(t)
  await refusal(t, await decide(emulator, 'personal', 'allow', { state: 'abc' }), /professional account/)
  const basicDisplay = await decide(emulator, 'personal', 'allow', {}, 'basicDisplay')
  t.match(basicDisplay.headers.get('location'), /\?code=/)
})

t.test('the state is echoed verbatim', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ instant: 'creator' })
  await fc.assert(fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 512 }), async (state) => {
    const location = await locationOf(emulator, encodeURIComponent(state))
    return new URL(location).searchParams.get('state') === state
  }), { numRuns: 60, verbose: 1 })
})

const rawStates = ['x'.repeat(512), 'a+b', 'a%20b', '%26error%3Daccess_denied', 'a=b==', '%C3%A9%F0%9F%8C%B8', '%FF', '!()*~', '%0D%0ASet-Cookie:x=1', '']

for (const state of rawStates) {
  t.test(`the state ${state.slice(0, 30)} is echoed byte for byte, through the page too`, async (t) => {
    const emulator = await start(t)
    const page = await get(`${authorizeURL(emulator)}&state=${state}`)
    const form = { request: requestId(await page.text()), persona: 'creator' }
    const decision = `${emulator.url}/www/oauth/authorize/decision`
    t.match((await post(decision, { ...form, decision: 'allow' })).headers.get('location'), new RegExp(`&state=${escapeExpression(state)}#_$`))
    t.ok((await post(decision, { ...form, decision: 'cancel' })).headers.get('location')?.endsWith(`&state=${state}`))
  })
}

t.test('known options are accepted and unknown ones ignored', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ instant: 'creator' })
  const options = { force_reauth: 'true', enable_fb_login: 'false', force_authentication: '1', code_challenge: 'x', code_challenge_method: 'S256', nonsense: '1' }
  const response = await get(authorizeURL(emulator, options))
  t.equal(response.status, 302)
  t.match(response.headers.get('location'), /^http:\/\/127\.0\.0\.1:9\/callback\?code=[\w-]+#_$/)
})

t.test('who allowed the app before is remembered in that browser only, unless asked again', async (t) => {
  const emulator = await start(t)
  emulator.control.set({ remember: true })
  const allowed = await decide(emulator, 'hugeid', 'allow')
  const cookie = allowed.headers.get('set-cookie')?.split(';')[0] ?? ''
  t.match(allowed.headers.get('set-cookie'), /^emulator_browser=[\w-]+; Path=\/; HttpOnly; SameSite=Lax$/)
  t.equal((await get(authorizeURL(emulator), { cookie: `a=b; ${cookie}` })).status, 302)
  t.equal((await get(authorizeURL(emulator))).status, 200, 'another browser')
  t.equal((await get(authorizeURL(emulator, {}, 'basicDisplay'), { cookie })).status, 200, 'another app')
  t.equal((await get(authorizeURL(emulator, { force_reauth: 'true' }), { cookie })).status, 200)
  t.equal((await get(authorizeURL(emulator, { force_authentication: '1' }), { cookie })).status, 200)
  emulator.control.revoke('hugeid', 458)
  t.equal((await get(authorizeURL(emulator), { cookie })).status, 200, 'after the app was removed')
})

t.test('nothing is remembered unless switched on', async (t) => {
  const emulator = await start(t)
  t.equal((await decide(emulator, 'creator', 'allow')).headers.get('set-cookie'), null)
})

t.test('a decision needs a known request, an account and a choice', async (t) => {
  const emulator = await start(t)
  const decision = `${emulator.url}/www/oauth/authorize/decision`
  const request = requestId(await (await get(authorizeURL(emulator))).text())
  await refusal(t, await post(decision, { request: 'x', persona: 'creator', decision: 'allow' }), /expired/)
  await refusal(t, await post(decision, { request, persona: 'nobody', decision: 'allow' }), /Choose an account/)
  await refusal(t, await post(decision, { request, persona: 'creator' }), /Choose an account/)
})

async function locationOf (emulator: Emulator, encodedState: string): Promise<string> {
  const response = await get(`${authorizeURL(emulator)}&state=${encodedState}`)
  return response.headers.get('location') ?? ''
}

function escapeExpression (text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
