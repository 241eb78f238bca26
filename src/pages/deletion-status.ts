import { html, type Markup } from './html.ts'
import { buildPage } from './layout.ts'
import { texts } from './texts.ts'

/**
 * Builds the public page that tells what became of a deletion request. It says nothing of the person,
 * not even whether anything was held of them.
 */
export function deletionStatusPage ({ issuedAtMs, completedAtMs }: { issuedAtMs: number, completedAtMs: number }): string {
  const { deletion } = texts
  return buildPage({
    heading: deletion.heading,
    body: html`<p>${deletion.what}</p>
<ul>
<li>${deletion.state} <strong>${deletion.completed}</strong></li>
<li>${deletion.requestedAt} ${formatMoment(issuedAtMs)}</li>
<li>${deletion.completedAt} ${formatMoment(completedAtMs)}</li>
</ul>
<h2>${deletion.keptHeading}</h2>
<p>${deletion.kept}</p>
<h2>${deletion.returnHeading}</h2>
<p>${deletion.returned}</p>`
  })
}

function formatMoment (timeMs: number): Markup {
  const time = new Date(timeMs).toISOString()
  return html`<time datetime="${time}">${time.slice(0, 10)} ${time.slice(11, 16)} UTC</time>`
}
