import { randomBytes } from 'node:crypto'
import { test } from 'tap'
import { build, REDIRECT_URI } from '../support/build.ts'
import { approvedURL, keepCookies, openBrowser, parametersOf, redeem, start, visit } from '../support/journey.ts'
import { REGISTERED, TRAPS } from '../support/redirect-uris.ts'

function errorOf (response: Parameters<typeof parametersOf>[0]): string | null {
  return parametersOf(response).get('error')
}

test('T-01: a redirect URI that is not registered to the letter gets a page, never a redirect or a cookie', async (t) => {
  const built = await build(t)
  const shop = await built.addShop({ redirectURIs: REGISTERED })
  for (const uri of Object.values(TRAPS).flat()) {
    const { response } = await start(built, { shop, parameters: { redirect_uri: uri } })
    t.equal(response.statusCode, 400, JSON.stringify(uri))
    t.equal(response.headers.location, undefined)
    t.equal(response.headers['set-cookie'], undefined)
    if (uri.length > 10) t.notOk(response.body.includes(uri), 'nothing is echoed')
  }
  for (const uri of REGISTERED) {
    const { response } = await start(built, { shop, parameters: { redirect_uri: uri } })
    t.equal(response.statusCode, 303, uri)
  }
})

test('T-03: until client and redirect URI are proven an error is a page, then it goes to the shop', async (t) => {
  const built = await build(t)
  for (const parameters of [
    { client_id: undefined }, { client_id: 'shop_unknown' }, { redirect_uri: undefined },
    { redirect_uri: 'https://evil.test/', response_type: 'token' }
  ]) {
    const { response } = await start(built, { parameters })
    t.equal(response.statusCode, 400)
    t.equal(response.headers.location, undefined)
    t.match(response.headers['content-type'], 'text/html')
  }
  const { response } = await start(built, { parameters: { response_type: undefined } })
  t.equal(response.statusCode, 303)
  t.ok(String(response.headers.location).startsWith(`${REDIRECT_URI}?`))
  t.match(Object.fromEntries(parametersOf(response)), { error: 'invalid_request', state: 'shop-state', iss: 'https://login.example' })
})

test('T-04: a repeated parameter is refused, as a page while the redirect URI is unproven', async (t) => {
  const built = await build(t)
  const { response: proper } = await start(built)
  const query = new URLSearchParams({
    response_type: 'code', client_id: built.shop.id, redirect_uri: REDIRECT_URI, state: 's', code_challenge: 'a'.repeat(43), code_challenge_method: 'S256'
  })
  t.equal(proper.statusCode, 303)
  for (const name of ['client_id', 'redirect_uri']) {
    const response = await built.app.inject(`/oauth/authorize?${query}&${name}=https%3A%2F%2Fevil.test`)
    t.equal(response.statusCode, 400, name)
  }
  for (const name of ['state', 'scope=openid&scope', 'code_challenge', 'response_type', 'nonce=1&nonce']) {
    const response = await built.app.inject(`/oauth/authorize?${query}&${name}=x`)
    t.equal(errorOf(response), 'invalid_request', name)
  }
  const unknown = await built.app.inject(`/oauth/authorize?${query}&utm=1&utm=2&redirect_uri[]=x`)
  t.match(unknown.headers.location, '/www/oauth/authorize', 'unknown parameters are ignored, repeated or not')
})

test('T-05: PKCE left out, plain, of wrong length or alphabet is refused', async (t) => {
  const built = await build(t)
  for (const parameters of [
    { code_challenge: undefined }, { code_challenge: undefined, code_challenge_method: undefined },
    { code_challenge_method: 'plain' }, { code_challenge_method: undefined }, { code_challenge_method: 's256' },
    { code_challenge: 'a'.repeat(42) }, { code_challenge: 'a'.repeat(44) }, { code_challenge: `${'a'.repeat(42)}=` }, { code_challenge: `${'a'.repeat(42)}+` }
  ]) {
    const { response } = await start(built, { parameters })
    t.equal(errorOf(response), 'invalid_request', JSON.stringify(parameters))
  }
})

test('T-07, T-10: other response types and modes, request objects and prompt=none are refused at the shop', async (t) => {
  const built = await build(t)
  const cases: Array<[Record<string, string>, string]> = [
    [{ response_type: 'token' }, 'unsupported_response_type'], [{ response_type: 'code id_token' }, 'unsupported_response_type'],
    [{ response_mode: 'fragment' }, 'invalid_request'], [{ response_mode: 'form_post' }, 'invalid_request'],
    [{ request: 'eyJhbGciOiJub25lIn0.e30.' }, 'request_not_supported'], [{ request_uri: 'http://169.254.169.254/' }, 'request_uri_not_supported'],
    [{ prompt: 'none' }, 'login_required'], [{ prompt: 'none login' }, 'invalid_request']
  ]
  for (const [parameters, error] of cases) {
    const { response } = await start(built, { parameters })
    t.equal(errorOf(response), error, JSON.stringify(parameters))
    t.equal(parametersOf(response).get('code'), null)
  }
  t.same(built.emulator.control.calls(), [], 'no outside call was made')
})

test('T-10: prompt=login reaches the provider as its own parameter', async (t) => {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  const plain = await start(built, { parameters: { provider: 'instagram' } })
  t.equal(parametersOf(plain.response).get('force_reauth'), null)
  const current = await start(built, { parameters: { provider: 'instagram', prompt: 'login' } })
  t.equal(parametersOf(current.response).get('force_reauth'), 'true')
  const retired = await start(built, { parameters: { provider: 'instagram-basic-display', prompt: 'login' } })
  t.equal(parametersOf(retired.response).get('force_authentication'), '1')
})

test('T-08: the largest flow fits a cookie of 3,800 bytes and finishes; one byte more is refused', async (t) => {
  const built = await build(t)
  const redirectURI = `https://shop.example/${'r'.repeat(512 - 'https://shop.example/'.length)}`
  const shop = await built.addShop({ redirectURIs: [redirectURI] })
  const state = '"\\'.repeat(512)
  const nonce = 'é'.repeat(128)
  const started = await start(built, { shop, parameters: { state, nonce } })
  const [cookie] = started.response.cookies
  t.ok(cookie !== undefined && cookie.name.length + 1 + cookie.value.length <= 3800, `${cookie?.value.length} bytes`)
  const callback = await visit(built, started.browser, approvedURL(built, started))
  t.equal(parametersOf(callback).get('state'), state)
  t.equal((await redeem(built, started, parametersOf(callback).get('code') ?? '')).status, 200)

  const tooLong = await start(built, { shop, parameters: { state: `${state}x` } })
  t.match(Object.fromEntries(parametersOf(tooLong.response)), { error: 'invalid_request' })
  t.equal(parametersOf(tooLong.response).get('state'), null, 'an over-long state is not echoed')
  const { response } = await start(built, { shop, parameters: { nonce: `${nonce}x` } })
  t.equal(errorOf(response), 'invalid_request')
})

test('T-80: control characters in state or nonce are refused and make no header', async (t) => {
  const built = await build(t)
  for (const name of ['state', 'nonce']) {
    for (const value of ['a\r\nSet-Cookie: x=1', 'a\0b', 'a\nb']) {
      const { response } = await start(built, { parameters: { [name]: value } })
      t.equal(errorOf(response), 'invalid_request')
      t.equal(response.headers['set-cookie'], undefined)
    }
  }
})

test('T-09: where shops share an app, the provider must ask the person', async (t) => {
  const built = await build(t)
  t.equal(parametersOf((await start(built)).response).get('force_reauth'), null)
  await built.addShop({ url: 'https://other.example', redirectURIs: ['https://other.example/cb'] })
  t.equal(parametersOf((await start(built)).response).get('force_reauth'), 'true')
})

test('T-11: strange provider names never fail the service', async (t) => {
  const built = await build(t)
  for (const provider of ['constructor', '__proto__', 'toString', 'Instagram', 'instagram%2f..', 'x'.repeat(10_000)]) {
    const { response } = await start(built, { parameters: { provider } })
    t.equal(errorOf(response), 'invalid_request', provider.slice(0, 20))
    const callback = await built.app.inject(`/oauth/callback/${encodeURIComponent(provider)}?code=x&state=y`)
    t.ok([400, 404].includes(callback.statusCode), `${provider.slice(0, 20)} ${callback.statusCode}`)
  }
  const metrics = await built.parts.metrics.registry.metrics()
  t.notMatch(metrics, /constructor|__proto__|Instagram"/, 'no new metric label')
})

test('with several providers and none named, the person chooses on a page', async (t) => {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  const { response, browser } = await start(built)
  t.equal(response.statusCode, 200)
  t.equal(response.headers['cache-control'], 'no-store')
  const href = /href="([^"]+provider=instagram(?:&amp;[^"]*)?)"/.exec(response.body)?.[1]?.replaceAll('&amp;', '&')
  t.ok(href?.startsWith('https://login.example/oauth/authorize?'))
  const next = await visit(built, browser, new URL(String(href)).pathname + new URL(String(href)).search)
  t.equal(next.statusCode, 303)
  t.equal(next.cookies.length, 1)
})

test('T-17: cookies are bound to the host over https, and plain on http loopback', async (t) => {
  const secure = await start(await build(t))
  t.match(secure.response.cookies[0], { name: /^__Host-leadlatch-flow-/, path: '/', httpOnly: true, secure: true, sameSite: 'Lax', maxAge: 600 })
  t.equal(secure.response.cookies[0]?.domain, undefined)
  const plain = await start(await build(t, { publicURL: 'http://localhost:8787' }))
  t.match(plain.response.cookies[0]?.name, /^leadlatch-flow-/)
})

test('T-18: a browser keeps at most four flow cookies and 6 KB of them, the oldest goes first', async (t) => {
  const built = await build(t)
  const browser = openBrowser()
  const garbage = `__Host-leadlatch-flow-${'g'.repeat(22)}`
  browser.cookies.set(garbage, 'nonsense')
  for (let i = 0; i < 170; i++) browser.cookies.set(`other${i}`, 'x'.repeat(100))
  const tabs = []
  for (let i = 0; i < 6; i++) {
    tabs.push(await start(built, { browser, parameters: { state: `tab ${i} ${'s'.repeat(900)}` } }))
    built.clock.advance(1000)
    const flows = Array.from(browser.cookies).filter(([name]) => name.includes('leadlatch-flow'))
    t.ok(flows.length <= 4)
    t.ok(flows.reduce((bytes, [name, value]) => bytes + name.length + 1 + value.length, 0) <= 6 * 1024)
  }
  t.notOk(browser.cookies.has(garbage), 'what does not open goes first')
  const newest = tabs.at(-1)
  t.ok(newest)
  if (newest === undefined) return
  const callback = await visit(built, browser, approvedURL(built, newest))
  t.equal(callback.statusCode, 303, 'the newest flow finishes')
  const oldest = tabs[0]
  t.equal(oldest && (await visit(built, browser, approvedURL(built, oldest))).statusCode, 400)
})

test('T-12: a flood of starts is answered with 429 by peer, a /64 being one, and writes nothing', async (t) => {
  const built = await build(t, { settings: { LEADLATCH_RATE_LIMIT: '5' } })
  const before = await built.parts.database.all('select name from sqlite_master order by name')
  const from = (remoteAddress: string, headers = {}) => built.app.inject({ url: `/oauth/authorize?client_id=${built.shop.id}`, remoteAddress, headers })
  for (let i = 0; i < 5; i++) t.equal((await from('192.0.2.1')).statusCode, 400)
  const limited = await from('192.0.2.1')
  t.equal(limited.statusCode, 429)
  t.ok(Number(limited.headers['retry-after']) > 0)
  t.equal((await from('192.0.2.1', { 'x-forwarded-for': '198.51.100.7', forwarded: 'for=198.51.100.7' })).statusCode, 429, 'forged headers do not count')
  t.equal((await from('192.0.2.2')).statusCode, 400, 'others are served')
  for (let i = 0; i < 5; i++) await from(`2001:db8:0:1::${i}`)
  t.equal((await from('2001:db8:0:1:ffff::1')).statusCode, 429)
  t.equal((await from('2001:db8:0:2::1')).statusCode, 400)
  t.equal((await from('::ffff:192.0.2.1')).statusCode, 429, 'a mapped address is the same peer')
  for (const { name } of before) {
    if (['claims', 'customers', 'identities', 'tokens', 'audit_entries'].includes(String(name))) {
      t.same(await built.parts.database.all(`select * from ${name} limit 1`), [])
    }
  }
})

test('forwarded addresses count when they come from a configured proxy', async (t) => {
  const built = await build(t, { settings: { LEADLATCH_RATE_LIMIT: '1', LEADLATCH_TRUST_PROXY: '192.0.2.0/24' } })
  const from = (forwarded: string) => built.app.inject({
    url: '/oauth/authorize', remoteAddress: '192.0.2.1', headers: { 'x-forwarded-for': forwarded }
  })
  t.equal((await from('198.51.100.1')).statusCode, 400)
  t.equal((await from('198.51.100.2')).statusCode, 400)
  t.equal((await from('198.51.100.1')).statusCode, 429)
})

test('the authorization endpoint takes a POST with a form body, and no other method', async (t) => {
  const built = await build(t)
  const query = new URLSearchParams({
    response_type: 'code', client_id: built.shop.id, redirect_uri: REDIRECT_URI, state: randomBytes(8).toString('hex'), code_challenge: 'a'.repeat(43), code_challenge_method: 'S256'
  })
  const response = await built.app.inject({
    method: 'POST', url: '/oauth/authorize', payload: query.toString(), headers: { 'content-type': 'application/x-www-form-urlencoded' }
  })
  t.equal(response.statusCode, 303)
  t.equal(response.headers['set-cookie'], undefined, 'T-18: a cross-site POST brings no cookies, so that none are set either')
  const again = await built.app.inject(String(response.headers.location).replace('https://login.example', ''))
  t.equal(parametersOf(again).get('client_id'), built.emulator.apps.instagram.clientId)
  const browser = openBrowser()
  keepCookies(browser, again)
  t.equal(browser.cookies.size, 1)
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS'] as const) {
    const refused = await built.app.inject({ method, url: `/oauth/authorize?${query}` })
    t.equal(refused.statusCode, 405, method)
    t.equal(refused.headers['set-cookie'], undefined)
    t.equal(refused.headers['access-control-allow-origin'], undefined)
  }
  const json = await built.app.inject({ method: 'POST', url: '/oauth/authorize', payload: { client_id: 'x' } })
  t.equal(json.statusCode, 415)
})

test('T-82: pages may not be framed, scripted, cached or read by others', async (t) => {
  const built = await build(t)
  const shop = await built.addShop({ url: 'https://x.example' })
  const { response } = await start(built, { shop, parameters: { redirect_uri: 'https://evil.test/<script>' } })
  t.match(response.headers['content-security-policy'], /default-src 'none'.*frame-ancestors 'none'/)
  t.match(response.headers, {
    'x-content-type-options': 'nosniff', 'cache-control': 'no-store', 'referrer-policy': 'no-referrer', 'x-frame-options': 'DENY'
  })
  t.match(response.headers['strict-transport-security'], 'max-age=')
  t.equal(response.headers['access-control-allow-origin'], undefined)
})

test('T-17: a planted cookie with a name that no flow has is neither opened nor sent back', async (t) => {
  const built = await build(t, { publicURL: 'http://localhost:8787' })
  const planted = Array.from({ length: 3000 }, (_, i) => `leadlatch-flow-${i} ü=v; leadlatch-flow-${String(i).padStart(22, '0')}=v`).join('; ')
  const { response } = await start(built, { browser: { cookies: new Map(), header: () => ({ cookie: planted }) } })
  t.equal(response.statusCode, 303)
  t.ok(response.cookies.length <= 21)
})

test('max_age, for which no auth_time could be given, is refused; an unknown scope counts as none', async (t) => {
  const built = await build(t)
  t.equal(errorOf((await start(built, { parameters: { max_age: '0' } })).response), 'invalid_request')
  const { response, browser } = await start(built, { parameters: { scope: 'unknown' } })
  t.equal(response.statusCode, 303)
  t.equal(browser.cookies.size, 1)
})
