import { html, type Interpolation } from './html.ts'
import { buildPage } from './layout.ts'
import { texts } from './texts.ts'

/** Builds the page for an address that leads nowhere. */
export function notFoundPage (): string {
  return formatMessage(texts.notFound)
}

/** Builds the page for an address from which too many requests came. */
export function rateLimitedPage ({ retryAfterSeconds }: { retryAfterSeconds: number }): string {
  return formatMessage({ ...texts.rateLimited, todo: texts.rateLimited.todo(retryAfterSeconds) })
}

/** Builds the page for a fault of the service; the cause is in the log alone. */
export function unavailablePage (): string {
  return formatMessage(texts.unavailable)
}

function formatMessage ({ heading, what, todo }: { heading: string, what: string, todo: Interpolation }): string {
  return buildPage({
    heading,
    body: html`<p>${what}</p>
<h2>${texts.whatToDo}</h2>
<p>${todo}</p>`
  })
}
