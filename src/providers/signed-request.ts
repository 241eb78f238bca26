import { isUtf8 } from 'node:buffer'
import { createHmac, timingSafeEqual } from 'node:crypto'
import { isObject, JSONError, parseJSON } from '../json.ts'

/** An app in whose name Meta may sign, with every secret that it is known to sign with. */
export type Signer = { provider: string, appId: string, secrets: readonly string[] }

/** What a genuine signed request says. */
export type SignedRequest = {
  /** The apps whose secret verified; the person is to be looked for at these alone. */
  apps: ReadonlyArray<{ provider: string, appId: string }>
  /** Any id that Meta has for the person; text, exact to the last digit. */
  userId: string
  issuedAtSeconds: number
  /** The same for each delivery of one request; keyed with the app's secret, so that no id can be guessed from it. */
  fingerprint: string
}

/**
 * - `malformed`: not of the form, cut off, or a member is missing, repeated or of the wrong kind
 * - `not_signed`: the signature is nobody's whom we know: forged, another app's, or a wrong secret in the settings
 * - `wrong_algorithm`: signed, and yet it names another algorithm
 * - `not_yet_issued`: its time lies in the future, beyond what clocks differ
 */
export type SignedRequestErrorCode = 'malformed' | 'not_signed' | 'wrong_algorithm' | 'not_yet_issued'

/** A signed request on which nothing may be done; the message holds nothing of it. */
export class SignedRequestError extends Error {
  readonly code: SignedRequestErrorCode

  constructor (code: SignedRequestErrorCode, message: string, cause?: unknown) {
    super(message, { cause })
    this.code = code
  }
}

const MAX_LENGTH = 8192
const SKEW_MS = 5 * 60 * 1000
const SIGNATURE_BYTES = 32
const FORM = /^([\w-]+={0,2})\.([\w-]+={0,2})$/
const USER_ID = /^\d{1,64}$/
const SECONDS = /^[1-9]\d{0,10}$/

/**
 * Checks and reads a `signed_request`: `base64url(signature).base64url(payload)`, signed with HMAC-SHA256
 * over the encoded payload as received. Its `expires` is left alone: a person's wish to be forgotten does
 * not lapse because it arrives late.
 * @param options.nowMs milliseconds since 1970
 * @throws {SignedRequestError}
 * @see https://developers.facebook.com/docs/facebook-login/guides/advanced/existing-system#parsingsr
 */
export function parseSignedRequest (text: string, options: { signers: readonly Signer[], nowMs: number }): SignedRequest {
  const [, signature, payload] = (text.length <= MAX_LENGTH && FORM.exec(text)) || []
  if (signature === undefined || payload === undefined) throw new SignedRequestError('malformed', 'The signed request has not the expected form.')
  const signatureBytes = Buffer.from(signature, 'base64url')
  // The last character has bits to spare: of the spellings of one signature, one counts.
  if (signatureBytes.toString('base64url') !== signature.replace(/=+$/, '')) throw new SignedRequestError('malformed', 'The signature is not base64url.')
  const found = options.signers.flatMap((signer) => signer.secrets.map((secret) => ({ signer, secret })))
    .filter(({ secret }) => isSignedWith(secret, payload, signatureBytes))
  const first = found[0]
  if (first === undefined) throw new SignedRequestError('not_signed', 'The signature is not that of a configured app.')
  const { userId, issuedAtSeconds } = readPayload(payload)
  if (issuedAtSeconds * 1000 > options.nowMs + SKEW_MS) throw new SignedRequestError('not_yet_issued', 'The signed request is from the future.')
  return {
    apps: Array.from(new Set(found.map(({ signer }) => signer)), ({ provider, appId }) => ({ provider, appId })),
    userId,
    issuedAtSeconds,
    // Over what it says, not over its text: padding and the order of members make no other request of it.
    fingerprint: createHmac('sha256', first.secret).update(JSON.stringify(['fingerprint', userId, issuedAtSeconds])).digest('base64url')
  }
}

// Over the text as it came: decoded first, or padded anew, the same payload has other signatures.
function isSignedWith (secret: string, payload: string, signature: Buffer): boolean {
  const wanted = createHmac('sha256', secret).update(payload).digest()
  return signature.length === SIGNATURE_BYTES && timingSafeEqual(signature, wanted)
}

function readPayload (encoded: string): { userId: string, issuedAtSeconds: number } {
  const { algorithm, user_id: userId, issued_at: issuedAt } = decode(encoded)
  // A payload that chose its own algorithm would choose none (algorithm confusion).
  if (algorithm !== 'HMAC-SHA256') throw new SignedRequestError('wrong_algorithm', 'The signed request names another algorithm.')
  if (typeof userId !== 'string' || !USER_ID.test(userId)) throw new SignedRequestError('malformed', 'The signed request names no user_id.')
  if (typeof issuedAt !== 'string' || !SECONDS.test(issuedAt)) throw new SignedRequestError('malformed', 'The signed request has no issued_at.')
  return { userId, issuedAtSeconds: Number(issuedAt) }
}

// Numbers as text: an id may come bare, and is above 2^53.
function decode (encoded: string): Record<string, unknown> {
  const bytes = Buffer.from(encoded, 'base64url')
  try {
    const value = isUtf8(bytes) ? parseJSON(bytes.toString('utf8'), { numbers: 'text' }) : undefined
    if (isObject(value)) return value
  } catch (error) {
    if (!(error instanceof JSONError)) throw error
    throw new SignedRequestError('malformed', 'The payload of the signed request is not JSON as we take it.', error)
  }
  throw new SignedRequestError('malformed', 'The payload of the signed request is no JSON object.')
}
