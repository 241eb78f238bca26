import { html } from './html.ts'
import { buildPage } from './layout.ts'
import { type RequestErrorReason, texts } from './texts.ts'

const PARAMETERS = new Set([
  'response_type', 'client_id', 'redirect_uri', 'state', 'scope', 'nonce', 'code_challenge', 'code_challenge_method', 'provider', 'prompt'
])

/**
 * Builds the page for an authorization request whose redirect URI is not proven, so that no redirect
 * may carry the error (RFC 6749 4.1.2.1). It repeats nothing that the request sent.
 * @param options.parameter the parameter at fault; shown only when it is one that the protocol knows
 */
export function requestErrorPage ({ reason, parameter }: { reason: RequestErrorReason, parameter?: string }): string {
  const { heading, cure } = texts.requestErrors[reason]
  return buildPage({
    heading,
    body: html`<p>${texts.request.what}</p>
<h2>${texts.whatToDo}</h2>
<p>${texts.request.todo}</p>
<section class="panel">
<h2>${texts.request.forDeveloper}</h2>
<p>${cure}</p>
<p class="soft">${texts.request.reason} <code>${reason}</code>${parameter !== undefined && PARAMETERS.has(parameter) && html`<br>
${texts.request.parameter} <code>${parameter}</code>`}</p>
</section>`
  })
}
