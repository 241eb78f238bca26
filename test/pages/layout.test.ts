import { createHash } from 'node:crypto'
import { test } from 'tap'
import { html } from '../../src/pages/html.ts'
import { buildPage, PALETTES } from '../../src/pages/layout.ts'
import { formatCSP, PAGE_CSP_DIRECTIVES } from '../../src/pages/security.ts'

const page = buildPage({ heading: 'A <heading>', body: html`<p>A body</p>` })

test('T-82: the policy allows the one style of the page by its hash, and nothing else', async (t) => {
  const style = /<style>(.*)<\/style>/s.exec(page)?.[1] ?? ''
  const hash = createHash('sha256').update(style).digest('base64')
  t.equal(formatCSP(PAGE_CSP_DIRECTIVES), `default-src 'none';style-src 'sha256-${hash}';base-uri 'none';form-action 'none';frame-ancestors 'none'`)
  t.same(PAGE_CSP_DIRECTIVES['default-src'], ["'none'"])
  t.notMatch(page, /<(script|img|link|iframe|form|object)|\sstyle=|\son\w+=/i)
})

test('T-24: a page names no other host, so that no address of ours leaks to one', async (t) => {
  t.notMatch(page, /https?:|url\(|@import/)
  t.match(page, '<meta name="referrer" content="no-referrer">')
})

test('a page says its language, fits a phone and has one heading that is its title', async (t) => {
  t.match(page, /^<!doctype html>\n<html lang="en" dir="ltr">/)
  t.match(page, '<meta name="viewport" content="width=device-width, initial-scale=1">')
  t.match(page, '<title>A &lt;heading&gt; · Leadlatch</title>')
  t.equal(page.match(/<h1>/g)?.length, 1)
})

test('texts have a contrast of 4.5 and focus rings of 3 to what is behind them, by day and by night', async (t) => {
  for (const [name, { text, soft, ground, card, mark, onMark, panel }] of Object.entries(PALETTES)) {
    const pairs = [[text, card], [text, panel], [soft, ground], [soft, card], [soft, panel], [mark, card], [onMark, mark]] as const
    for (const [front, back] of pairs) t.ok(contrast(front, back) >= 4.5, `${name}: ${front} on ${back} has ${contrast(front, back).toFixed(2)}`)
    t.ok(contrast(mark, ground) >= 3, `${name}: focus ring`)
  }
})

// WCAG 2.2, definition of contrast ratio.
function contrast (first: string, second: string): number {
  const [light = 0, dark = 0] = [luminance(first), luminance(second)].sort((a, b) => b - a)
  return (light + 0.05) / (dark + 0.05)
}

function luminance (colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255)
    .map((channel) => channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4)
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
