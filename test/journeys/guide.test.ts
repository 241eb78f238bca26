import { existsSync } from 'node:fs'
import { chromium, type Page } from 'playwright-core'
import { type Test, test } from 'tap'
import { createGuideLink } from '../../src/flows/guide.ts'
import { build } from '../support/build.ts'
import { freePort } from '../support/process.ts'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'
]
const skip = existsSync(CHROMIUM) ? false : `There is no Chromium at ${CHROMIUM}; set CHROMIUM_PATH to run this.`

async function openLink (t: Test, viewport: { width: number, height: number }) {
  const port = await freePort()
  const publicURL = `http://localhost:${port}`
  const built = await build(t, { publicURL })
  await built.app.listen({ host: '127.0.0.1', port })
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport })
  const complaints: string[] = []
  page.on('console', (message) => { if (message.type() === 'error' && !/status of (400|403)/.test(message.text())) complaints.push(message.text()) })
  page.on('pageerror', (error) => complaints.push(error.message))
  const { link } = await createGuideLink(built.parts, { shopId: built.shop.id, provider: 'instagram', publicURL, actor: 'cli' })
  await page.goto(link)
  return { built, browser, page, link, complaints, show: (name: string) => photograph(page, name) }
}

// For a look at the pages: GUIDE_PICTURES names a folder.
async function photograph (page: Page, name: string): Promise<void> {
  const folder = process.env.GUIDE_PICTURES
  if (folder !== undefined) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true })
}

function fitsWidth (page: Page): Promise<boolean> {
  return page.evaluate('document.documentElement.scrollWidth <= document.documentElement.clientWidth')
}

test('a shop owner follows the page on a phone, pastes a wrong token, then the right one, and sees whose it is', { skip }, async (t) => {
  const { built, page, complaints, show } = await openLink(t, { width: 360, height: 740 })
  await show('phone-steps')
  t.equal(await page.locator('ol > li').count(), 7)
  t.ok(await fitsWidth(page))
  await page.getByLabel('Access token').fill('IGAA-no-such-token')
  await page.getByRole('button', { name: 'Check and store' }).click()
  t.match(await page.getByRole('alert').textContent(), 'This token is not accepted')
  t.equal(await page.getByLabel('Access token').inputValue(), '', 'what was pasted is not sent back')
  t.ok(await fitsWidth(page))
  t.ok(await page.evaluate("document.querySelector('[role=alert]').getBoundingClientRect().bottom < innerHeight"), 'what went wrong is in sight')
  await show('phone-refused')
  await page.getByLabel('Access token').fill(`\n "${built.emulator.control.mintToken('emoji', { kind: 'short' })}" \n`)
  await page.keyboard.press('Tab')
  await page.keyboard.press('Enter')
  await page.waitForSelector('h1:has-text("The account is connected")')
  t.match(await page.textContent('main'), '@noor_atelier')
  await show('phone-done')
  await page.reload()
  t.match(await page.textContent('h1'), 'The account is connected')
  t.equal(await page.locator('form').count(), 0)
  t.ok(await fitsWidth(page))
  t.same(complaints, [], 'the policy lets the page and its form through')
})

test('the link does not open in a second browser, and at night the page is dark', { skip }, async (t) => {
  const { browser, link, page, show } = await openLink(t, { width: 1280, height: 900 })
  await show('desk-steps')
  const other = await browser.newContext({ colorScheme: 'dark', viewport: { width: 360, height: 740 } })
  const second = await other.newPage()
  const response = await second.goto(link)
  t.equal(response?.status(), 403)
  t.match(await second.textContent('h1'), 'This link belongs to another browser')
  await photograph(second, 'phone-other-browser-dark')
  await page.emulateMedia({ colorScheme: 'dark' })
  await show('desk-steps-dark')
  t.not(await page.evaluate("getComputedStyle(document.querySelector('textarea')).backgroundColor"), 'rgb(255, 255, 255)')
})

test('a form on another site cannot use the browser that opened the link', { skip }, async (t) => {
  const { built, page, link } = await openLink(t, { width: 800, height: 600 })
  const token = built.emulator.control.mintToken('business', { kind: 'short' })
  await page.route('http://evil.localhost/', (route) => route.fulfill({
    contentType: 'text/html', body: `<form method="post" action="${link}"><input name="access_token" value="${token}"><button>Win</button></form>`
  }))
  await page.goto('http://evil.localhost/')
  await page.click('button')
  t.match(await page.textContent('h1'), 'This was not sent from our page')
  t.equal((await built.parts.database.all('select id from customers')).length, 0)
})
