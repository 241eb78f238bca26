import { randomBytes } from 'node:crypto'
import type { Dispatcher } from 'undici'
import type { InstagramSettings } from '../../config.ts'
import { type Provider, ProviderError } from '../../providers/provider.ts'
import { examineClock } from './clock.ts'
import type { Notes } from './finding.ts'
import { probe } from './probe.ts'

/** A configured provider with its settings, and the address that must be registered there. */
export type ExaminedProvider = { provider: Provider, settings: InstagramSettings, redirectURI: string | null }

// What the authorization window says of a request that it does not take. It asks for a sign-in first at
// times, and then says nothing.
const REFUSALS: ReadonlyArray<[RegExp, string, string, string]> = [
  [/Invalid platform app/i, 'app_unknown', 'does not know the app.', 'Use the Instagram app ID (App dashboard, Instagram, API setup with Instagram login), not the Meta app ID of "App settings".'],
  [/Invalid redirect_uri/i, 'redirect_uri_unregistered', 'does not know our redirect URI.', 'Register it to the letter (see "redirect_uri" above); the dashboard likes to add a trailing slash: take it away.'],
  [/Invalid scope/i, 'scope_invalid', 'does not offer the scopes that are asked for.', 'Leave LEADLATCH_INSTAGRAM_SCOPE unset, or set it to scopes that begin with instagram_business_.'],
  [/this page isn(&#0?39;|&#x27;|['’])t available/i, 'authorize_gone', 'has no login page at the configured address.', 'Leave LEADLATCH_INSTAGRAM_AUTHORIZE_URL unset: the page is at www.instagram.com since 2026.']
]

/** Examines one provider: its addresses, and what it thinks of our app id, secret and redirect URI. */
export async function examineProvider (notes: Notes, { provider, settings, redirectURI }: ExaminedProvider, options: {
  dispatcher: Dispatcher, now: () => number
}): Promise<void> {
  if (redirectURI === null) return notes.warn('redirect_uri_unknown', `${provider.label} was not asked, since LEADLATCH_PUBLIC_URL is not right.`, 'Correct LEADLATCH_PUBLIC_URL.')
  notes.ok('redirect_uri', `Register exactly this at ${provider.label}, without a slash at its end: ${redirectURI}`)
  examineMistakes(notes, provider, settings)
  await examineAuthorize(notes, provider, redirectURI, options)
  await examineToken(notes, provider, redirectURI)
}

function examineMistakes (notes: Notes, { id, label }: Provider, { authorizeURL, clientSecret, appSecret }: InstagramSettings): void {
  const { hostname } = new URL(authorizeURL)
  const isReal = /(^|\.)instagram\.com$/.test(hostname)
  if (id === 'instagram-basic-display' && isReal) {
    notes.fail('basic_display_retired', 'Instagram switched Basic Display off on 2024-12-04: logins by instagram-basic-display fail.', 'Use LEADLATCH_INSTAGRAM_CLIENT_ID with an app for Instagram Login instead.')
  }
  if (!isReal) notes.warn('provider_emulated', `${label} is set to ${hostname}, which is not Instagram.`, 'Right for an emulator. In production leave the _AUTHORIZE_URL, _TOKEN_URL and _GRAPH_URL unset.')
  if (appSecret === null) notes.warn('app_secret_missing', `${label} has no app secret, with which Meta signs its deauthorize and deletion calls.`, 'Set …_APP_SECRET to the app secret of "App settings, Basic" in the App dashboard.')
  else if (appSecret === clientSecret) notes.warn('app_secret_same', `${label} has one secret under two names.`, 'The client secret is the Instagram app secret (API setup with Instagram login), the app secret that of "App settings, Basic". They are different.')
}

async function examineAuthorize (notes: Notes, provider: Provider, redirectURI: string, options: { dispatcher: Dispatcher, now: () => number }): Promise<void> {
  const url = provider.buildAuthorizationURL({ redirectURI, state: randomBytes(16).toString('hex'), isReauthenticationRequired: false })
  const { host } = new URL(url)
  const answer = await probe(options.dispatcher, url, options.now)
  if (!answer.isAnswered) return notes.fail('authorize_unreachable', `${host} does not answer (${answer.code}).`, `See that this machine reaches https://${host}: DNS, firewall, proxy.`)
  examineClock(notes, answer.aheadMs, host)
  if (answer.status >= 500) return notes.warn('authorize_failing', `${host} is failing (${answer.status}).`, 'Wait and ask again; Meta shows its state at https://metastatus.com.')
  // A page that is as it should be may hold these texts among its scripts.
  const refusal = answer.status >= 400 ? REFUSALS.find(([pattern]) => pattern.test(answer.body)) : undefined
  if (refusal === undefined) return notes.ok('authorize', `The login page at ${host} answers.`)
  notes.fail(refusal[1], `The login page at ${host} ${refusal[2]}`, refusal[3])
}

// A made-up code: who refuses it as a code has taken our app id, secret and redirect URI.
async function examineToken (notes: Notes, provider: Provider, redirectURI: string): Promise<void> {
  try {
    await provider.exchangeCode(`leadlatch-doctor-${randomBytes(16).toString('hex')}`, redirectURI, new AbortController().signal)
    notes.fail('token_endpoint_foreign', `The token endpoint of ${provider.label} took a code that nobody issued.`, 'It is not the provider. Leave the …_TOKEN_URL unset.')
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    noteRefusal(notes, provider.label, error)
  }
}

function noteRefusal (notes: Notes, label: string, { code, message }: ProviderError): void {
  const wait = 'Wait and ask again; Meta shows its state at https://metastatus.com.'
  switch (code) {
    case 'spent': return notes.ok('credentials', `${label} takes our app id and secret.`)
    case 'misconfigured': return notes.fail('credentials', message, 'Compare LEADLATCH_INSTAGRAM_CLIENT_ID and _CLIENT_SECRET with "API setup with Instagram login" in the App dashboard, the secret first: Instagram complains of the redirect_uri when the secret is wrong. Then compare the redirect URI.')
    case 'throttled': return notes.warn('provider_throttled', `${label} limits our calls at present.`, wait)
    case 'timed_out': case 'unreachable': return notes.fail('token_endpoint_unreachable', message, 'See that this machine reaches the token endpoint: DNS, firewall, proxy. If it does, wait: the provider is failing.')
    default: return notes.warn('token_endpoint_unclear', `The token endpoint of ${label} answered in a way that says nothing of our credentials: ${message}`, wait)
  }
}
