import { randomBytes } from 'node:crypto'
import { flavours } from './flavours.ts'
import type { AccessToken, AuthorizationCode, AuthorizationRequest, Platform } from './platform.ts'

const hourMs = 3_600_000

/** How long a code can be redeemed. */
export const codeLifeMs = hourMs

/** How long a short-lived token works. */
export const shortLifeMs = hourMs

/** `expires_in` of a long-lived token, in seconds: near 60 days, and not a round number. */
export const longLifeSeconds = 5_183_944

/** How old a long-lived token must be before it can be refreshed. */
export const refreshableAfterMs = 24 * hourMs

// A long benchmark issues millions: the oldest half goes when a table is full.
const keptEntries = 500_000

/** Issues a code for a request that a persona allowed. */
export function issueCode (platform: Platform, request: AuthorizationRequest, personaId: string): string {
  return keep(platform.codes, `AQ${randomText(84)}`, {
    flavour: request.flavour,
    personaId,
    redirectURI: request.redirectURI,
    permissions: platform.personas.get(personaId)?.permissions ?? request.scopes,
    expiresAtMs: platform.clock.now() + codeLifeMs,
  })
}

/** Issues a token; the permissions and the persona are those of the code or token that it came from. */
export function issueToken (platform: Platform, grant: Pick<AuthorizationCode, 'flavour' | 'personaId' | 'permissions'>, kind: AccessToken['kind'], ageMs = 0): string {
  const issuedAtMs = platform.clock.now() - ageMs
  return keep(platform.tokens, `${flavours[grant.flavour].tokenPrefix}${randomText(120)}`, {
    flavour: grant.flavour,
    personaId: grant.personaId,
    permissions: grant.permissions,
    kind,
    issuedAtMs,
    expiresAtMs: issuedAtMs + (kind === 'short' ? shortLifeMs : longLifeSeconds * 1000),
    revokedWith: undefined,
  })
}

/** Keeps a request until its decision comes; the id stands in the consent page's form. */
export function saveRequest (platform: Platform, request: AuthorizationRequest): string {
  return keep(platform.requests, randomText(24), request)
}

function keep<Entry> (table: Map<string, Entry>, key: string, entry: Entry): string {
  if (table.size >= keptEntries) dropOldestHalf(table)
  table.set(key, entry)
  return key
}

function dropOldestHalf (table: Map<string, unknown>): void {
  let left = table.size / 2
  for (const key of table.keys()) {
    if (left-- <= 0) return
    table.delete(key)
  }
}

function randomText (bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}
