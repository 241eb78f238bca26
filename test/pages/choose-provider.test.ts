import { test } from 'tap'
import { chooseProviderPage } from '../../src/pages/choose-provider.ts'

test('the choice names the shop and has a link for each provider, with the note for Instagram', async (t) => {
  const page = chooseProviderPage({
    shopName: 'Kiln & Co',
    choices: [
      { id: 'instagram', label: 'Instagram', href: 'https://id.example/oauth/authorize?a=1&provider=instagram' },
      { id: 'google', label: 'Google', href: '/oauth/authorize?provider=google' }
    ]
  })
  t.match(page, 'You are signing in to <bdi>Kiln &amp; Co</bdi>')
  t.match(page, '<a class="choice" href="https://id.example/oauth/authorize?a=1&amp;provider=instagram" data-provider="instagram">Continue with <bdi>Instagram</bdi> <small>For business and creator accounts</small></a>')
  t.match(page, '<a class="choice" href="/oauth/authorize?provider=google" data-provider="google">Continue with <bdi>Google</bdi></a>')
})

test('a note that is given stands in place of the one for Instagram', async (t) => {
  const page = chooseProviderPage({ shopName: 'S', choices: [{ id: 'instagram', label: 'I', note: 'Closed on <Mondays>', href: '/' }] })
  t.match(page, '<small>Closed on &lt;Mondays&gt;</small>')
  t.notMatch(page, 'creator')
})

test('T-82: a shop name cannot break out, turn the text around or flood the page', async (t) => {
  const page = chooseProviderPage({ shopName: `</bdi><script>\u202e${'x'.repeat(5000)}`, choices: [] })
  t.match(page, '<bdi>&lt;/bdi&gt;&lt;script&gt;\u202exxx')
  t.match(page, /x…<\/bdi>/)
  t.ok(page.length < 6000)
})

test('a link that is no web address is left out, and a choice without any says what to do', async (t) => {
  const page = chooseProviderPage({ shopName: 'S', choices: [{ id: 'evil', label: 'Evil', href: 'javascript:alert(1)' }] })
  t.notMatch(page, 'javascript')
  t.match(page, 'continue without signing in')
})
