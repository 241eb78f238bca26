import { createBrowser, type Visited } from './browser.ts'
import { startDemo } from './start.ts'
import { createLocalAgent } from './local-network.ts'

const SHOPPER = { persona: 'creator', name: 'Ana Ferreira', email: 'ana@example.com' }

/**
 * Does the whole journey by itself, over HTTP as a browser does it: cart, checkout, sign-in and
 * consent at the emulator, order. Answers the lead as `GET /v1/leads` gives it, and leaves nothing open.
 * @throws {Error} naming the step that failed
 */
export async function runDemoOnce ({ log }: { log: (line: string) => void }): Promise<unknown> {
  const demo = await startDemo({ port: 0, log })
  const agent = createLocalAgent()
  try {
    const browser = createBrowser(agent)
    const at = (path: string): string => demo.shopURL + path
    expectPage('product', await browser.open(at('/')), 'Tide mug')
    expectPage('cart', await browser.submit(at('/cart'), { quantity: '2' }), 'Go to checkout')
    log('Put two mugs into the cart.')
    const consent = expectPage('consent', await browser.open(at('/auth/start')), 'name="request"')
    const signedIn = expectPage('sign-in', await allow(browser.submit, consent), 'Continuing as')
    log('Signed in with Instagram.')
    expectPage('order', await browser.submit(signedIn.url, { name: SHOPPER.name, email: SHOPPER.email }), 'Thank you')
    log('Placed the order.')
    const [lead] = await demo.leadlatch.listLeads()
    if (lead === undefined) throw new Error('The journey ended without a lead.')
    return lead
  } finally {
    await agent.close()
    await demo.close()
  }
}

async function allow (submit: ReturnType<typeof createBrowser>['submit'], { url, body }: Visited): Promise<Visited> {
  const action = /<form method="post" action="([^"]+)"/.exec(body)?.[1] ?? ''
  const request = /name="request" value="([^"]+)"/.exec(body)?.[1] ?? ''
  return submit(new URL(action, url), { request, persona: SHOPPER.persona, decision: 'allow' })
}

function expectPage (step: string, page: Visited, text: string): Visited {
  if (page.status === 200 && page.body.includes(text)) return page
  const title = /<title>([^<]*)/.exec(page.body)?.[1] ?? 'no title'
  throw new Error(`The step "${step}" ended at ${page.url.origin}${page.url.pathname} with status ${page.status}: ${title}`)
}
