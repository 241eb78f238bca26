import type { GuideProblemReason, GuideRefusalReason } from './guide-texts.ts'
import { html, type Markup } from './html.ts'
import { buildPage } from './layout.ts'
import { formatName } from './name.ts'
import { formatCSP, PAGE_CSP_DIRECTIVES } from './security.ts'
import { texts } from './texts.ts'

const { guide: guideTexts } = texts

/** What a browser may do with the guided page: show it, and send its form to us. In Helmet's shape. */
export const GUIDE_CSP: string = formatCSP({ ...PAGE_CSP_DIRECTIVES, 'form-action': ["'self'"] })

/** What the guided page is about. */
export type GuidePage = {
  shopName: string
  provider: { id: string, label: string }
  appId: string
  redirectURI: string
  expiresAtMs: number
}

/** Whose token was stored, and until when; null: the provider does not say yet. */
export type GuideOutcome = { username: string | null, name: string | null, providerUserId: string, expiresAtMs: number | null }

/**
 * Builds the page that walks through the provider's dashboard and takes the pasted token. It never
 * holds the token.
 * @param options.problem what was wrong with the last try; then the form comes first
 */
export function guidePage ({ shopName, provider, appId, redirectURI, expiresAtMs }: GuidePage, problem: GuideProblemReason | null = null): string {
  const steps = html`<h2>${guideTexts.stepsHeading}</h2>
<ol>
${guideTexts.steps(provider.id, { appId, redirectURI }).map((step) => html`<li>${step}</li>
`)}</ol>`
  const form = formatForm(problem)
  return buildPage({
    heading: guideTexts.heading,
    body: html`<p>${guideTexts.lead(formatName(shopName), formatName(provider.label))}</p>
<p class="soft">${guideTexts.until(formatMoment(expiresAtMs))}</p>
${problem === null ? [steps, form] : [form, steps]}`
  })
}

/** Builds the page of a link that is spent: whose token it took, and until when that is good. */
export function guideDonePage ({ username, name, providerUserId, expiresAtMs }: GuideOutcome): string {
  const { done } = guideTexts
  const handle = username === null ? formatName(providerUserId) : html`@${formatName(username)}`
  return buildPage({
    heading: done.heading,
    body: html`<p>${done.what(html`<strong>${handle}</strong>${name !== null && html` (${formatName(name)})`}`)}</p>
<ul>
<li>${done.accountId} <code>${providerUserId}</code></li>
<li>${done.until} ${expiresAtMs === null ? done.unknown : html`<strong>${formatMoment(expiresAtMs)}</strong>. ${done.later}`}</li>
</ul>
<p class="soft">${done.over}</p>`
  })
}

/** Builds the page of a spent link whose token is no longer stored. */
export function guideGonePage (): string {
  return formatTold(guideTexts.gone)
}

/** Builds the page of a link that does not open here. */
export function guideRefusalPage (reason: GuideRefusalReason): string {
  return formatTold(guideTexts.refusals[reason])
}

// No action: the form goes to the page's own address. Spelling checkers may send a text elsewhere.
function formatForm (problem: GuideProblemReason | null): Markup {
  const told = problem === null ? null : guideTexts.problems[problem]
  return html`${told !== null && html`<section class="panel alert" role="alert" id="problem">
<h2>${told.heading}</h2>
<p>${told.what}</p>
<p>${told.todo}</p>
</section>`}
<form method="post" autocomplete="off">
<label for="access_token">${guideTexts.label}</label>
<textarea id="access_token" name="access_token" rows="4" required autocomplete="off" autocapitalize="off" autocorrect="off" spellcheck="false" aria-describedby="${told === null ? 'hint' : 'problem hint'}"${told !== null && html` aria-invalid="true"`}></textarea>
<p class="soft" id="hint">${guideTexts.hint}</p>
<button type="submit">${guideTexts.button}</button>
</form>
`
}

function formatTold ({ heading, what, todo }: { heading: string, what: string, todo: Markup }): string {
  return buildPage({
    heading,
    body: html`<p>${what}</p>
<h2>${texts.whatToDo}</h2>
<p>${todo}</p>`
  })
}

function formatMoment (timeMs: number): Markup {
  const time = new Date(timeMs)
  const words = time.toLocaleString(texts.language, { dateStyle: 'long', timeStyle: 'short', hourCycle: 'h23', timeZone: 'UTC' })
  return html`<time datetime="${time.toISOString()}">${words} UTC</time>`
}
