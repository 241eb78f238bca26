import type { Answer } from './answer.ts'
import type { Control } from './control.ts'
import { faultPlaces, type FaultyEndpoint } from './faults.ts'
import { escapeHTML, pageAnswer } from './page.ts'
import type { Platform } from './platform.ts'
import type { Switches } from './switches.ts'

/** What the control page shows. */
export type ControlPage = { platform: Platform, control: Control, settings: Record<string, string> }

const shownCalls = 20
const endpoints: readonly FaultyEndpoint[] = ['authorize', 'token', 'exchange', 'refresh', 'me']

/** Builds the page from which a person drives the emulator. */
export function controlPageAnswer ({ platform, control, settings }: ControlPage): Answer {
  return pageAnswer({
    title: 'Instagram emulator',
    isWide: true,
    body: [
      formatSettings(platform, settings),
      formatPersonas(platform),
      formatFaults(platform),
      formatSwitches(platform),
      formatClock(platform),
      formatCalls(control),
    ].join('\n'),
  })
}

function formatSettings ({ apps }: Platform, settings: Record<string, string>): string {
  const lines = Object.entries(settings).map(([name, value]) => `${name}=${value}`)
  const rows = Object.entries(apps).map(([flavour, app]) =>
    [flavour, app.clientId, app.metaAppId, app.replyShape, app.redirectURIs.join(' ') || 'none'])
  return `<h2>Settings for the service</h2>
<p class="soft">Secrets are shown: they are made up at each start and open nothing else.</p>
<pre tabindex="0" aria-label="Settings">${escapeHTML(lines.join('\n'))}</pre>
<h2>Apps</h2>
${formatTable(['Flavour', 'Instagram app id', 'Meta app id', 'Token reply', 'Redirect URIs'], rows)}`
}

function formatPersonas ({ personas }: Platform): string {
  return `<h2>Personas</h2>
${formatTable(['Persona', 'Username', 'Name', 'Account type', 'id', 'user_id'], [...personas.values()].map((persona) =>
  [persona.id, persona.username, persona.name ?? '', persona.accountType, persona.appScopedId, persona.userId]))}
<form class="row" method="post" action="/emulator/revoke">
${formatSelect('revoke', 'persona', 'Kill the tokens of', [...personas.keys()])}
${formatSelect('revoke', 'subcode', 'as', [['', 'no subcode'], ['458', '458 app removed'], ['459', '459 checkpoint'], ['460', '460 password changed'], ['463', '463 expired'], ['464', '464 unconfirmed'], ['467', '467 logged out']])}
<button>Revoke</button>
</form>`
}

function formatFaults ({ faults }: Platform): string {
  const active = faults.list().map(({ endpoint, fault, timesLeft }) => `<form class="row" method="post" action="/emulator/clear-fault">
<input type="hidden" name="endpoint" value="${endpoint}">
<span><strong>${endpoint}</strong>: ${fault.name}, ${timesLeft === null ? 'until cleared' : `${timesLeft} more`}</span>
<button aria-label="Clear the fault at ${endpoint}">Clear</button>
</form>`)
  return `<h2>Faults</h2>
${active.join('\n') || '<p class="soft">None: everything works.</p>'}
<form class="row" method="post" action="/emulator/fault">
${formatSelect('fault', 'endpoint', 'Endpoint', endpoints)}
${formatSelect('fault', 'name', 'Fault', Object.keys(faultPlaces))}
${formatNumber('fault', 'times', 'Calls (empty: until cleared)')}
${formatNumber('fault', 'ms', 'Delay of slow, ms')}
${formatNumber('fault', 'minutes', 'Minutes of rate_limit')}
${formatNumber('fault', 'code', 'Code of graph_error')}
${formatNumber('fault', 'subcode', 'Subcode of graph_error')}
<button class="first">Switch on</button>
</form>`
}

function formatSwitches ({ switches, personas }: Platform): string {
  const choices: readonly [keyof Switches, string, readonly Choice[]][] = [
    ['remember', 'Remember who allowed', [['false', 'off'], ['true', 'on']]],
    ['instant', 'Answer without a page as', [['null', 'nobody'], ...personas.keys()]],
    ['refreshReturns', 'A refresh returns', [['same', 'the same token'], ['new', 'a new token']]],
    ['tokenUserId', "The token reply's user_id is", ['user_id', 'id']],
    ['replyShape', 'Token reply', [['null', "the app's shape"], 'flat', 'wrapped']],
    ['tokenErrors', 'Token errors', [['plain', 'plain'], ['meta', 'wrapped in meta']]],
  ]
  return `<h2>Switches</h2>
<form class="row" method="post" action="/emulator/set">
${choices.map(([name, label, options]) => formatSelect('set', name, label, options, String(switches[name]))).join('\n')}
${formatNumber('set', 'usageFrom', 'Usage headers from call', switches.usageFrom)}
${formatNumber('set', 'usagePercent', 'Usage, percent', switches.usagePercent)}
<button class="first">Set</button>
</form>`
}

function formatClock ({ clock }: Platform): string {
  const hour = 3_600_000
  return `<h2>Clock</h2>
<form class="row" method="post" action="/emulator/advance">
<span>${new Date(clock.now()).toISOString()}</span>
${formatSelect('advance', 'ms', 'Move forward by', [[`${hour}`, '1 hour'], [`${25 * hour}`, '25 hours'], [`${60 * 24 * hour}`, '60 days']])}
<button>Move</button>
</form>`
}

function formatCalls (control: Control): string {
  const calls = control.calls()
  const rows = calls.slice(-shownCalls).reverse().map(({ endpoint, at, status }) =>
    [new Date(at).toISOString(), endpoint, status === 0 ? 'not answered' : String(status)])
  return `<h2>Calls</h2>
<p>${calls.length} in all${rows.length < calls.length ? `, the last ${shownCalls} below` : ''}.</p>
${formatTable(['Time', 'Endpoint', 'Status'], rows)}
<div class="row">
<form method="post" action="/emulator/reset-calls"><button>Forget the calls</button></form>
<form method="post" action="/emulator/reset"><button>Reset everything but the apps</button></form>
</div>`
}

type Choice = string | readonly [value: string, label: string]

// Ids begin with the form's name, since two forms may have a field of one name.
function formatSelect (form: string, name: string, label: string, choices: readonly Choice[], chosen?: string): string {
  const options = choices.map((choice) => {
    const [value, text] = typeof choice === 'string' ? [choice, choice] : choice
    return `<option value="${escapeHTML(value)}"${value === chosen ? ' selected' : ''}>${escapeHTML(text)}</option>`
  })
  return formatField(form, name, label, `<select id="${form}-${name}" name="${name}">${options.join('')}</select>`)
}

function formatNumber (form: string, name: string, label: string, value: number | null = null): string {
  return formatField(form, name, label, `<input type="number" min="0" id="${form}-${name}" name="${name}" value="${value ?? ''}">`)
}

function formatField (form: string, name: string, label: string, input: string): string {
  return `<div class="field"><label for="${form}-${name}">${escapeHTML(label)}</label>${input}</div>`
}

function formatTable (headings: string[], rows: string[][]): string {
  const cells = rows.map((row) => `<tr>${row.map((cell) => `<td><bdi>${escapeHTML(cell)}</bdi></td>`).join('')}</tr>`)
  return `<div class="scroll" tabindex="0" role="region" aria-label="${escapeHTML(headings[0] ?? '')}"><table>
<thead><tr>${headings.map((heading) => `<th scope="col">${escapeHTML(heading)}</th>`).join('')}</tr></thead>
<tbody>${cells.join('')}</tbody>
</table></div>`
}
