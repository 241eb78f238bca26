import { randomBytes } from 'node:crypto'
import { test, type Test } from 'tap'
import { FLOW_LIFE_MS } from '../../src/flows/flow.ts'
import { createVault } from '../../src/vault.ts'
import { build, type Built } from '../support/build.ts'
import { approvedURL, openBrowser, parametersOf, reachHandoff, redeem, start, visit } from '../support/journey.ts'

/** A refused callback: a page, no new cookie, no word to the provider, nothing written. */
async function checkRefused (t: Test, built: Built, response: Awaited<ReturnType<typeof visit>>, why: string): Promise<void> {
  t.equal(response.statusCode, 400, why)
  t.equal(response.headers.location, undefined)
  t.equal(response.headers['set-cookie'], undefined)
  t.equal(response.headers['cache-control'], 'no-store')
  t.same(built.emulator.control.calls(), [], 'zero provider calls')
  t.same(await built.parts.database.all('select flow_id from claims'), [])
}

test('T-13: login CSRF: a callback opened in a browser that did not begin the flow is refused', async (t) => {
  const built = await build(t)
  const attacker = await start(built)
  const victim = await start(built)
  const url = approvedURL(built, attacker)
  const response = await visit(built, victim.browser, url)
  await checkRefused(t, built, response, 'the victim has a flow of its own, and it is not this one')
  t.match(response.body, 'https://shop.example', 'the page leads back to the shop')
  await checkRefused(t, built, await visit(built, openBrowser(), url), 'no cookie at all')
  t.equal((await visit(built, attacker.browser, url)).statusCode, 303, 'nothing was spent: the own browser goes on')
})

test('T-14: what the victim approves at the provider never becomes the attacker’s login', async (t) => {
  const built = await build(t)
  const attacker = await start(built)
  const providerURL = new URL(String(attacker.response.headers.location))
  t.equal(providerURL.searchParams.get('state'), attacker.state)
  await checkRefused(t, built, await visit(built, openBrowser(), approvedURL(built, attacker, 'business')), 'the victim’s browser')
})

test('T-15: a state that is absent, empty, altered, repeated, expired or of another purpose is refused', async (t) => {
  const built = await build(t)
  const { browser, state } = await start(built)
  const other = createVault([{ id: 'test', bytes: randomBytes(32) }])
  const flowCookie = Array.from(browser.cookies.values())[0] ?? ''
  const flipped = state.slice(0, -3) + (state.at(-3) === 'A' ? 'B' : 'A') + state.slice(-2)
  for (const [query, why] of [
    ['code=x', 'absent'], ['code=x&state=', 'empty'], [`code=x&state=${flipped}`, 'altered'],
    [`code=x&state=${state}&state=${state}`, 'repeated'], [`code=x&state=${flowCookie}`, 'another purpose'],
    [`code=x&state=${other.seal('state', '', 'x')}`, 'another key'], ['code=x&state=constructor', 'nonsense']
  ]) {
    await checkRefused(t, built, await visit(built, browser, `/oauth/callback/instagram?${query}`), String(why))
  }
  built.clock.advance(FLOW_LIFE_MS + 1)
  const late = await visit(built, browser, `/oauth/callback/instagram?code=x&state=${state}`)
  await checkRefused(t, built, late, 'expired')
  t.match(late.body, /too long/)
})

test('T-15: a sealed cookie that was altered or belongs to another flow is refused', async (t) => {
  const built = await build(t)
  const first = await start(built)
  const second = await start(built)
  const [name, value] = Array.from(first.browser.cookies)[0] ?? ['', '']
  const [, foreign] = Array.from(second.browser.cookies)[0] ?? ['', '']
  const url = approvedURL(built, first)
  for (const cookie of [`${value}A`, value.slice(0, -4), foreign, '', '1.test.AAAA']) {
    const browser = openBrowser()
    browser.cookies.set(name, cookie)
    await checkRefused(t, built, await visit(built, browser, url), cookie.slice(0, 12))
  }
})

test('T-16: mix-up: an answer at the path of another provider, or naming another issuer, is refused', async (t) => {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  const started = await start(built, { parameters: { provider: 'instagram' } })
  const wrongPath = approvedURL(built, started).replace('/instagram?', '/instagram-basic-display?')
  await checkRefused(t, built, await visit(built, started.browser, wrongPath), 'another path')
  const url = approvedURL(built, started)
  await checkRefused(t, built, await visit(built, started.browser, `${url}&iss=https%3A%2F%2Fevil.test`), 'another issuer')
  await checkRefused(t, built, await visit(built, started.browser, `${url}&iss=a&iss=b`), 'two issuers')
})

test('T-17: of several cookies of one name the own one counts, broken ones drop out', async (t) => {
  const built = await build(t, { publicURL: 'http://localhost:8787' })
  const started = await start(built)
  const [name, value] = Array.from(started.browser.cookies)[0] ?? ['', '']
  for (const cookie of [`${name}=tossed; ${name}=${value}`, `${name}=${value}; ${name}=tossed`, `%E0%A4%A=x; a; =b; ${name}=${value}`]) {
    const response = await built.app.inject({ url: approvedURL(built, started), headers: { cookie } })
    t.equal(response.statusCode, 303, cookie.slice(0, 40))
  }
  const secure = await build(t)
  const flow = await start(secure)
  const [hostName, hostValue] = Array.from(flow.browser.cookies)[0] ?? ['', '']
  const unprefixed = await secure.app.inject({
    url: approvedURL(secure, flow), headers: { cookie: `${hostName.replace('__Host-', '')}=${hostValue}` }
  })
  t.equal(unprefixed.statusCode, 400, 'over https only __Host- counts')
})

test('two tabs of one browser both finish', async (t) => {
  const built = await build(t)
  const browser = openBrowser()
  const first = await start(built, { browser })
  const second = await start(built, { browser })
  for (const [tab, persona] of [[second, 'business'], [first, 'creator']] as const) {
    const code = parametersOf(await visit(built, browser, approvedURL(built, tab, persona))).get('code') ?? ''
    t.equal((await redeem(built, tab, code)).status, 200)
  }
})

test('T-20: prefetch, HEAD and POST at the callback spend nothing', async (t) => {
  const built = await build(t)
  const started = await start(built)
  const url = approvedURL(built, started)
  for (const headers of [{ 'sec-purpose': 'prefetch' }, { 'sec-purpose': 'prefetch;prerender' }, { purpose: 'prefetch' }]) {
    const response = await built.app.inject({ url, headers: { ...started.browser.header(), ...headers } })
    t.equal(response.statusCode, 204)
    t.equal(response.headers.location, undefined)
  }
  t.equal((await built.app.inject({ url: '/oauth/authorize', headers: { 'sec-purpose': 'prefetch' } })).statusCode, 204)
  for (const method of ['HEAD', 'POST', 'PUT'] as const) {
    t.equal((await built.app.inject({ method, url, headers: started.browser.header() })).statusCode, 405, method)
  }
  const code = parametersOf(await visit(built, started.browser, url)).get('code') ?? ''
  t.equal((await redeem(built, started, code)).status, 200)
})

test('T-21: made-up codes under a valid cookie store nothing at all', async (t) => {
  const built = await build(t)
  const started = await start(built)
  for (let i = 0; i < 500; i++) {
    const response = await visit(built, started.browser, `/oauth/callback/instagram?code=made-up-${i}&state=${started.state}`)
    if (response.statusCode !== 303) t.fail(`${response.statusCode}`)
  }
  t.same(await built.parts.database.all('select * from claims'), [])
  const { code } = await reachHandoff(built)
  t.ok(code.length > 0, 'others are served')
})

test('a callback without code or error, or with an absurd code, has nothing to do', async (t) => {
  const built = await build(t)
  const { browser, state } = await start(built)
  for (const query of ['', '&code=', '&code=a&code=b', `&code=${'x'.repeat(5000)}`, '&code=a%0Ab']) {
    await checkRefused(t, built, await visit(built, browser, `/oauth/callback/instagram?state=${state}${query}`), query.slice(0, 20))
  }
})

test('T-23: the way back is the registered address of the shop that our own state names', async (t) => {
  const built = await build(t)
  const { state } = await start(built)
  const genuine = await visit(built, openBrowser(), `/oauth/callback/instagram?code=x&state=${state}&shop=https://evil.test&return=https://evil.test`)
  t.same(Array.from(genuine.body.matchAll(/href="([^"]+)"/g), (match) => match[1]), ['https://shop.example'])
  const forged = await visit(built, openBrowser(), '/oauth/callback/instagram?code=x&state=forged')
  t.notMatch(forged.body, /href=/)
})

test('T-24: the redirect is not cached, sends no referrer and ends in a fragment of its own', async (t) => {
  const built = await build(t)
  const started = await start(built)
  const response = await visit(built, started.browser, approvedURL(built, started))
  t.equal(response.statusCode, 303)
  t.match(response.headers, { 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
  t.match(response.headers.location, /#$/)
  t.equal(response.headers['set-cookie'], undefined, 'the callback leaves the cookie to expire')
})

test('in an app’s browser the page says how to go on in a real one', async (t) => {
  const built = await build(t)
  const { state } = await start(built)
  const response = await built.app.inject({
    url: `/oauth/callback/instagram?code=x&state=${state}`,
    headers: { 'user-agent': 'Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 Mobile/15E148 Instagram 390.0.0.28.85' }
  })
  t.match(response.body, /Open in browser/)
})

test('a shop whose redirect URI or app changed meanwhile gets no answer to an old flow', async (t) => {
  const built = await build(t)
  const started = await start(built)
  await built.parts.database.run('update redirect_uris set redirect_uri = $1', ['https://shop.example/new'])
  await checkRefused(t, built, await visit(built, started.browser, approvedURL(built, started)), 'no longer registered')
  await built.parts.database.run('delete from shops where id = $1', [built.shop.id])
  const removed = await visit(built, started.browser, approvedURL(built, started))
  await checkRefused(t, built, removed, 'removed')
  t.notMatch(removed.body, /href=/)
})
