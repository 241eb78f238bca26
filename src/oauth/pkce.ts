import { hash, timingSafeEqual } from 'node:crypto'

// 32 bytes in base64url: what S256 always gives (RFC 7636 4.2).
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/
const VERIFIER = /^[A-Za-z0-9._~-]{43,128}$/

/** True when the text can be an S256 code challenge. */
export function isCodeChallenge (text: string): boolean {
  return CHALLENGE.test(text)
}

/** True when the verifier is well formed and its S256 challenge is this one (RFC 7636 4.6). */
export function verifyCodeVerifier (verifier: string, challenge: string): boolean {
  if (!VERIFIER.test(verifier) || !isCodeChallenge(challenge)) return false
  return timingSafeEqual(hash('sha256', verifier, 'buffer'), Buffer.from(challenge, 'base64url'))
}
