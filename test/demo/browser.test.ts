import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { type Test, test } from 'tap'
import { startDemo } from '../../src/demo/demo.ts'

const CHROMIUM = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium'
const ARGUMENTS = [
  '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync'
]
const skip = existsSync(CHROMIUM) ? false : `There is no Chromium at ${CHROMIUM}; set CHROMIUM_PATH to run this.`

test('a shopper signs in with Instagram at the checkout and the owner sees the lead', { skip }, async (t) => {
  const { page, shopURL, complaints } = await openDemo(t, { width: 390, height: 800 })
  await goToCheckout(page, shopURL)
  await page.click('text=Continue with Instagram')
  t.equal(new URL(page.url()).hostname, 'instagram.localhost')
  await page.click('label:has-text("ana.makes")')
  await page.click('text=Allow')
  await page.waitForURL(`${shopURL}/checkout#`)
  t.match(await page.textContent('.person'), 'Continuing as @ana.makes')
  t.equal(await page.inputValue('#name'), 'Ana Ferreira')
  await page.fill('#email', 'ana@example.com')
  await page.click('button:has-text("Place order")')
  await page.waitForURL(`${shopURL}/order`)
  await page.click('text=See what the shop owner sees')
  const row = await page.textContent('tbody tr')
  for (const text of ['@ana.makes', 'Ana Ferreira', 'ana@example.com', 'typed', 'active']) t.match(row, text)
  t.ok(await fitsWidth(page), 'no page is wider than the phone')
  t.same(complaints, [])
})

test('a shopper who cancels comes back to the checkout and can go on as a guest', { skip }, async (t) => {
  const { page, shopURL, complaints } = await openDemo(t, { width: 1200, height: 800 })
  await goToCheckout(page, shopURL)
  await page.click('text=Continue with Instagram')
  await page.click('text=Cancel')
  await page.waitForURL(`${shopURL}/checkout?notice=denied#`)
  t.match(await page.textContent('.notice'), 'You did not sign in with Instagram')
  await page.fill('#email', 'guest@example.com')
  await page.click('button:has-text("Place order")')
  await page.waitForURL(`${shopURL}/order`)
  t.match(await page.textContent('h1'), 'Thank you')
  t.same(complaints, [])
})

test('a sign-in that ends in another browser shows the page that leads back to the shop', { skip }, async (t) => {
  const { page, shopURL, browser } = await openDemo(t, { width: 390, height: 800 })
  await goToCheckout(page, shopURL)
  await page.click('text=Continue with Instagram')
  const other = await browser.newPage({ userAgent: 'Mozilla/5.0 (iPhone) Mobile/15E148 Instagram 389.0.0.24.82 (iPhone16,1)' })
  const complaints = collectComplaints(other, /status of 400/)
  await other.goto(page.url())
  await other.click('text=Allow')
  await other.waitForURL(/\/oauth\/callback\/instagram/)
  t.match(await other.textContent('h1'), 'This sign-in began in another window or app')
  t.equal(await other.textContent('code.copy'), shopURL)
  t.equal(await other.evaluate('getComputedStyle(document.querySelector("a.button")).color'), 'rgb(255, 255, 255)', 'the policy lets the style in')
  t.ok(await fitsWidth(other))
  await other.keyboard.press('Tab')
  t.equal(await other.evaluate('document.activeElement.className'), 'button', 'the way back is the first stop of the keyboard')
  await other.keyboard.press('Enter')
  await other.waitForURL(`${shopURL}/`)
  t.same(complaints, [])
})

async function openDemo (t: Test, viewport: { width: number, height: number }): Promise<{
  browser: Browser, page: Page, shopURL: string, complaints: string[]
}> {
  const demo = await startDemo({ port: 0, log: (line) => t.comment(line) })
  t.teardown(() => demo.close())
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport })
  return { browser, page, shopURL: demo.shopURL, complaints: collectComplaints(page) }
}

// What the browser complains about: refused styles, blocked requests, failed loads.
function collectComplaints (page: Page, expected?: RegExp): string[] {
  const complaints: string[] = []
  page.on('console', (message) => {
    if (!message.text().includes('favicon') && expected?.test(message.text()) !== true) complaints.push(message.text())
  })
  return complaints
}

async function goToCheckout (page: Page, shopURL: string): Promise<void> {
  await page.goto(shopURL)
  await page.selectOption('#quantity', '2')
  await page.click('text=Add to cart')
  await page.click('text=Go to checkout')
}

async function fitsWidth (page: Page): Promise<boolean> {
  return await page.evaluate('document.documentElement.scrollWidth <= innerWidth') === true
}
