import type { Answer } from './answer.ts'
import type { AuthorizationRequest } from './platform.ts'
import { escapeHTML, pageAnswer } from './page.ts'
import type { Persona } from './personas.ts'

/** What the consent page shows. */
export type Consent = {
  request: AuthorizationRequest
  /** Id under which the request waits. */
  requestId: string
  clientId: string
  personas: Iterable<Persona>
}

const shared: Readonly<Record<string, string>> = {
  instagram_business_basic: 'Profile: username, name, picture and account type',
  instagram_business_content_publish: 'Publish photos and videos',
  instagram_business_manage_comments: 'Read and answer comments',
  instagram_business_manage_messages: 'Read and answer messages',
  instagram_business_manage_insights: 'See how the account performs',
  user_profile: 'Profile: username, account type and number of posts',
  user_media: 'Photos and videos',
}

/** Builds the consent page: who asks, what for, and as whom to answer. */
export function consentAnswer ({ request, requestId, clientId, personas }: Consent): Answer {
  const action = request.flavour === 'instagram' ? '/www' : '/api'
  return pageAnswer({
    title: 'Demo shop sign-in would like to use your account',
    body: `<p class="soft">App ${escapeHTML(clientId)}. You will return to ${escapeHTML(new URL(request.redirectURI).host)}.</p>
<h2>What is shared</h2>
<ul>${request.scopes.map((scope) => `<li>${escapeHTML(shared[scope] ?? scope)}</li>`).join('')}</ul>
<form method="post" action="${action}/oauth/authorize/decision">
<input type="hidden" name="request" value="${escapeHTML(requestId)}">
<fieldset>
<legend>Choose an account</legend>
${[...personas].map(formatChoice).join('\n')}
</fieldset>
<div class="actions">
<button class="first" name="decision" value="allow">Allow</button>
<button name="decision" value="cancel">Cancel</button>
</div>
</form>`,
  })
}

function formatChoice (persona: Persona, index: number): string {
  const accountType = persona.accountType.toLowerCase().replaceAll('_', ' ')
  // Isolated, since a name may be written from right to left.
  const name = persona.name === null ? '' : `<bdi>${escapeHTML(persona.name)}</bdi> · `
  return `<label class="choice"><input type="radio" name="persona" value="${escapeHTML(persona.id)}"${index === 0 ? ' checked' : ''}>
<span>Continue as ${escapeHTML(persona.username)} <small>${name}${escapeHTML(accountType)}</small></span></label>`
}
