import { calculateJwkThumbprint, type CryptoKey, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose'

/** What a shop may have its id_tokens signed with. */
export const SIGNING_ALGS = ['RS256', 'ES256'] as const

export type SigningAlg = typeof SIGNING_ALGS[number]

/** A key that signs id_tokens. */
export type SigningKey = { kid: string, alg: SigningAlg, key: CryptoKey }

/** The claims of an id_token besides `iss aud iat exp` (OpenID Connect Core 2). Absent ones are left out. */
export type IdTokenClaims = {
  sub: string
  nonce?: string
  name?: string
  preferred_username?: string
  picture?: string
  provider: string
  provider_user_id: string
}

/** Lives as long as the access token. */
export const ID_TOKEN_LIFE_SECONDS = 300

/** Makes a key pair; `kid` is the RFC 7638 thumbprint of the public part. */
export async function generateSigningKey (alg: SigningAlg): Promise<{ kid: string, publicJWK: JWK, privateJWK: JWK }> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true })
  const jwk = await exportJWK(publicKey)
  const kid = await calculateJwkThumbprint(jwk)
  return { kid, publicJWK: { ...jwk, kid, alg, use: 'sig' }, privateJWK: await exportJWK(privateKey) }
}

/** @param privateJWK the private part in JSON */
export async function importSigningKey (kid: string, alg: SigningAlg, privateJWK: string): Promise<SigningKey> {
  const key = await importJWK(JSON.parse(privateJWK), alg)
  if (key instanceof Uint8Array) throw new TypeError('A signing key must be asymmetric.')
  return { kid, alg, key }
}

/** Signs an id_token for one shop. */
export async function signIdToken (signingKey: SigningKey, token: {
  issuer: string, audience: string, nowMs: number, claims: IdTokenClaims
}): Promise<string> {
  const issuedAt = Math.floor(token.nowMs / 1000)
  return new SignJWT(token.claims)
    .setProtectedHeader({ alg: signingKey.alg, kid: signingKey.kid, typ: 'JWT' })
    .setIssuer(token.issuer)
    .setAudience(token.audience)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ID_TOKEN_LIFE_SECONDS)
    .sign(signingKey.key)
}
