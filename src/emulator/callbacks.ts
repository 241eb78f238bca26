import { randomBytes } from 'node:crypto'
import type { FlavourName } from './flavours.ts'
import type { Persona } from './personas.ts'
import type { Platform } from './platform.ts'
import { formatPayload, signPayload } from './signed-request.ts'

/** The ways in which Meta's callbacks have been seen to differ. */
export type SignedRequestOptions = {
  flavour?: FlavourName
  /** Whose secret signs: the Meta app's (unless given), the Instagram app's, or nobody's. */
  secret?: 'meta' | 'instagram' | 'forged'
  /** Whether the id is a string (unless given) or a bare number. */
  id?: 'string' | 'number'
  /** Whether the base64url parts are padded. */
  padded?: boolean
  /** Whether the payload says when it expires. */
  expires?: boolean
  /** When it was issued, in seconds; the emulator's clock unless given. */
  issuedAt?: number
  /** Which of `/me`'s ids it names; `user_id` unless given. */
  whichId?: 'id' | 'user_id'
}

/** Builds the `signed_request` field of a callback about a persona. */
export function buildSignedRequest (platform: Platform, persona: Persona, options: SignedRequestOptions = {}): string {
  const { flavour = 'instagram', secret = 'meta', id = 'string', padded = false, whichId = 'user_id' } = options
  const issuedAt = options.issuedAt ?? Math.floor(platform.clock.now() / 1000)
  const app = platform.apps[flavour]
  const secrets = { meta: app.metaAppSecret, instagram: app.clientSecret, forged: randomBytes(16).toString('hex') }
  const payload = formatPayload({
    userId: whichId === 'id' && flavour === 'instagram' ? persona.appScopedId : persona.userId,
    idType: id,
    issuedAt,
    ...(options.expires === true ? { expires: issuedAt + 3600 } : {}),
  })
  return signPayload(payload, secrets[secret], { padded })
}
