import { html, isWebAddress, type Markup } from './html.ts'
import { buildPage } from './layout.ts'
import { formatName } from './name.ts'
import { texts } from './texts.ts'

/** One way to sign in: where its link leads, and what else is to be said of it. */
export type ProviderChoice = { id: string, label: string, note?: string, href: string }

/**
 * Builds the page on which a person chooses where to sign in, one link a provider. Links and no
 * form, since the next answer redirects to the provider, which `form-action` would have to name.
 */
export function chooseProviderPage ({ shopName, choices }: {
  shopName: string, choices: readonly ProviderChoice[]
}): string {
  const offered = choices.filter(({ href }) => isWebAddress(href))
  return buildPage({
    heading: texts.choose.heading,
    body: html`<p>${texts.choose.lead(formatName(shopName))}</p>
${offered.length === 0
  ? html`<p>${texts.choose.nobody}</p>`
  : html`<ul>
${offered.map(formatChoice)}</ul>`}`
  })
}

function formatChoice (choice: ProviderChoice): Markup {
  const note = choice.note ?? texts.choose.providerNotes.get(choice.id)
  return html`<li><a class="choice" href="${choice.href}" data-provider="${choice.id}">${texts.choose.continueWith(formatName(choice.label))}${note !== undefined && html` <small>${note}</small>`}</a></li>
`
}
