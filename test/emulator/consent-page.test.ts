import { createHash } from 'node:crypto'
import t from 'tap'
import { authorizeURL, get, start } from './support/emulator.ts'

t.test('the consent page says who asks, what for, as whom, and that it is an emulator', async (t) => {
  const emulator = await start(t)
  const html = await (await get(authorizeURL(emulator))).text()
  t.match(html, /emulator/i)
  t.match(html, /<html lang="en">/)
  t.match(html, /<meta name="viewport"/)
  t.match(html, emulator.apps.instagram.clientId)
  t.match(html, 'Profile: username')
  t.match(html, 'Continue as ana.makes')
  t.match(html, /<button class="first" name="decision" value="allow">Allow<\/button>/)
  t.match(html, /<button name="decision" value="cancel">Cancel<\/button>/)
  t.match(html, 'action="/www/oauth/authorize/decision"')
})

t.test('Basic Display posts its decision to its own host', async (t) => {
  const emulator = await start(t)
  const html = await (await get(authorizeURL(emulator, {}, 'basicDisplay'))).text()
  t.match(html, 'action="/api/oauth/authorize/decision"')
})

t.test('a hostile name is shown as text', async (t) => {
  const emulator = await start(t)
  const html = await (await get(authorizeURL(emulator))).text()
  t.notMatch(html, '<img')
  t.match(html, '=HYPERLINK(&quot;https://evil.test&quot;)&quot;&gt;&lt;img src=x onerror=alert(1)&gt;')
})

t.test('the policy lets the style through and nothing else, and does not bind form targets', async (t) => {
  const emulator = await start(t)
  const response = await get(authorizeURL(emulator))
  const html = await response.text()
  const style = /<style>([^]*)<\/style>/.exec(html)?.[1] ?? ''
  const policy = response.headers.get('content-security-policy') ?? ''
  t.match(policy, "default-src 'none'")
  t.match(policy, `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`)
  t.notMatch(policy, 'form-action')
  t.notMatch(html, /<script|<[^>]*\s(on\w+|src|style)=/)
  t.equal(response.headers.get('cache-control'), 'no-store')
})

t.test('every page says that it is an emulator', async (t) => {
  const emulator = await start(t)
  emulator.control.fault('authorize', 'html500', 1)
  const addresses = [authorizeURL(emulator), authorizeURL(emulator, { client_id: '1' }), `${emulator.url}/emulator/`, `${emulator.url}/nothing`]
  for (const address of addresses) t.match(await (await get(address)).text(), /<strong>Emulator\.<\/strong>/)
})
