import type { InstagramSettings } from '../config.ts'
import { isObject } from '../json.ts'
import { cleanText, cutText } from '../text.ts'
import { graphError, parseGraphFailure, parseUsage, refusal } from './meta-errors.ts'
import { type AuthorizationParameters, type Profile, type Provider, ProviderError, type ProviderToken } from './provider.ts'
import { callProvider, type Line, type ProviderReply } from './request.ts'

/**
 * What differs between the two protocols; the rest is one code.
 * Current: https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login
 */
const FLAVOURS = {
  instagram: {
    label: 'Instagram',
    fields: 'id,user_id,username,name,account_type,profile_picture_url',
    extras: { enable_fb_login: 'false' },
    reauthentication: { force_reauth: 'true' }
  },
  // Switched off by Meta on 2024-12-04; for emulators and self-hosted look-alikes.
  'instagram-basic-display': {
    label: 'Instagram (Basic Display)',
    fields: 'id,username,account_type,media_count',
    extras: {},
    reauthentication: { force_authentication: '1' }
  }
} as const

export type InstagramFlavour = keyof typeof FLAVOURS

// Short-lived tokens live an hour; Instagram does not say so in the reply.
const SHORT_LIFE_MS = 3_600_000
const REFRESHABLE_AFTER_MS = 24 * 3_600_000
const MAX_LIFE_SECONDS = 10 * 365 * 86_400

// The token endpoint tells its errors apart by text only.
const TOKEN_ERRORS: ReadonlyArray<[RegExp, 'spent' | 'misconfigured', string]> = [
  [/Matching code was not found|code has been used|Invalid authorization code/i, 'spent',
    'Instagram says that this sign-in was used before or has expired.'],
  [/Invalid platform app/i, 'misconfigured',
    'Instagram does not know this app. The client id must be the Instagram app ID (App dashboard, Instagram, API setup), not the Meta app ID.'],
  [/Error validating verification code|Redirect URI doesn't match/i, 'misconfigured',
    'Instagram refused the exchange. Either the client secret is wrong (Instagram reports that as a redirect_uri problem), or the redirect URI registered in the App dashboard differs from ours, a trailing slash included.'],
  [/Invalid scope/i, 'misconfigured', 'Instagram does not offer the scope that is configured.']
]

/** Instagram in one of its flavours, as a {@link Provider}. */
export function createInstagram (flavour: InstagramFlavour, settings: InstagramSettings, line: Line): Provider {
  const { label, fields, extras, reauthentication } = FLAVOURS[flavour]

  async function get (call: 'profile' | 'long_lived' | 'refresh', path: string, query: Record<string, string>, signal: AbortSignal) {
    const url = `${settings.graphURL}${path}?${new URLSearchParams(query)}`
    const reply = await callProvider(line, { provider: flavour, call, url, signal })
    if (reply.status !== 200 || parseGraphFailure(reply) !== undefined) throw graphError(reply)
    return reply
  }

  return {
    id: flavour,
    label,
    appId: settings.clientId,
    issuer: null,
    buildAuthorizationURL: (parameters: AuthorizationParameters) => {
      const url = new URL(settings.authorizeURL)
      const query = {
        client_id: settings.clientId,
        redirect_uri: parameters.redirectURI,
        response_type: 'code',
        scope: settings.scopes.join(','),
        state: parameters.state,
        ...extras,
        ...(parameters.isReauthenticationRequired && reauthentication)
      }
      for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
      return url.href
    },
    exchangeCode: async (code, redirectURI, signal) => {
      const form = {
        client_id: settings.clientId,
        client_secret: settings.clientSecret,
        grant_type: 'authorization_code',
        redirect_uri: redirectURI,
        code
      }
      const reply = await callProvider(line, { provider: flavour, call: 'code', url: settings.tokenURL, form, signal })
      if (reply.status !== 200) throw tokenError(reply)
      return parseTokenReply(reply, settings, line.now())
    },
    fetchProfile: async (token, signal) =>
      parseProfile(await get('profile', '/me', { fields, access_token: token.accessToken }, signal)),
    exchangeLongLived: async (token, signal) => {
      const query = {
        grant_type: 'ig_exchange_token', client_secret: settings.clientSecret, access_token: token.accessToken
      }
      return parseLongLived(await get('long_lived', '/access_token', query, signal), token.scopes, line.now())
    },
    // Takes no secret; https://developers.facebook.com/docs/instagram-platform/reference/refresh_access_token
    refresh: async (token, signal) => {
      const query = { grant_type: 'ig_refresh_token', access_token: token.accessToken }
      return parseLongLived(await get('refresh', '/refresh_access_token', query, signal), token.scopes, line.now())
    },
    refreshableAfterMs: REFRESHABLE_AFTER_MS
  }
}

// `{error_type, code, error_message}`, in older replies wrapped in `meta`.
function tokenError (reply: ProviderReply): ProviderError {
  if (parseGraphFailure(reply) !== undefined) return graphError(reply)
  const body = isObject(reply.body) && isObject(reply.body.meta) ? reply.body.meta : reply.body
  const message = isObject(body) && typeof body.error_message === 'string' ? body.error_message : ''
  const type = isObject(body) ? body.error_type : undefined
  const known = TOKEN_ERRORS.find(([pattern]) => pattern.test(message))
  if (known !== undefined) return new ProviderError(known[1], known[2], { details: { status: reply.status } })
  if (type === 'OAuthRateLimitException') return refusal({ ...reply, status: 429 }, 'Instagram limits our calls.')
  return refusal(reply, 'Instagram refused the code.')
}

// Flat, as seen in the wild, or wrapped in `data`, as documented.
function parseTokenReply (reply: ProviderReply, settings: InstagramSettings, nowMs: number): ProviderToken {
  const wrapped = isObject(reply.body) && Array.isArray(reply.body.data) ? reply.body.data[0] : reply.body
  const body = isObject(wrapped) ? wrapped : {}
  const permissions = parsePermissions(body.permissions)
  const required = settings.scopes[0]
  if (permissions !== null && required !== undefined && !permissions.includes(required)) {
    throw new ProviderError('denied', 'The permission that a sign-in needs was not granted.')
  }
  return {
    accessToken: readAccessToken(body),
    scopes: permissions ?? [...settings.scopes],
    expiresAtMs: nowMs + SHORT_LIFE_MS,
    isShortLived: true
  }
}

function parsePermissions (value: unknown): string[] | null {
  const list = typeof value === 'string' ? value.split(',') : value
  if (!Array.isArray(list)) return null
  return list.filter((item): item is string => typeof item === 'string' && /^[\w.:]{1,100}$/.test(item)).slice(0, 50)
}

function parseLongLived (reply: ProviderReply, scopes: string[], nowMs: number): ProviderToken {
  const body = isObject(reply.body) ? reply.body : {}
  const seconds = Number(body.expires_in)
  const isKnown = Number.isSafeInteger(seconds) && seconds > 0 && seconds <= MAX_LIFE_SECONDS
  const usage = parseUsage(reply)
  return {
    accessToken: readAccessToken(body),
    scopes,
    expiresAtMs: isKnown ? nowMs + seconds * 1000 : null,
    isShortLived: false,
    ...(usage !== null && { usage })
  }
}

function readAccessToken (body: Record<string, unknown>): string {
  const token = body.access_token
  if (typeof token !== 'string' || !/^[\x21-\x7e]{1,4096}$/.test(token)) {
    throw new ProviderError('malformed', 'Instagram answered without an access token.')
  }
  return token
}

// Numbers arrive as text already; only digits are an id.
function parseProfile (reply: ProviderReply): Profile {
  const body = isObject(reply.body) ? reply.body : {}
  const userId = readText(body.id, 64)
  if (userId === null || !/^\d+$/.test(userId)) throw new ProviderError('malformed', 'Instagram answered without an id.')
  const accountId = readText(body.user_id, 64)
  const picture = readText(body.profile_picture_url, 2048)
  return {
    userId,
    accountId: accountId !== null && /^\d+$/.test(accountId) ? accountId : null,
    username: readText(body.username, 255),
    name: readText(body.name, 10_000),
    pictureURL: picture !== null && picture.startsWith('https://') ? picture : null,
    accountType: readText(body.account_type, 64)
  }
}

function readText (value: unknown, maxCharacters: number): string | null {
  return typeof value === 'string' && value !== '' ? cutText(cleanText(value), maxCharacters) : null
}
