import { test } from 'tap'
import { guideDonePage, guideGonePage, guidePage, guideRefusalPage } from '../../src/pages/guide.ts'
import { texts } from '../../src/pages/texts.ts'

const FACTS = {
  shopName: '<b>Shop</b>',
  provider: { id: 'instagram', label: 'Instagram' },
  appId: '990602627938098',
  redirectURI: 'https://login.example/oauth/callback/instagram',
  expiresAtMs: Date.UTC(2026, 10, 1, 0, 30)
}

const names = Object.keys as <Key extends string>(of: Readonly<Record<Key, unknown>>) => Key[]

test('the form has a label, a hint and no address, and comes after the steps', async (t) => {
  const page = guidePage(FACTS)
  t.match(page, /<label for="access_token">Access token<\/label>\n<textarea id="access_token" [^>]*aria-describedby="hint"/)
  t.match(page, /<p class="soft" id="hint">/)
  t.notMatch(page, 'action=')
  t.notMatch(page, /role="alert"|aria-invalid/)
  t.ok(page.indexOf('<ol>') < page.indexOf('<form'))
  t.match(page, '&lt;b&gt;Shop')
})

test('each problem stands before the form, with what to do, and the steps stay', async (t) => {
  for (const problem of names(texts.guide.problems)) {
    const page = guidePage(FACTS, problem)
    const places = ['role="alert"', '<form', '<ol>'].map((text) => page.indexOf(text))
    t.ok(places.every((place, i) => place > (places[i - 1] ?? 0)), problem)
    t.match(page, 'aria-invalid="true"')
    t.match(page, 'aria-describedby="problem hint"')
  }
})

test('each refusal is a page of its own without a form', async (t) => {
  const headings = new Set<string>()
  for (const reason of names(texts.guide.refusals)) {
    const page = guideRefusalPage(reason)
    t.notMatch(page, '<form')
    t.match(page, 'What to do')
    headings.add(/<h1>(.*)<\/h1>/.exec(page)?.[1] ?? '')
  }
  t.equal(headings.size, names(texts.guide.refusals).length)
  t.match(guideGonePage(), 'no longer stored')
})

test('the result names the account by what there is', async (t) => {
  const person = { username: 'ana', name: 'Ana', providerUserId: '26814093771204518', expiresAtMs: Date.UTC(2026, 11, 31) }
  t.match(guideDonePage(person), '<strong>@<bdi>ana</bdi></strong> (<bdi>Ana</bdi>)')
  t.match(guideDonePage(person), '<time datetime="2026-12-31T00:00:00.000Z">December 31, 2026 at 00:00 UTC</time>')
  t.match(guideDonePage({ ...person, username: null, name: null }), '<strong><bdi>26814093771204518</bdi></strong> and')
  t.match(guideDonePage({ ...person, expiresAtMs: null }), 'usually it is 60 days')
  t.match(guideDonePage({ ...person, name: '<img src=x>' }), '&lt;img src=x&gt;')
})
