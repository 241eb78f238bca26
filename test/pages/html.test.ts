import fc from 'fast-check'
import { test } from 'tap'
import { escapeHTML, html, isWebAddress } from '../../src/pages/html.ts'

test('T-82: markup in an interpolated text is escaped, in content and in attributes', async (t) => {
  const text = '<img src=x onerror="alert(\'1\')">&amp;`'
  t.equal(html`<p title="${text}">${text}</p>`.toString(),
    '<p title="&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;&#96;">&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;amp;&#96;</p>')
})

test('HTML inside HTML is not escaped again, lists are joined, and what is absent leaves nothing', async (t) => {
  const items = ['a', '<b>'].map((item) => html`<li>${item}</li>`)
  t.equal(html`<ul>${items}${null}${undefined}${false}${0}${['&', 2]}</ul>`.toString(), '<ul><li>a</li><li>&lt;b&gt;</li>0&amp;2</ul>')
})

test('an object with a toString of its own does not pass for HTML', async (t) => {
  const forged = Object.assign(['<b>'], { toString: () => '<b>' })
  t.equal(html`${forged}`.toString(), '&lt;b&gt;')
})

test('no text survives escaping with a character that ends its place', async (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => !/[<>"'`]/.test(escapeHTML(text))), { verbose: true })
  t.pass()
})

test('T-82: a link leads to the web or to a path of ours, never to a script', async (t) => {
  const cases: [address: string, isWeb: boolean][] = [
    ['https://shop.example/', true], ['http://localhost:8080/', true], ['/oauth/authorize?x=1', true],
    ['javascript:alert(1)', false], [' JaVaScRiPt:alert(1)', false], ['java\nscript:alert(1)', false],
    ['data:text/html,<script>', false], ['vbscript:x', false], ['https://', false], ['file:///etc/passwd', false]
  ]
  for (const [address, isWeb] of cases) t.equal(isWebAddress(address), isWeb, JSON.stringify(address))
})
