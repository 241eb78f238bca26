import { html, type Markup } from './html.ts'

/** Why the guided page is not shown. */
export type GuideRefusalReason = 'unknown' | 'other_browser' | 'expired' | 'unavailable' | 'cross_site'

/** Why a pasted text led to nothing. */
export type GuideProblemReason =
  'missing_token' | 'malformed_token' | 'too_long' | 'busy' | 'token_refused' | 'token_of_another_app' | 'permission_missing' |
  'provider_unavailable' | 'provider_misconfigured' | 'unknown_provider' | 'unknown_shop' | 'import_unsupported' | 'our_fault'

type Told = { heading: string, what: string, todo: Markup }

const newLink = html`Ask whoever runs Leadlatch for a new link: <code>leadlatch token guide SHOP PROVIDER</code>.`
const makeNew = html`Go back to the dashboard, make a new token with “Generate token”, copy all of it and paste it below.`

const refusals: Readonly<Record<GuideRefusalReason, Told>> = {
  unknown: {
    heading: 'This link leads nowhere',
    what: 'It is incomplete, was changed on the way, or is gone.',
    todo: html`Open the link exactly as you got it. ${newLink}`
  },
  other_browser: {
    heading: 'This link belongs to another browser',
    what: 'It works only in the browser that opened it first, so that nobody else can use it.',
    todo: html`Open it in the browser in which you began. If you never opened it, somebody or something else did, perhaps a chat that shows previews of links. ${newLink}`
  },
  expired: {
    heading: 'This link has expired',
    what: 'It was good for 30 minutes. Nothing was stored.',
    todo: newLink
  },
  unavailable: {
    heading: 'This provider is not available now',
    what: 'It was switched off since the link was made. Nothing was stored.',
    todo: html`Ask whoever runs Leadlatch to switch it on again, then reload this page.`
  },
  cross_site: {
    heading: 'This was not sent from our page',
    what: 'A token is taken only from the form of the guided page itself. Nothing was stored.',
    todo: html`Open your link again and paste the token there, in a browser that is up to date.`
  }
}

const problems: Readonly<Record<GuideProblemReason, Told>> = {
  missing_token: {
    heading: 'There was no token',
    what: 'The field was empty.',
    todo: html`Paste the token below.`
  },
  malformed_token: {
    heading: 'This is not a token',
    what: 'A token is one long word of letters, digits and a few signs. What was pasted is something else, or more than the token.',
    todo: html`Copy the token alone, with the copy button of the dashboard, and paste it below.`
  },
  too_long: {
    heading: 'This is not a token',
    what: 'What was pasted is far too long.',
    todo: html`Copy the token alone, with the copy button of the dashboard, and paste it below.`
  },
  busy: {
    heading: 'A token is being checked already',
    what: 'Another try with this link is still running.',
    todo: html`Wait half a minute, then reload the page by its address. If it then still asks for a token, paste it again.`
  },
  token_refused: {
    heading: 'This token is not accepted',
    what: 'It is incomplete, has expired, or was withdrawn, for instance because the account’s password was changed.',
    todo: makeNew
  },
  token_of_another_app: {
    heading: 'This token belongs to another app',
    what: 'It was made in another app of the dashboard, or for another product of Meta, than the one that this shop uses.',
    todo: html`Choose the app whose Instagram app ID stands in step 2, make the token there, and paste it below.`
  },
  permission_missing: {
    heading: 'This token may not read its own account',
    what: 'The permission for the basic profile was taken out when the token was made.',
    todo: html`Make a new token, leave all permissions ticked, and paste it below.`
  },
  provider_unavailable: {
    heading: 'The token cannot be checked at the moment',
    what: 'The provider does not answer as it should. Your token may be good; nothing was stored.',
    todo: html`Keep the token, wait a few minutes, and paste it again.`
  },
  provider_misconfigured: {
    heading: 'The app’s settings are not accepted',
    what: 'The provider refuses the app that is configured here. It is not your token’s fault; nothing was stored.',
    todo: html`Ask whoever runs Leadlatch to compare <code>CLIENT_ID</code> and <code>CLIENT_SECRET</code> with the dashboard.`
  },
  our_fault: {
    heading: 'Something failed on our side',
    what: 'It is not your token’s fault. Nothing was stored.',
    todo: html`Keep the token, wait a minute, and paste it again.`
  },
  unknown_provider: refusals.unavailable,
  unknown_shop: refusals.unknown,
  import_unsupported: {
    heading: 'Tokens of this provider cannot be taken',
    what: 'Nothing proves that such a token belongs to our app.',
    todo: html`Sign in at the shop instead.`
  }
}

/** What the walk through the dashboard needs of this Leadlatch. */
export type DashboardFacts = { appId: string, redirectURI: string }

const dashboard = html`<a href="https://developers.facebook.com/apps/" target="_blank" rel="noopener noreferrer">developers.facebook.com/apps</a>`

/** The steps in Meta's dashboard for Instagram Login. */
function listSteps ({ appId, redirectURI }: DashboardFacts): Markup[] {
  return [
    html`<strong>Have a professional account.</strong> Instagram gives tokens for business and creator accounts only, never for personal ones. To change yours: in the Instagram app, Settings, Account type and tools, Switch to professional account.`,
    html`<strong>Open the app.</strong> Go to ${dashboard} (it opens in a new tab) and choose the app of this shop. In it, open Instagram, API setup with Instagram login. The Instagram app ID there must be <code>${appId}</code>; with any other one you are in the wrong app.`,
    html`<strong>Compare the redirect URI.</strong> On the same page, under Set up Instagram business login, open Business login settings. The OAuth redirect URI must be exactly
<code class="copy">${redirectURI}</code>
<p>The dashboard may have added a slash at the end: take it away and save. A token works without this, but signing in does not.</p>`,
    html`<strong>Add the account as a tester.</strong> As long as the app is in development mode, it reaches accounts with a role only: App roles, Roles, Add people, Instagram tester, then the account’s user name.`,
    html`<strong>Accept the invitation.</strong> Signed in to that account on instagram.com: Settings, Website permissions, Apps and websites, Tester invites, Accept.`,
    html`<strong>Make the token.</strong> Back in API setup with Instagram login, under Generate access tokens: Add account, sign in to the account, then Generate token. Leave the permissions as they are. The token is shown once: copy it.`,
    html`<strong>Paste it</strong> into the field of this page.`
  ]
}

/** The steps where a look-alike of the retired Basic Display protocol is used: there is no dashboard of Meta's for it. */
function listRetiredSteps ({ appId, redirectURI }: DashboardFacts): Markup[] {
  return [
    html`<strong>Know what this is.</strong> Meta switched Basic Display off in December 2024. Only a server of your own that still speaks this protocol gives such tokens.`,
    html`<strong>Compare the app.</strong> Its client id there must be <code>${appId}</code>, and its redirect URI exactly
<code class="copy">${redirectURI}</code>
<p>without a slash at the end.</p>`,
    html`<strong>Make the token</strong> there, with its user token generator, and copy it.`,
    html`<strong>Paste it</strong> into the field of this page.`
  ]
}

/** All that the guided page says. */
export const guideTexts = {
  heading: 'Connect an account with a token',
  lead: (shop: Markup, provider: Markup) => html`For ${shop}, at ${provider}. No code is needed: make an access token in the provider’s dashboard, then paste it here.`,
  until: (time: Markup) => html`This page takes one token, in this browser only, until ${time}.`,
  stepsHeading: 'Step by step',
  steps: (provider: string, facts: DashboardFacts) => provider === 'instagram' ? listSteps(facts) : listRetiredSteps(facts),
  label: 'Access token',
  hint: 'It is checked at the provider, stored encrypted, and never shown again. Spaces, line breaks and quotes around it do no harm.',
  button: 'Check and store',
  problems,
  refusals,
  done: {
    heading: 'The account is connected',
    what: (person: Markup) => html`The token belongs to ${person} and is stored.`,
    accountId: 'Id at the provider:',
    until: 'Good until:',
    later: 'Leadlatch renews it before then.',
    unknown: 'the provider does not tell the life of a token on its first day; usually it is 60 days. Leadlatch learns it on the next day.',
    over: 'This link is used up and takes nothing more. You can close the page.'
  },
  gone: {
    heading: 'This link is used up',
    what: 'It took a token, which is no longer stored. It takes nothing more.',
    todo: newLink
  }
}
