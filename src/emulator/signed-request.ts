import { createHmac } from 'node:crypto'

/**
 * Signs a payload the way Meta signs its deauthorize and deletion callbacks: HMAC-SHA256 over the
 * encoded payload as it is sent, so over the padding too where there is any.
 *
 * @see https://developers.facebook.com/docs/facebook-login/guides/advanced/existing-system#parsingsr
 */
export function signPayload (payload: string, secret: string, { padded = false } = {}): string {
  const encoded = encodeBase64url(Buffer.from(payload), padded)
  const signature = createHmac('sha256', secret).update(encoded).digest()
  return `${encodeBase64url(signature, padded)}.${encoded}`
}

/** What a callback's payload says. The id is text and is written bare when it should be a number. */
export type CallbackPayload = { userId: string, idType: 'string' | 'number', issuedAt: number, expires?: number }

/** Builds the JSON of a callback's payload; times are in seconds. */
export function formatPayload ({ userId, idType, issuedAt, expires }: CallbackPayload): string {
  const id = idType === 'string' ? `"${userId}"` : userId
  const expiry = expires === undefined ? '' : `,"expires":${expires}`
  return `{"user_id":${id},"algorithm":"HMAC-SHA256","issued_at":${issuedAt}${expiry}}`
}

function encodeBase64url (bytes: Buffer, padded: boolean): string {
  const text = bytes.toString('base64url')
  return padded ? text.padEnd(Math.ceil(text.length / 4) * 4, '=') : text
}
