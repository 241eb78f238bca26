import { test } from 'tap'
import { flowErrorPage } from '../../src/pages/flow-error.ts'
import { notFoundPage, rateLimitedPage, unavailablePage } from '../../src/pages/other-errors.ts'
import { requestErrorPage } from '../../src/pages/request-error.ts'
import { type FlowErrorReason, type RequestErrorReason, texts } from '../../src/pages/texts.ts'

const shop = { name: 'Kiln & Co', url: 'https://kiln.example/?a=1&b=2' }
const flowReasons = ['other_browser', 'expired', 'unknown_state', 'provider_mismatch', 'nothing_to_do', 'provider_unavailable'] satisfies FlowErrorReason[]
const requestReasons = ['unknown_client', 'unregistered_redirect_uri', 'repeated_parameter', 'missing_parameter'] satisfies RequestErrorReason[]

test('each flow error says what happened and what to do, and leads back to the shop', async (t) => {
  t.same(Object.keys(texts.flowErrors), flowReasons)
  for (const reason of flowReasons) {
    const page = flowErrorPage({ reason, shop, isInAppBrowser: false })
    t.match(page, `<h1>${texts.flowErrors[reason].heading}</h1>`, reason)
    t.match(page, '<h2>What to do</h2>', reason)
    t.match(page, '<a class="button" href="https://kiln.example/?a=1&amp;b=2">Back to <bdi>Kiln &amp; Co</bdi></a>', reason)
  }
  t.equal(new Set(flowReasons.map((reason) => texts.flowErrors[reason].heading)).size, flowReasons.length)
})

test('T-23: without a proven shop there is no link at all', async (t) => {
  for (const reason of flowReasons) {
    for (const isInAppBrowser of [false, true]) {
      const page = flowErrorPage({ reason, shop: null, isInAppBrowser })
      t.notMatch(page, /<a\s|https?:/, reason)
      t.match(page, 'the shop', reason)
    }
  }
})

test('T-23: a shop whose address is no web address gets no link', async (t) => {
  const page = flowErrorPage({ reason: 'expired', shop: { name: 'S', url: 'javascript:alert(1)' }, isInAppBrowser: true })
  t.notMatch(page, /<a\s|javascript/)
})

test('a person in the browser of an app is shown the way to their own, with the shop’s address to copy', async (t) => {
  const page = flowErrorPage({ reason: 'other_browser', shop, isInAppBrowser: true })
  t.match(page, 'Open in browser')
  t.match(page, '<code class="copy">https://kiln.example/?a=1&amp;b=2</code>')
  t.match(page, 'Back to')
  t.notMatch(flowErrorPage({ reason: 'other_browser', shop, isInAppBrowser: false }), 'Open in browser')
  t.notMatch(flowErrorPage({ reason: 'provider_unavailable', shop, isInAppBrowser: true }), 'Open in browser')
})

test('T-82: a hostile shop name and address stay text', async (t) => {
  const page = flowErrorPage({ reason: 'expired', shop: { name: '"><script>alert(1)</script>', url: 'https://s.example/"><script>' }, isInAppBrowser: true })
  t.notMatch(page, '<script')
  t.match(page, '<bdi>&quot;&gt;&lt;script&gt;')
})

test('each request error speaks to the shopper and to the developer', async (t) => {
  t.same(Object.keys(texts.requestErrors), requestReasons)
  for (const reason of requestReasons) {
    const page = requestErrorPage({ reason })
    t.match(page, 'It is not your fault', reason)
    t.match(page, 'back button', reason)
    t.match(page, 'For the shop’s developer', reason)
    t.match(page, `<code>${reason}</code>`, reason)
    t.notMatch(page, /<a\s/, reason)
  }
})

test('T-22: a request error names a parameter of the protocol and repeats nothing else', async (t) => {
  t.match(requestErrorPage({ reason: 'repeated_parameter', parameter: 'client_id' }), 'Parameter: <code>client_id</code>')
  for (const parameter of ['<b>', 'constructor', '__proto__', 'x'.repeat(1_000_000), 'call 555-0100 now']) {
    t.equal(requestErrorPage({ reason: 'repeated_parameter', parameter }), requestErrorPage({ reason: 'repeated_parameter' }))
  }
})

test('a page for too many tries says how long to wait', async (t) => {
  const cases: [seconds: number, text: string][] = [[0, 'Wait a second,'], [42.2, 'Wait 43 seconds,'], [90, 'Wait 90 seconds,'], [91, 'Wait 2 minutes,'], [3600, 'Wait 60 minutes,']]
  for (const [retryAfterSeconds, text] of cases) t.match(rateLimitedPage({ retryAfterSeconds }), text)
})

test('a missing page and a fault of ours lead back to the shop in words', async (t) => {
  t.match(notFoundPage(), 'Go back to the shop')
  t.match(unavailablePage(), 'The fault is ours, not yours')
  t.match(unavailablePage(), 'Go back to the shop')
})
