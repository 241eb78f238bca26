import { buildSignedRequest, type SignedRequestOptions } from './callbacks.ts'
import type { Call, Endpoint } from './calls.ts'
import { issueCode, issueToken } from './credentials.ts'
import { parseFault, type Fault, type FaultyEndpoint } from './faults.ts'
import { flavours, type FlavourName } from './flavours.ts'
import { buildPersona, checkPersona, type Persona, type PersonaChange } from './personas.ts'
import { readPersona, resetPlatform, type Platform } from './platform.ts'
import { checkSwitches, type Switches } from './switches.ts'

/** Why a token stopped working: Graph's subcodes of error 190. */
export type RevocationSubcode = 458 | 459 | 460 | 463 | 464 | 467

/** What a test or a person can do to the emulator behind the platform's back. */
export type Control = {
  /** Every request that reached the emulator, in order. */
  calls (): Call[]
  count (endpoint: Endpoint): number
  resetCalls (): void
  /** Switches a fault on, for the next `times` calls or until cleared; null clears it. */
  fault (endpoint: FaultyEndpoint, fault: Fault | null, times?: number): void
  set (switches: Partial<Switches>): void
  /** Moves the clock forward. */
  advance (ms: number): void
  /** Adds a persona, or changes the given members of an existing one. */
  savePersona (persona: PersonaChange): void
  persona (id: string): Persona
  /** Kills the persona's tokens: they answer 190, with the subcode when one is given. */
  revoke (personaId: string, subcode?: RevocationSubcode): void
  /** Issues a code without a browser, for the scopes that the flavour needs for a profile. */
  mintCode (personaId: string, options: { redirectURI: string, flavour?: FlavourName }): string
  /** Issues a token without a login, as if `ageMs` ago. */
  mintToken (personaId: string, options: { kind: 'short' | 'long', flavour?: FlavourName, ageMs?: number }): string
  /** Builds the `signed_request` of a deauthorize or deletion callback. */
  signedRequest (personaId: string, options?: SignedRequestOptions): string
  /** Puts everything but the apps back to how it started. */
  reset (): void
}

/**
 * Builds the control of a platform. Its functions throw TypeError for a persona, fault or switch
 * that does not exist.
 */
export function buildControl (platform: Platform): Control {
  return {
    calls: () => platform.calls.list(),
    count: (endpoint) => platform.calls.count(endpoint),
    resetCalls: () => platform.calls.reset(),
    fault: (endpoint, fault, times) => platform.faults.set(endpoint, fault === null ? null : parseFault(endpoint, fault), times),
    set: (switches) => setSwitches(platform, switches),
    advance: (ms) => platform.clock.advance(ms),
    savePersona: (persona) => savePersona(platform, persona),
    persona: (id) => structuredClone(readPersona(platform, id)),
    revoke: (personaId, subcode) => revokeTokens(platform, personaId, subcode),
    mintCode (personaId, { redirectURI, flavour = 'instagram' }) {
      const { id } = readPersona(platform, personaId)
      return issueCode(platform, { flavour, redirectURI, scopes: defaultScopes(flavour), encodedState: null }, id)
    },
    mintToken (personaId, { kind, flavour = 'instagram', ageMs }) {
      const { id, permissions } = readPersona(platform, personaId)
      return issueToken(platform, { flavour, personaId: id, permissions: permissions ?? defaultScopes(flavour) }, kind, ageMs)
    },
    signedRequest: (personaId, options) => buildSignedRequest(platform, readPersona(platform, personaId), options),
    reset: () => resetPlatform(platform),
  }
}

function defaultScopes (flavour: FlavourName): string[] {
  return [flavours[flavour].profileScope]
}

function setSwitches (platform: Platform, switches: Partial<Switches>): void {
  checkSwitches(switches)
  if (typeof switches.instant === 'string') readPersona(platform, switches.instant)
  Object.assign(platform.switches, switches)
}

function savePersona (platform: Platform, change: PersonaChange): void {
  checkPersona(change)
  const existing = platform.personas.get(change.id)
  platform.personas.set(change.id, existing === undefined ? buildPersona(change) : { ...existing, ...change })
}

function revokeTokens (platform: Platform, personaId: string, subcode: RevocationSubcode | undefined): void {
  readPersona(platform, personaId)
  for (const token of platform.tokens.values()) {
    if (token.personaId === personaId) token.revokedWith = subcode ?? null
  }
  for (const [browser, remembered] of platform.remembered) {
    if (remembered === personaId) platform.remembered.delete(browser)
  }
}
