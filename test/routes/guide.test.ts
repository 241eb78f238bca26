import type { LightMyRequestResponse } from 'fastify'
import { test, type Test } from 'tap'
import { createGuideLink } from '../../src/flows/guide.ts'
import { build as buildService, type Built, type BuildOptions, type TestShop } from '../support/build.ts'
import { type Browser, keepCookies, openBrowser } from '../support/journey.ts'

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const SAME_ORIGIN = { origin: 'null', 'sec-fetch-site': 'same-origin' }

async function build (t: Test, options: BuildOptions = {}) {
  const built = await buildService(t, options)
  const { publicURL } = built.parts.config
  async function makeLink (provider = 'instagram', shop: TestShop = built.shop): Promise<string> {
    const { link } = await createGuideLink(built.parts, { shopId: shop.id, provider, publicURL, actor: 'cli' })
    return link.slice(publicURL.length)
  }
  async function open (path: string, browser: Browser = openBrowser(), headers: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    const response = await built.app.inject({ url: path, headers: { ...browser.header(), ...headers } })
    keepCookies(browser, response)
    return response
  }
  async function paste (path: string, browser: Browser, pasted: string, headers: Record<string, string> = SAME_ORIGIN): Promise<LightMyRequestResponse> {
    return built.app.inject({
      method: 'POST',
      url: path,
      headers: { ...browser.header(), 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload: new URLSearchParams({ access_token: pasted }).toString()
    })
  }
  /** A link, opened in a browser of its own. */
  async function openLink (provider?: string): Promise<{ path: string, browser: Browser, page: LightMyRequestResponse }> {
    const [path, browser] = [await makeLink(provider), openBrowser()]
    return { path, browser, page: await open(path, browser) }
  }
  return { ...built, makeLink, open, paste, openLink, mint: (persona = 'creator') => built.emulator.control.mintToken(persona, { kind: 'short' }) }
}

async function countCustomers (built: Built): Promise<number> {
  return (await built.parts.database.all('select id from customers')).length
}

test('the page walks through the dashboard with the values of this Leadlatch, and has a form', async (t) => {
  const built = await build(t)
  const { page } = await built.openLink()
  t.equal(page.statusCode, 200)
  for (const text of [
    'professional', 'API setup with Instagram login', 'tester', 'Apps and websites', 'Tester invites', 'Generate token',
    `<code>${built.parts.config.instagram?.clientId}</code>`, 'https://login.example/oauth/callback/instagram', 'slash at the end', '1 November 2026 at 00:30 UTC'
  ]) t.match(page.payload.replaceAll('\n', ' ').replace('November 1, 2026', '1 November 2026'), text)
  t.match(page.payload, /<form method="post" autocomplete="off">/)
  t.match(page.payload, /<textarea id="access_token" name="access_token" [^>]*spellcheck="false"/)
})

test('the page is never stored, leaks no address, runs no script and posts to us alone', async (t) => {
  const built = await build(t)
  const { page, path, browser } = await built.openLink()
  for (const response of [page, await built.paste(path, browser, 'x'), await built.open('/guide/x')]) {
    t.equal(response.headers['cache-control'], 'no-store')
    t.equal(response.headers['referrer-policy'], 'no-referrer')
    t.match(response.headers['content-security-policy'], /^default-src 'none';style-src 'sha256-[^']+';base-uri 'none';form-action 'self';frame-ancestors 'none'$/)
    t.notMatch(response.payload, /<script|<img|<link|\son\w+=/)
    t.notOk(response.payload.includes(path), 'not even in the form')
  }
  t.match((await built.open('/oauth/authorize')).headers['content-security-policy'], "form-action 'none'", 'elsewhere no form at all')
})

test('the cookie of a link binds it to this host, over https, out of reach of scripts', async (t) => {
  const built = await build(t)
  const { page, path } = await built.openLink()
  const [cookie] = page.cookies
  t.match(cookie, { name: /^__Host-leadlatch-guide-/, path: '/', httpOnly: true, secure: true, sameSite: 'Lax' })
  t.notOk(path.includes(String(cookie?.name.slice(-12))), 'the name tells nothing of the secret')
  const local = await build(t, { publicURL: 'http://localhost:8787' })
  const [plain] = (await local.openLink()).page.cookies
  t.match(plain, { name: /^leadlatch-guide-/, httpOnly: true })
  t.not(plain?.secure, true)
})

test('a pasted token is stored, and the spent link shows whose it is and until when, and takes nothing more', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  const token = built.mint()
  const taken = await built.paste(path, browser, token)
  t.equal(taken.statusCode, 303)
  t.equal(taken.headers.location, `https://login.example${path}`)
  t.match(await built.parts.database.all("select actor, action from audit_entries where action like 'token.%' order by action"), [
    { actor: 'cli', action: 'token.guide_made' }, { actor: 'guide', action: 'token.imported' }
  ])
  for (let i = 0; i < 2; i++) {
    const result = await built.open(path, browser)
    t.equal(result.statusCode, 200)
    for (const text of ['@<bdi>ana.makes</bdi>', 'Ana Ferreira', '26814093771204518', '2026-12-30T23:59:04.000Z']) t.match(result.payload, text)
    t.notMatch(result.payload, '<form')
    t.notOk(result.payload.includes(token))
  }
  const again = await built.paste(path, browser, built.mint('business'))
  t.equal(again.statusCode, 303)
  t.equal(await countCustomers(built), 1)
  built.clock.advance(2 * HOUR_MS)
  t.match((await built.open(path, browser)).payload, 'ana.makes', 'the result stays for its browser')
  t.equal((await built.open(path)).statusCode, 403, 'and for no other')
})

test('a token whose life is unknown is shown so', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  await built.paste(path, browser, built.emulator.control.mintToken('noname', { kind: 'long' }))
  const { payload } = await built.open(path, browser)
  t.match(payload, 'q_7731')
  t.match(payload, 'does not tell the life of a token on its first day')
})

test('a result whose person was erased since shows nothing of them', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  await built.paste(path, browser, built.mint())
  await built.parts.database.run('delete from customers')
  const { statusCode, payload } = await built.open(path, browser)
  t.equal(statusCode, 200)
  t.match(payload, 'no longer stored')
  t.notMatch(payload, 'ana')
})

test('a link that was opened in one browser is refused in another, whatever that sends', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  const other = openBrowser()
  const [name = ''] = browser.cookies.keys()
  t.equal((await built.open(path, other)).statusCode, 403)
  t.equal(other.cookies.size, 0)
  other.cookies.set(name, 'A'.repeat(43))
  t.equal((await built.open(path, other)).statusCode, 403)
  t.equal((await built.paste(path, other, built.mint())).statusCode, 403)
  t.equal(await countCustomers(built), 0)
  t.equal((await built.open(path, browser)).statusCode, 200, 'its own browser goes on')
})

test('of two browsers that open a link at once, one has it', async (t) => {
  const built = await build(t)
  const path = await built.makeLink()
  const pages = await Promise.all(Array.from({ length: 5 }, () => built.open(path)))
  t.same(pages.map(({ statusCode }) => statusCode).sort(), [200, 403, 403, 403, 403])
})

test('a cookie of one link opens no other', async (t) => {
  const built = await build(t)
  const [first, second] = [await built.openLink(), await built.openLink()]
  const [[, value = ''] = []] = first.browser.cookies
  const [[name = ''] = []] = second.browser.cookies
  const mixed = openBrowser()
  mixed.cookies.set(name, value)
  t.equal((await built.open(second.path, mixed)).statusCode, 403)
})

test('a link is kept by its hash alone', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  const dump = JSON.stringify(await built.parts.database.all('select * from guide_links'))
  const [value = ''] = browser.cookies.values()
  t.notOk(dump.includes(path.slice(-43)))
  t.notOk(dump.includes(value))
})

test('a guessed, cut or altered link is 404', async (t) => {
  const built = await build(t)
  const { path } = await built.openLink()
  for (const guess of ['/guide/', '/guide/x', `${path}x`, path.slice(0, -1), path.toUpperCase(), `/guide/${'A'.repeat(43)}`, `${path}%00`, `${path}/`, `/guide/${'x'.repeat(9000)}`]) {
    t.equal((await built.open(guess)).statusCode, 404, guess.slice(0, 60))
  }
})

test('a link that nobody used in 30 minutes is 410, in its browser too', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  const unopened = await built.makeLink()
  built.clock.advance(30 * MINUTE_MS - 1)
  t.equal((await built.open(path, browser)).statusCode, 200)
  built.clock.advance(1)
  t.equal((await built.open(path, browser)).statusCode, 410)
  const late = await built.paste(path, browser, built.mint())
  t.equal(late.statusCode, 410)
  t.match(late.payload, 'leadlatch token guide')
  t.equal((await built.open(unopened)).statusCode, 410)
  t.equal(await countCustomers(built), 0)
})

test('links that expired a day ago are erased when a new one is made', async (t) => {
  const built = await build(t)
  await built.openLink()
  built.clock.advance(25 * HOUR_MS)
  await built.makeLink()
  t.equal((await built.parts.database.all('select hash from guide_links')).length, 1)
})

test('a link of a removed shop is 404, and so is a link of a provider that was switched off', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  if (built.parts.providers instanceof Map) built.parts.providers.delete('instagram')
  t.equal((await built.open(path, browser)).statusCode, 404)
  t.equal((await built.paste(path, browser, 'IGAA')).statusCode, 404)
  await built.parts.database.run('delete from shops where id = $1', [built.shop.id])
  t.equal((await built.open(path, browser)).statusCode, 404)
  t.equal((await built.parts.database.all('select hash from guide_links')).length, 0)
})

test('a form that another site sends is refused, before anything is looked at', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  const foreign: Array<Record<string, string>> = [
    { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site' },
    { origin: 'https://evil.test' },
    { origin: 'https://evil.test', 'sec-fetch-site': 'same-origin' },
    { origin: 'https://shop.login.example', 'sec-fetch-site': 'same-site' },
    { origin: 'http://login.example' },
    { origin: 'null', 'sec-fetch-site': 'cross-site' },
    { origin: 'null', 'sec-fetch-site': 'none' },
    { origin: 'https://login.example', 'sec-fetch-site': 'cross-site' },
    { origin: 'null' },
    {}
  ]
  for (const headers of foreign) {
    const response = await built.paste(path, browser, built.mint(), headers)
    t.equal(response.statusCode, 403, JSON.stringify(headers))
    t.match(response.payload, 'Nothing was stored')
  }
  t.equal(await countCustomers(built), 0)
  t.equal(built.emulator.control.calls().length, 0)
  t.equal((await built.paste(path, browser, built.mint(), { origin: 'https://login.example' })).statusCode, 303, 'an older browser, which says only this')
})

test('of two pasted tokens at once one is stored, and the other one is told to wait', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  const answers = await Promise.all(['creator', 'business', 'emoji'].map((persona) => built.paste(path, browser, built.mint(persona))))
  t.same(answers.map(({ statusCode }) => statusCode).sort(), [303, 409, 409])
  t.equal(await countCustomers(built), 1)
})

test('a try that never ended lets the next one in after a minute, and writes nothing when it ends after all', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  built.emulator.control.fault('me', { name: 'slow', ms: 400 }, 1)
  const slow = built.paste(path, browser, built.mint('business'))
  while (built.emulator.control.count('me') === 0) await new Promise(setImmediate)
  t.equal((await built.paste(path, browser, built.mint())).statusCode, 409)
  built.clock.advance(MINUTE_MS + 1)
  t.equal((await built.paste(path, browser, built.mint())).statusCode, 303)
  t.equal((await slow).statusCode, 409)
  t.match(await built.parts.database.all('select username from identities'), [{ username: 'ana.makes' }])
})

test('a token pasted with spaces, line breaks, quotes and invisible characters is the token', async (t) => {
  const built = await build(t)
  const wrap: Array<(token: string) => string> = [
    (token) => `  ${token}\r\n`,
    (token) => `"${token}"`,
    (token) => `“${token}”`,
    (token) => `'${token.slice(0, 60)}\n${token.slice(60)}'`,
    (token) => `\ufeff\`${token}\`\u200b`,
    (token) => `\t${token.slice(0, 10)} ${token.slice(10)}\u00a0`
  ]
  for (const pasted of wrap) {
    const { path, browser } = await built.openLink()
    t.equal((await built.paste(path, browser, pasted(built.mint()))).statusCode, 303, JSON.stringify(pasted('TOKEN').slice(0, 12)))
  }
})

test('what is no token keeps the page, says what to do and asks nobody', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  const wrong: Array<[pasted: string, status: number, text: string]> = [
    ['', 400, 'There was no token'],
    ['   \n', 400, 'There was no token'],
    ['""', 400, 'This is not a token'],
    ['Zugriffsschlüssel', 400, 'This is not a token'],
    ['IGAA\u0007', 400, 'This is not a token'],
    ['<script>alert(1)</script>'.repeat(400), 400, 'This is not a token'],
    ['x'.repeat(1_048_576), 400, 'This is not a token'],
    ['ü'.repeat(1_048_576), 413, 'far too long']
  ]
  for (const [pasted, status, text] of wrong) {
    const response = await built.paste(path, browser, pasted)
    t.equal(response.statusCode, status, pasted.slice(0, 20))
    for (const expected of [text, 'role="alert"', '<form method="post"', 'Generate token', 'aria-invalid="true"']) t.match(response.payload, expected)
    t.ok(response.payload.length < 20_000, 'what was pasted is not repeated')
  }
  t.equal(built.emulator.control.calls().length, 0)
  t.equal((await built.paste(path, browser, built.mint())).statusCode, 303)
})

test('a body that is no form, or has two tokens, keeps the page as well', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  for (const [type, payload] of [['application/json', '{"access_token":"IGAA"}'], ['text/plain', 'access_token=IGAA'], ['application/x-www-form-urlencoded', 'access_token=IGAA&access_token=IGAB']] as const) {
    const response = await built.app.inject({ method: 'POST', url: path, headers: { ...browser.header(), ...SAME_ORIGIN, 'content-type': type }, payload })
    t.equal(response.statusCode, 400, type)
    t.match(response.payload, '<form method="post"')
  }
})

test('what the provider refuses is told in plain words, and the link can be used again', async (t) => {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  const { control } = built.emulator
  const { path, browser } = await built.openLink()
  control.savePersona({ id: 'shy', permissions: [] })
  const refused: Array<[token: string, status: number, text: string]> = [
    ['IGAAnever', 400, 'This token is not accepted'],
    [control.mintToken('creator', { kind: 'long', ageMs: 61 * 24 * HOUR_MS }), 400, 'This token is not accepted'],
    [control.mintToken('creator', { kind: 'short', flavour: 'basicDisplay' }), 400, 'This token belongs to another app'],
    [control.mintToken('shy', { kind: 'short' }), 400, 'may not read its own account']
  ]
  for (const [token, status, text] of refused) {
    const response = await built.paste(path, browser, token)
    t.equal(response.statusCode, status, text)
    t.match(response.payload, text)
    t.notOk(response.payload.includes(token))
  }
  control.fault('me', 'html500', 1)
  const down = await built.paste(path, browser, built.mint())
  t.equal(down.statusCode, 503)
  t.equal(down.headers['retry-after'], '30')
  t.match(down.payload, 'cannot be checked at the moment')
  t.equal((await built.paste(path, browser, built.mint())).statusCode, 303)
})

test('the retired flavour has its own steps', async (t) => {
  const built = await build(t, { flavours: ['basicDisplay'] })
  const { page, path, browser } = await built.openLink('instagram-basic-display')
  t.match(page.payload, 'switched Basic Display off')
  t.match(page.payload, 'https://login.example/oauth/callback/instagram-basic-display')
  t.equal((await built.paste(path, browser, built.emulator.control.mintToken('creator', { kind: 'short', flavour: 'basicDisplay' }))).statusCode, 303)
})

test('neither a prefetch, nor a preview, nor another method opens a link', async (t) => {
  const built = await build(t)
  const path = await built.makeLink()
  t.equal((await built.open(path, openBrowser(), { 'sec-purpose': 'prefetch;prerender' })).statusCode, 204)
  for (const agent of ['WhatsApp/2.23', 'Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)', 'facebookexternalhit/1.1', 'TelegramBot (like TwitterBot)', 'Mozilla/5.0 (compatible; Discordbot/2.0)']) {
    t.equal((await built.open(path, openBrowser(), { 'user-agent': agent })).statusCode, 204, agent)
  }
  for (const method of ['HEAD', 'PUT', 'DELETE', 'OPTIONS'] as const) {
    t.equal((await built.app.inject({ method, url: path })).statusCode, 405, method)
  }
  t.equal((await built.paste(path, openBrowser(), built.mint())).statusCode, 403)
  t.equal((await built.open(path)).statusCode, 200, 'it is still nobody’s')
})

test('T-76: names from the provider are shown as text', async (t) => {
  const built = await build(t)
  const { path, browser } = await built.openLink()
  await built.paste(path, browser, built.mint('hostile'))
  const { payload } = await built.open(path, browser)
  t.match(payload, '&lt;img src=x')
  t.notMatch(payload, '<img')
})

test('behind a public URL with a path the link and the way back have it', async (t) => {
  const built = await build(t, { publicURL: 'https://shop.example/login' })
  const { path, browser } = await built.openLink()
  const taken = await built.paste(path, browser, built.mint(), { origin: 'https://shop.example' })
  t.equal(taken.headers.location, `https://shop.example/login${path}`)
})

test('T-69: neither link, cookie nor token reach the log', async (t) => {
  let log = ''
  const built = await build(t, { logger: { level: 'trace', stream: { write: (line: string) => { log += line } } } })
  const { path, browser } = await built.openLink()
  const tokens = ['IGAAneverissued', built.mint(), built.mint('business')]
  built.emulator.control.fault('exchange', 'html500', 1)
  for (const token of tokens) await built.paste(path, browser, token)
  await built.paste(path, browser, 'x'.repeat(5_000_000))
  await built.open(`/guide/${tokens[1]}`)
  t.match(log, '"route":"/guide/:secret"')
  t.match(log, 'a token could not be imported')
  for (const secret of [...tokens, path.slice(-43), ...browser.cookies.values()]) t.notOk(log.includes(secret), secret.slice(0, 8))
})
