import { guideTexts } from './guide-texts.ts'
import { html, type Markup } from './html.ts'

/** Why a sign-in cannot go on once the provider has sent the person back. */
export type FlowErrorReason =
  'other_browser' | 'expired' | 'unknown_state' | 'provider_mismatch' | 'nothing_to_do' | 'provider_unavailable'

/** Why an authorization request cannot be answered with a redirect. */
export type RequestErrorReason = 'unknown_client' | 'unregistered_redirect_uri' | 'repeated_parameter' | 'missing_parameter'

type FlowErrorText = {
  heading: string
  what: string
  /** What to do, with the shop's name or with the words that stand for it. */
  todo: (shop: Markup) => Markup
  /** True when a browser inside an app is a likely cause. */
  isBrowserSuspect: boolean
}

type RequestErrorText = { heading: string, cure: Markup }

const again = (shop: Markup): Markup => html`Go back to ${shop} and press the sign-in button again.`

const flowErrors: Readonly<Record<FlowErrorReason, FlowErrorText>> = {
  other_browser: {
    heading: 'This sign-in began in another window or app',
    what: 'To keep your account safe, a sign-in has to end in the browser in which it began. This one did not, so it was stopped. Nothing was shared with the shop.',
    todo: again,
    isBrowserSuspect: true
  },
  expired: {
    heading: 'This sign-in took too long',
    what: 'A sign-in waits for you only for a while, and this one is over. Nothing was shared with the shop.',
    todo: again,
    isBrowserSuspect: true
  },
  unknown_state: {
    heading: 'This sign-in cannot be finished',
    what: 'The address that led here is incomplete, was changed on the way, or does not belong to a sign-in of ours. Nothing was shared with a shop.',
    todo: again,
    isBrowserSuspect: true
  },
  provider_mismatch: {
    heading: 'This sign-in came back the wrong way',
    what: 'The answer did not come from the place where you were asked to sign in, so it was stopped. Nothing was shared with the shop.',
    todo: again,
    isBrowserSuspect: false
  },
  nothing_to_do: {
    heading: 'There is nothing to do here',
    what: 'This page ends a sign-in that began in a shop. Opened by itself, it does nothing.',
    todo: (shop) => html`To sign in, go back to ${shop} and press the sign-in button there.`,
    isBrowserSuspect: false
  },
  provider_unavailable: {
    heading: 'This way to sign in is not available now',
    what: 'It was switched off or changed while you were signing in. Nothing was shared with the shop.',
    todo: (shop) => html`Go back to ${shop} and choose another way to sign in, or go on without signing in.`,
    isBrowserSuspect: false
  }
}

const requestErrors: Readonly<Record<RequestErrorReason, RequestErrorText>> = {
  unknown_client: {
    heading: 'The shop’s sign-in is not set up',
    cure: html`No shop has this <code>client_id</code>. Compare the connection string in the shop’s settings with the shops that <code>leadlatch shop list</code> shows.`
  },
  unregistered_redirect_uri: {
    heading: 'The shop’s sign-in is not set up',
    cure: html`The <code>redirect_uri</code> is not one of those registered for this shop. They are compared character by character: scheme, host, path, trailing slash and query. Register it with <code>leadlatch shop update SHOP --redirect-uri URI</code>, and name with it all that shall stay: those given replace the list.`
  },
  repeated_parameter: {
    heading: 'The sign-in link is not right',
    cure: html`A parameter is sent more than once; each may appear once (RFC 6749, 3.1).`
  },
  missing_parameter: {
    heading: 'The sign-in link is not right',
    cure: html`A parameter that is needed to find the shop is missing: <code>client_id</code> and <code>redirect_uri</code> have to be sent.`
  }
}

/** All that the pages say. To translate them, translate this file and guide-texts.ts. */
export const texts = {
  language: 'en',
  direction: 'ltr',
  product: 'Leadlatch',
  footer: 'Sign-in by Leadlatch',
  theShop: 'the shop',
  whatToDo: 'What to do',
  backTo: (shop: Markup) => html`Back to ${shop}`,
  choose: {
    heading: 'Choose how to sign in',
    lead: (shop: Markup) => html`You are signing in to ${shop}. Which account do you want to continue with?`,
    continueWith: (provider: Markup) => html`Continue with ${provider}`,
    nobody: 'This shop has no way to sign in at the moment. Go back and continue without signing in.',
    providerNotes: new Map([['instagram', 'For business and creator accounts']])
  },
  flowErrors,
  inApp: {
    heading: 'Are you in an app such as Instagram or Facebook?',
    what: 'The browser inside an app often loses a sign-in. It works better in your own browser, such as Safari, Chrome or Firefox.',
    withAddress: 'Open the app’s menu (⋯ or ⋮) and choose “Open in browser”, or copy this address into your browser:',
    withoutAddress: 'Open the app’s menu (⋯ or ⋮), choose “Open in browser”, and go to the shop again.'
  },
  requestErrors,
  request: {
    what: 'The shop sent you here in a way that we cannot answer. It is not your fault, and nothing was shared.',
    todo: 'Go back with your browser’s back button. You can go on without signing in, or tell the shop about this page.',
    forDeveloper: 'For the shop’s developer',
    reason: 'Reason:',
    parameter: 'Parameter:'
  },
  deletion: {
    heading: 'Your data was deleted',
    what: 'At your request, all that came from your account at this provider was deleted: the connection, its access token, and the name, picture and ids of the account.',
    state: 'State:',
    completed: 'completed',
    requestedAt: 'Requested:',
    completedAt: 'Completed:',
    keptHeading: 'What stays, and why',
    kept: 'Orders and invoices stay with the shop where you placed them, for as long as tax law demands, as does what you gave a shop yourself, such as an e-mail address. Ask that shop about these.',
    returnHeading: 'If you signed in again',
    returned: 'What came from a sign-in after the request is not part of it. Ask for its deletion anew.'
  },
  guide: guideTexts,
  notFound: {
    heading: 'There is no such page',
    what: 'The address is wrong, or the page is gone.',
    todo: 'Go back to the shop from which you came.'
  },
  rateLimited: {
    heading: 'Too many tries',
    what: 'Very many sign-ins came from your network in a short time.',
    todo: (seconds: number) => html`Wait ${formatWait(seconds)}, then go back to the shop and try again.`
  },
  unavailable: {
    heading: 'Sign-in does not work at the moment',
    what: 'The fault is ours, not yours. Nothing was shared with the shop.',
    todo: 'Go back to the shop. You can go on without signing in, or try again in a few minutes.'
  }
}

function formatWait (seconds: number): string {
  if (seconds <= 1) return 'a second'
  if (seconds <= 90) return `${Math.ceil(seconds)} seconds`
  return `${Math.ceil(seconds / 60)} minutes`
}
