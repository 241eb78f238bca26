import { customCleanEnv, EnvError } from 'envalid'
import type { InstagramSettings } from '../config.ts'
import { plainText, providerURL, scopeList } from './checks.ts'
import type { Values } from './values.ts'

/** What differs between the two flavours of Instagram (https://developers.facebook.com/docs/instagram-platform). */
type Flavour = Readonly<{
  prefix: string
  scopes: readonly string[]
  authorizeURL: string
  /** True for Instagram Login, false for the retired Basic Display, which lives on in look-alikes only. */
  isCurrent: boolean
}>

export const INSTAGRAM: Flavour = Object.freeze({
  prefix: 'LEADLATCH_INSTAGRAM_',
  scopes: Object.freeze(['instagram_business_basic']),
  authorizeURL: 'https://www.instagram.com/oauth/authorize',
  isCurrent: true
})

export const INSTAGRAM_BASIC_DISPLAY: Flavour = Object.freeze({
  prefix: 'LEADLATCH_INSTAGRAM_BASIC_DISPLAY_',
  scopes: Object.freeze(['user_profile', 'user_media']),
  authorizeURL: 'https://api.instagram.com/oauth/authorize',
  isCurrent: false
})

// Scopes that the dialog of Instagram Login answers with "Invalid scope": those of the API before 2020,
// of Basic Display (off since 2024-12-04), the names before 2025-01-27, and Facebook Login's.
const DEAD_SCOPES = new Set([
  'basic', 'public_content', 'follower_list', 'comments', 'relationships', 'likes', 'user_profile', 'user_media',
  'business_basic', 'business_content_publish', 'business_manage_comments', 'business_manage_messages',
  'instagram_business_content_publishing', 'instagram_basic', 'instagram_graph_user_profile', 'instagram_graph_user_media'
])

/**
 * The settings of one flavour; null while it has neither client id nor secret.
 * @param problems takes one line for each wrong setting
 */
export function readInstagram (values: Values, flavour: Flavour, problems: string[]): InstagramSettings | null {
  const { prefix } = flavour
  const own = Object.fromEntries(Object.entries(values)
    .filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]))
  const checked = customCleanEnv(own, {
    CLIENT_ID: plainText({ default: undefined }),
    CLIENT_SECRET: plainText({ default: undefined }),
    APP_SECRET: plainText({ default: undefined }),
    SCOPE: scopeList({ default: flavour.scopes }),
    AUTHORIZE_URL: providerURL({ default: flavour.authorizeURL }),
    TOKEN_URL: providerURL({ default: 'https://api.instagram.com/oauth/access_token' }),
    GRAPH_URL: providerURL({ default: 'https://graph.instagram.com' })
  }, (cleaned) => cleaned, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) problems.push(`${prefix}${name} ${messageOf(error)}.`)
    }
  })
  const before = problems.length
  const refuse = (name: string, demand: string) => problems.push(`${prefix}${name} ${demand}.`)
  const { CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, SCOPE: scopes, AUTHORIZE_URL: authorizeURL, TOKEN_URL: tokenURL } = checked
  const graphURL = checked.GRAPH_URL?.replace(/\/+$/, '')
  const isSecretGiven = own.CLIENT_SECRET !== undefined || own.CLIENT_SECRET_FILE !== undefined
  if (own.CLIENT_ID !== undefined && !isSecretGiven) refuse('CLIENT_SECRET', `must be set, as ${prefix}CLIENT_ID is`)
  if (own.CLIENT_ID === undefined && isSecretGiven) refuse('CLIENT_ID', `must be set, as ${prefix}CLIENT_SECRET is`)
  if (flavour.isCurrent) refuseRetired({ scopes, authorizeURL, tokenURL, graphURL }, refuse)
  if (clientId !== undefined && !/^\d+$/.test(clientId) && [authorizeURL, tokenURL, graphURL].some(isRealInstagram)) {
    refuse('CLIENT_ID', 'must be the Instagram app id of the Meta dashboard, a number')
  }
  // A value that failed its check is absent here although it was given: then the problem is already named.
  if (clientId === undefined || clientSecret === undefined || problems.length > before) return null
  if (scopes === undefined || authorizeURL === undefined || tokenURL === undefined || graphURL === undefined) return null
  return Object.freeze({ clientId, clientSecret, appSecret: checked.APP_SECRET ?? null, scopes, authorizeURL, tokenURL, graphURL })
}

type Addresses = Record<'authorizeURL' | 'tokenURL' | 'graphURL', string | undefined>

// What old guides and Meta's own reference page still print, and Instagram no longer answers.
function refuseRetired (
  { scopes, authorizeURL, tokenURL, graphURL }: Addresses & { scopes: readonly string[] | undefined },
  refuse: (name: string, demand: string) => void
): void {
  const dead = scopes?.filter((scope) => DEAD_SCOPES.has(scope)) ?? []
  if (dead.length > 0) {
    refuse('SCOPE', `must be scopes of Instagram Login, such as instagram_business_basic; retired or of another product: ${dead.join(', ')}`)
  }
  if (hostOf(authorizeURL) === 'api.instagram.com') refuse('AUTHORIZE_URL', 'must be at www.instagram.com; api.instagram.com shows no login page any more')
  if (isLegacyAPI(tokenURL)) refuse('TOKEN_URL', 'must be https://api.instagram.com/oauth/access_token; the API under /v1 is off since 2020')
  if (hostOf(graphURL) === 'api.instagram.com') refuse('GRAPH_URL', 'must be at graph.instagram.com; the API at api.instagram.com/v1 is off since 2020')
}

function hostOf (url: string | undefined): string | undefined {
  return url === undefined ? undefined : new URL(url).hostname.replace(/\.$/, '')
}

function isLegacyAPI (url: string | undefined): boolean {
  return hostOf(url) === 'api.instagram.com' && /^\/v1(\/|$)/.test(new URL(url ?? '').pathname)
}

function isRealInstagram (url: string | undefined): boolean {
  return /(^|\.)instagram\.com$/.test(hostOf(url) ?? '')
}

function messageOf (error: unknown): string {
  return error instanceof EnvError ? error.message : 'is wrong'
}
