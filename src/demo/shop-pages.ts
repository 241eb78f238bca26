import { html, type Markup } from '../pages/html.ts'
import type { Shopper } from './leadlatch-client.ts'
import { CAMERA, MUG } from './pictures.ts'
import { buildShopPage, formatPrice, PRODUCT, SHOP_NAME } from './shop-layout.ts'
import type { Order, Visit } from './visits.ts'

/** Why a sign-in did not work, in the shop's own words. */
export const NOTICES: ReadonlyMap<string, string> = new Map([
  ['denied', 'You did not sign in with Instagram. You can go on without, or try again.'],
  ['other_browser', 'That sign-in was used before, or began in another window or app, so it was stopped. You can sign in here anew.'],
  ['failed', 'Signing in with Instagram did not work just now. You can go on without, or try again.']
])

/** What the checkout form holds, and what is wrong with it. */
export type CheckoutForm = { name: string, email: string, isEmailWrong: boolean }

export function productPage (): string {
  return buildShopPage({
    title: PRODUCT.name,
    body: html`<div class="two">
<div class="picture">${MUG}</div>
<div>
<h1>${PRODUCT.name}</h1>
<p class="price">${formatPrice(PRODUCT.priceCents)}</p>
<p>Stoneware for the first coffee of the day: 320 ml, a wide foot that does not tip, and a handle for a whole hand. The glaze runs like the tide line, so no two are alike.</p>
<form method="post" action="/cart">
<label for="quantity">Quantity</label>
<select id="quantity" name="quantity">${[1, 2, 3, 4, 5, 6].map((count) => html`<option>${count}</option>`)}</select>
<p><button>Add to cart</button></p>
</form>
<p class="soft small">In stock. Sent within two days.</p>
</div>
</div>`
  })
}

export function cartPage ({ quantity }: Visit, notice: string | undefined): string {
  if (quantity === 0) {
    return buildShopPage({ title: 'Cart', body: html`${formatNotice(notice)}<h1>Your cart is empty</h1><p><a class="button" href="/">Look at the mugs</a></p>` })
  }
  return buildShopPage({
    title: 'Cart',
    body: html`<h1>Your cart</h1>
${formatNotice(notice)}
<div class="card">${formatLine(quantity)}</div>
<p><a class="button" href="/checkout">Go to checkout</a></p>`
  })
}

export function checkoutPage (visit: Visit, form: CheckoutForm, notice: string | undefined): string {
  return buildShopPage({
    title: 'Checkout',
    body: html`<h1>Checkout</h1>
${formatNotice(notice)}
<div class="two checkout">
<div>
<section class="card">${visit.shopper === null ? formatSignIn() : formatShopper(visit.shopper)}</section>
<form class="card" method="post" action="/checkout" novalidate>
<h2>Your details</h2>
<label for="name">Name</label>
<input id="name" name="name" autocomplete="name" maxlength="100" value="${form.name}">
<label for="email">E-mail <small id="email-hint">${visit.shopper === null ? 'For the confirmation of your order.' : 'For the confirmation of your order. Instagram does not tell us yours.'}</small></label>
<input id="email" name="email" type="email" autocomplete="email" inputmode="email" maxlength="254" required value="${form.email}" aria-describedby="email-hint${form.isEmailWrong && ' email-error'}" aria-invalid="${form.isEmailWrong ? 'true' : 'false'}">
${form.isEmailWrong && html`<p class="error" id="email-error" role="alert">Please give an e-mail address, such as ana@example.com.</p>`}
<button class="wide">Place order · ${formatPrice(visit.quantity * PRODUCT.priceCents)}</button>
</form>
</div>
<aside class="card" aria-label="Your order"><h2>Your order</h2>${formatLine(visit.quantity)}</aside>
</div>`
  })
}

export function orderPage (order: Order): string {
  return buildShopPage({
    title: 'Thank you',
    body: html`<h1>Thank you${order.name !== '' && html`, <bdi>${order.name}</bdi>`}!</h1>
<p>Order ${order.number} is on its way to the kiln. A confirmation goes to <bdi>${order.email}</bdi>.</p>
<div class="card">${formatLine(order.quantity)}</div>
${order.shopper !== null && html`<p class="soft">${order.isReported
  ? 'Your e-mail address now stands beside your Instagram account in the shop’s list of customers.'
  : 'Leadlatch could not be reached, so the shop’s list of customers does not show this order’s e-mail address.'}</p>`}
<p><a class="button" href="/owner">See what the shop owner sees</a></p>`
  })
}

export function missingPage (): string {
  return buildShopPage({ title: 'Not found', body: html`<h1>There is no such page</h1><p><a class="button" href="/">Back to ${SHOP_NAME}</a></p>` })
}

function formatNotice (notice: string | undefined): Markup | undefined {
  return notice === undefined ? undefined : html`<p class="notice" role="status">${notice}</p>`
}

function formatSignIn (): Markup {
  return html`<h2>Quicker with Instagram</h2>
<p class="soft">Sign in, and your name is filled in. You can just as well go on as a guest below.</p>
<a class="button instagram wide" href="/auth/start" rel="nofollow" data-provider="instagram">${CAMERA} Continue with Instagram</a>
<p class="hint">For business and creator accounts.</p>`
}

function formatShopper (shopper: Shopper): Markup {
  const shown = shopper.username === null ? shopper.name ?? 'your Instagram account' : `@${shopper.username}`
  return html`<div class="person">
<span class="face" aria-hidden="true">${[...shown.replace('@', '')][0]?.toUpperCase()}</span>
<span class="grow">Continuing as <strong><bdi>${shown}</bdi></strong></span>
<form method="post" action="/checkout/forget"><button class="link">Not you?</button></form>
</div>`
}

function formatLine (quantity: number): Markup {
  return html`<div class="row">
<span class="thumb" aria-hidden="true">${MUG}</span>
<span class="grow"><strong>${PRODUCT.name}</strong><br><span class="soft">${quantity} × ${formatPrice(PRODUCT.priceCents)}</span></span>
<strong>${formatPrice(quantity * PRODUCT.priceCents)}</strong>
</div>`
}
