import { isObject } from '../json.ts'
import { html, type Markup } from '../pages/html.ts'
import { buildShopPage } from './shop-layout.ts'

/**
 * Builds the page of the shop's owner: the leads as a table. A real shop shows it in its
 * administration, to people who may see customers.
 * @param leads as `GET /v1/leads` answers them; null when it did not
 */
export function ownerPage (leads: readonly Record<string, unknown>[] | null): string {
  return buildShopPage({
    title: 'What the shop owner sees',
    body: html`<h1>What the shop owner sees</h1>
<p class="soft">People who signed in, newest first, as <code>GET /v1/leads</code> answers. In a real shop this stands in the administration.</p>
${leads === null ? html`<p class="notice" role="status">Leadlatch cannot be reached at the moment.</p>` : formatLeads(leads)}
<p><a href="/owner">Refresh</a></p>`
  })
}

function formatLeads (leads: readonly Record<string, unknown>[]): Markup {
  if (leads.length === 0) return html`<p class="card">Nobody yet. <a href="/">Buy a mug</a> and continue with Instagram at the checkout.</p>`
  return html`<div class="scroll" role="region" aria-label="Leads" tabindex="0"><table>
<thead><tr>${['Account', 'Name', 'E-mail', 'Customer', 'Token', 'Sign-ins', 'First seen'].map((title) => html`<th scope="col">${title}</th>`)}</tr></thead>
<tbody>
${leads.map(formatLead)}</tbody>
</table></div>
<details><summary>The newest one as JSON</summary>
<pre>${JSON.stringify(leads[0], null, 2)}</pre></details>`
}

function formatLead (lead: Record<string, unknown>): Markup {
  const [username, email, source] = [text(lead['username']), text(lead['email']), text(lead['email_source'])]
  const token = isObject(lead['token']) ? text(lead['token']['status']) : ''
  return html`<tr>
<td><bdi>${username === '' ? text(lead['provider_user_id']) : `@${username}`}</bdi><br><span class="soft small">${text(lead['provider'])}</span></td>
<td><bdi>${text(lead['name'])}</bdi></td>
<td>${email === '' ? html`<span class="soft">not yet</span>` : html`<bdi>${email}</bdi>${source !== '' && html`<br><span class="soft small">${source}</span>`}`}</td>
<td>${text(lead['external_id'])}</td>
<td><span class="tag">${token}</span></td>
<td>${text(lead['login_count'])}</td>
<td>${text(lead['first_seen_at']).slice(0, 16).replace('T', ' ')}</td>
</tr>
`
}

function text (value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : ''
}
