import { html, isWebAddress, type Markup } from './html.ts'
import { buildPage } from './layout.ts'
import { formatName } from './name.ts'
import { type FlowErrorReason, texts } from './texts.ts'

/** A shop that a genuine state of ours names; its address is the registered one, never the request's. */
export type WayBack = { name: string, url: string }

/**
 * Builds the page for a sign-in that cannot go on: what happened, what to do, and the way back.
 * @param options.shop null when nothing proves which shop it was: then there is no link
 */
export function flowErrorPage ({ reason, shop, isInAppBrowser }: {
  reason: FlowErrorReason, shop: WayBack | null, isInAppBrowser: boolean
}): string {
  const { heading, what, todo, isBrowserSuspect } = texts.flowErrors[reason]
  const wayBack = shop !== null && isWebAddress(shop.url) ? shop : null
  const name = wayBack === null ? html`${texts.theShop}` : formatName(wayBack.name)
  return buildPage({
    heading,
    body: html`<p>${what}</p>
<h2>${texts.whatToDo}</h2>
<p>${todo(name)}</p>
${isInAppBrowser && isBrowserSuspect && formatInAppPanel(wayBack)}
${wayBack !== null && html`<a class="button" href="${wayBack.url}">${texts.backTo(name)}</a>`}`
  })
}

// The address is plain text that one tap selects: a script that copies it would need a wider policy.
function formatInAppPanel (wayBack: WayBack | null): Markup {
  return html`<section class="panel">
<h2>${texts.inApp.heading}</h2>
<p>${texts.inApp.what}</p>
${wayBack === null
  ? html`<p>${texts.inApp.withoutAddress}</p>`
  : html`<p>${texts.inApp.withAddress}</p>
<code class="copy">${wayBack.url}</code>`}
</section>`
}
