import { createHash } from 'node:crypto'
import type { InjectOptions } from 'fastify'
import { AuthorizationResponseError } from 'openid-client'
import { type Test, test } from 'tap'
import type { CustomerReport, Leadlatch, Shopper, SignIn } from '../../src/demo/leadlatch-client.ts'
import { buildShop } from '../../src/demo/shop.ts'

const ANA: Shopper = { customerId: 'cus_1', username: 'ana.makes', name: 'Ana "A" Ferreira' }

test('the cart survives signing in, and the checkout greets the person and fills in the name', async (t) => {
  const { visit } = await openShop(t)
  await visit({ method: 'POST', url: '/cart', payload: 'quantity=3' })
  const signedIn = await signIn(visit)
  t.equal(signedIn.headers.location, '/checkout#')
  const page = await visit({ url: '/checkout' })
  t.match(page.body, 'Continuing as <strong><bdi>@ana.makes</bdi></strong>')
  t.match(page.body, 'value="Ana &quot;A&quot; Ferreira"')
  t.match(page.body, '3 × €28.00')
  t.match(page.body, 'Instagram does not tell us yours')
})

test('an order reports the typed e-mail address and the same customer number each time', async (t) => {
  const { visit, reports } = await openShop(t)
  for (const email of ['ana@example.com', 'ana@example.org']) {
    await visit({ method: 'POST', url: '/cart', payload: 'quantity=1' })
    await signIn(visit)
    const ordered = await visit({ method: 'POST', url: '/checkout', payload: new URLSearchParams({ name: 'Ana', email }).toString() })
    t.equal(ordered.headers.location, '/order')
  }
  t.same(reports, [
    ['cus_1', { external_id: '1', email: 'ana@example.com', email_source: 'typed', name: 'Ana' }],
    ['cus_1', { external_id: '1', email: 'ana@example.org', email_source: 'typed', name: 'Ana' }]
  ])
  t.match((await visit({ url: '/order' })).body, 'Order 1002 ')
})

test('a guest orders without Leadlatch hearing of it', async (t) => {
  const { visit, reports } = await openShop(t)
  await visit({ method: 'POST', url: '/cart', payload: 'quantity=1' })
  await visit({ method: 'POST', url: '/checkout', payload: 'name=&email=guest%40example.com' })
  t.match((await visit({ url: '/order' })).body, '<bdi>guest@example.com</bdi>')
  t.same(reports, [])
})

test('an order stands when Leadlatch cannot be told of it', async (t) => {
  const { visit, lines } = await openShop(t, { reportCustomer: async () => { throw new Error('down') } })
  await visit({ method: 'POST', url: '/cart', payload: 'quantity=1' })
  await signIn(visit)
  await visit({ method: 'POST', url: '/checkout', payload: 'name=Ana&email=ana%40example.com' })
  t.match((await visit({ url: '/order' })).body, 'could not be reached')
  t.same(lines, ['The e-mail address could not be reported: down'])
})

test('a wrong e-mail address is asked for again and what was typed stays', async (t) => {
  const { visit } = await openShop(t)
  await visit({ method: 'POST', url: '/cart', payload: 'quantity=1' })
  const page = await visit({ method: 'POST', url: '/checkout', payload: 'name=Ana+Typed&email=nope' })
  t.equal(page.statusCode, 422)
  t.match(page.body, 'value="Ana Typed"')
  t.match(page.body, 'value="nope" aria-describedby="email-hint email-error" aria-invalid="true"')
})

test('"Not you?" forgets who signed in, not what is in the cart', async (t) => {
  const { visit } = await openShop(t)
  await visit({ method: 'POST', url: '/cart', payload: 'quantity=2' })
  await signIn(visit)
  await visit({ method: 'POST', url: '/checkout/forget', payload: '' })
  const page = await visit({ url: '/checkout' })
  t.notMatch(page.body, 'ana.makes')
  t.match(page.body, '2 × €28.00')
})

test('a sign-in that another browser began is not finished', async (t) => {
  const shop = await openShop(t)
  await shop.visit({ url: '/auth/start' })
  const other = shop.openBrowser()
  const answer = await other({ url: `/auth/callback?code=c&state=${shop.states[0]}` })
  t.equal(answer.headers.location, '/checkout?notice=other_browser#')
  t.equal(shop.finished.length, 0)
  const { headers } = await other({ url: '/checkout?notice=other_browser' })
  t.equal(headers.location, '/cart?notice=other_browser')
  t.match((await other({ url: '/cart?notice=other_browser' })).body, 'began in another window or app')
})

test('two sign-ins in one browser end each with its own verifier, once', async (t) => {
  const { visit, states, finished } = await openShop(t)
  await visit({ url: '/auth/start' })
  await visit({ url: '/auth/start' })
  for (const state of [...states, ...states]) await visit({ url: `/auth/callback?code=c&state=${state}` })
  t.same(finished.map(({ codeVerifier }) => codeVerifier), states.map((state) => `verifier-${state}`))
})

test('no more than four sign-ins wait in one browser', async (t) => {
  const { visit, cookies } = await openShop(t)
  for (let i = 0; i < 7; i++) await visit({ url: '/auth/start' })
  t.equal([...cookies.keys()].filter((name) => name.startsWith('shop_sign_in_')).length, 4)
})

test('signing in gives the visit a new secret, so that a planted one finds nothing', async (t) => {
  const { visit, cookies, openBrowser } = await openShop(t)
  await visit({ method: 'POST', url: '/cart', payload: 'quantity=1' })
  const planted = cookies.get('shop_visit')
  await signIn(visit)
  t.not(cookies.get('shop_visit'), planted)
  const page = await openBrowser()({ url: '/checkout', headers: { cookie: `shop_visit=${planted}` } })
  t.equal(page.headers.location, '/cart')
})

test('a denial and a failure come back to the checkout with a notice, without the code', async (t) => {
  const denied = new AuthorizationResponseError('denied', { cause: new URLSearchParams({ error: 'access_denied' }) })
  for (const [error, notice, text] of [[denied, 'denied', 'You did not sign in'], [new Error('secret-free'), 'failed', 'did not work just now']] as const) {
    const { visit } = await openShop(t, { finishSignIn: async () => { throw error } })
    await visit({ method: 'POST', url: '/cart', payload: 'quantity=1' })
    const answer = await signIn(visit)
    t.equal(answer.headers.location, `/checkout?notice=${notice}#`)
    const page = await visit({ url: `/checkout?notice=${notice}` })
    t.match(page.body, text)
    t.match(page.body, 'Continue with Instagram')
  }
})

test('T-82: a notice of somebody’s own making is not shown', async (t) => {
  const { visit } = await openShop(t)
  await visit({ method: 'POST', url: '/cart', payload: 'quantity=1' })
  t.notMatch((await visit({ url: '/checkout?notice=%3Cscript%3E' })).body, '<p class="notice"')
  t.notMatch((await visit({ url: '/checkout?notice=denied&notice=failed' })).body, '<p class="notice"')
})

test('another site’s link starts no sign-in, and a prefetch changes nothing', async (t) => {
  const { visit, states } = await openShop(t)
  t.equal((await visit({ url: '/auth/start', headers: { 'sec-fetch-site': 'cross-site' } })).headers.location, '/checkout')
  t.equal((await visit({ url: '/auth/start', headers: { 'sec-purpose': 'prefetch' } })).statusCode, 204)
  t.equal((await visit({ url: '/auth/callback?code=c&state=s', headers: { 'sec-purpose': 'prefetch;prerender' } })).statusCode, 204)
  t.same(states, [])
})

test('what the owner sees are the leads, escaped, and a word when they cannot be read', async (t) => {
  const lead = { username: 'hostile', name: '"><script>alert(1)</script>', provider: 'instagram', email: null, login_count: 2, token: { status: 'active' } }
  const { visit } = await openShop(t, { listLeads: async () => [lead] })
  const page = await visit({ url: '/owner' })
  t.match(page.body, '<td><bdi>&quot;&gt;&lt;script&gt;')
  t.notMatch(page.body, '<script')
  const down = await openShop(t, { listLeads: async () => { throw new Error('down') } })
  t.match((await down.visit({ url: '/owner' })).body, 'cannot be reached')
  const empty = await openShop(t)
  t.match((await empty.visit({ url: '/owner' })).body, 'Nobody yet')
})

test('every page of the shop has the policy that allows its one style, and is not cached', async (t) => {
  const { visit } = await openShop(t)
  for (const url of ['/', '/cart', '/owner', '/nowhere']) {
    const { headers, body } = await visit({ url })
    const style = /<style>(.*)<\/style>/s.exec(body)?.[1] ?? ''
    t.match(headers['content-security-policy'], `'sha256-${createHash('sha256').update(style).digest('base64')}'`, url)
    t.match(headers['content-security-policy'], "default-src 'none'", url)
    t.equal(headers['cache-control'], 'no-store', url)
  }
})

type Visit = (options: InjectOptions) => Promise<{ statusCode: number, headers: Record<string, unknown>, body: string }>

/** A shop whose Leadlatch is a stand-in, and a browser in front of it. */
async function openShop (t: Test, changes: Partial<Leadlatch> = {}) {
  const states: string[] = []
  const finished: SignIn[] = []
  const reports: [string, CustomerReport][] = []
  const lines: string[] = []
  const app = await buildShop({
    url: 'http://shop.localhost',
    log: (line) => { lines.push(line) },
    leadlatch: {
      async beginSignIn () {
        const state = `state${states.length}-${'x'.repeat(30)}`
        states.push(state)
        return { location: `http://localhost/?state=${state}`, signIn: { state, nonce: 'n', codeVerifier: `verifier-${state}` } }
      },
      async finishSignIn (_url, signIn) {
        finished.push(signIn)
        return ANA
      },
      async reportCustomer (customerId, report) { reports.push([customerId, report]) },
      listLeads: async () => [],
      ...changes
    }
  })
  t.teardown(() => app.close())

  const openBrowser = (cookies = new Map<string, string>()): Visit => async (options) => {
    const response = await app.inject({
      ...options,
      headers: {
        cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
        ...(options.method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
        ...options.headers
      }
    })
    for (const { name, value, maxAge, expires } of response.cookies) {
      if (maxAge === 0 || (expires !== undefined && expires.getTime() <= 0)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return response
  }
  const cookies = new Map<string, string>()
  return { visit: openBrowser(cookies), cookies, openBrowser, states, finished, reports, lines }
}

async function signIn (visit: Visit) {
  const started = await visit({ url: '/auth/start' })
  const state = new URL(String(started.headers.location)).searchParams.get('state')
  return visit({ url: `/auth/callback?code=c&state=${state}` })
}
