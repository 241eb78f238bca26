import { randomBytes } from 'node:crypto'
import { jsonAnswer, type Answer } from './answer.ts'

/** What the token endpoint says. Several of these mislead, as the platform's own texts do. */
export const tokenMessages = {
  platformApp: 'Invalid platform app',
  verification: 'Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request',
  used: 'Matching code was not found or was already used',
  invalid: 'Invalid authorization code',
  rateLimit: 'The maximum number of requests per hour has been exceeded.',
} as const

/** An error in the token endpoint's envelope. */
export type TokenError = { status: number, type: string, message: string }

/** An error in Graph's envelope. */
export type GraphError = { status: number, type: string, code: number, subcode?: number, message: string }

/** Builds a reply in the token endpoint's envelope; `meta` is the wrapping that old replies had. */
export function tokenErrorAnswer (error: TokenError, envelope: 'plain' | 'meta'): Answer {
  const members = { error_type: error.type, code: error.status, error_message: error.message }
  return jsonAnswer(error.status, JSON.stringify(envelope === 'meta' ? { meta: members } : members))
}

/** Builds a reply in Graph's envelope, with a trace id as Meta's support asks for. */
export function graphErrorAnswer (error: GraphError): Answer {
  return jsonAnswer(error.status, JSON.stringify({
    error: {
      message: error.message,
      type: error.type,
      code: error.code,
      ...(error.subcode === undefined ? {} : { error_subcode: error.subcode }),
      fbtrace_id: `A${randomBytes(16).toString('base64url')}`,
    },
  }))
}

/** A token error of the common kind. */
export function tokenError (message: string): TokenError {
  return { status: 400, type: 'OAuthException', message }
}

/** Graph's answer to a token that no longer works. */
export function invalidTokenError (subcode: number | null): GraphError {
  const error = { status: 400, type: 'OAuthException', code: 190, message: tokenDeaths[subcode ?? 0] ?? tokenDeaths[0] }
  return subcode === null ? error : { ...error, subcode }
}

/** Graph's answer to a parameter or field that it does not take. */
export function parameterError (message: string): GraphError {
  return { status: 400, type: 'IGApiException', code: 100, message }
}

/** Graph's catch-all: a wrong verb, a wrong grant or a wrong kind of token. */
export function unsupportedError (method: string): GraphError {
  return parameterError(`Unsupported request - method type: ${method.toLowerCase()}`)
}

/** Graph's answer when a permission was not granted. */
export function permissionError (): GraphError {
  return { status: 403, type: 'OAuthException', code: 10, message: 'Application does not have permission for this action' }
}

/** Graph's answer when the app's calls are used up. HTTP may say 403, which is not a matter of permissions. */
export function rateLimitError (status: number): GraphError {
  return { status, type: 'OAuthException', code: 4, message: 'Application request limit reached' }
}

const tokenDeaths: Readonly<Record<number, string>> & { 0: string } = {
  0: 'Invalid OAuth access token - Cannot parse access token',
  458: 'Error validating access token: The user has not authorized application.',
  459: 'Error validating access token: You cannot access the app till you log in and follow the instructions given.',
  460: 'Error validating access token: The session has been invalidated because the user changed their password or the session was changed for security reasons.',
  463: 'Error validating access token: Session has expired.',
  464: 'Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user.',
  467: 'Error validating access token: This may be because the user logged out or may be due to a system error.',
}
