import type { EmulatorApps } from './apps.ts'
import { buildCallLog, type CallLog } from './calls.ts'
import { buildClock, type Clock } from './clock.ts'
import { buildFaultTable, type FaultTable } from './faults.ts'
import type { FlavourName } from './flavours.ts'
import { buildPersonas, type Persona } from './personas.ts'
import { defaultSwitches, type Switches } from './switches.ts'

/** An authorization request that passed its checks and waits for a decision. */
export type AuthorizationRequest = {
  flavour: FlavourName
  redirectURI: string
  scopes: string[]
  /** The `state` parameter still percent-encoded, so that it is echoed byte for byte; null when absent. */
  encodedState: string | null
}

/** What an authorization code stands for. */
export type AuthorizationCode = {
  flavour: FlavourName
  personaId: string
  redirectURI: string
  permissions: string[]
  expiresAtMs: number
}

/** What an access token stands for. */
export type AccessToken = {
  flavour: FlavourName
  personaId: string
  permissions: string[]
  kind: 'short' | 'long'
  issuedAtMs: number
  expiresAtMs: number
  /** Why it was revoked; undefined while it lives, null for a revocation without a subcode. */
  revokedWith: number | null | undefined
}

/** Everything the emulated platform knows. Kept in memory; two platforms share nothing. */
export type Platform = {
  apps: EmulatorApps
  personas: Map<string, Persona>
  requests: Map<string, AuthorizationRequest>
  codes: Map<string, AuthorizationCode>
  tokens: Map<string, AccessToken>
  /** Who allowed which app in which browser: from browser and client id to persona id. */
  remembered: Map<string, string>
  switches: Switches
  faults: FaultTable
  calls: CallLog
  clock: Clock
  /** Aborted when the emulator closes, so that slow replies do not hold it open. */
  closing: AbortController
}

/** Builds a platform with the built-in personas, no faults and the default switches. */
export function buildPlatform (apps: EmulatorApps, now: () => number): Platform {
  const clock = buildClock(now)
  return {
    apps,
    personas: buildPersonas(),
    requests: new Map(),
    codes: new Map(),
    tokens: new Map(),
    remembered: new Map(),
    switches: { ...defaultSwitches },
    faults: buildFaultTable(),
    calls: buildCallLog(clock),
    clock,
    closing: new AbortController(),
  }
}

/** Puts a platform back to how it started. The apps stay, since the service under test knows them. */
export function resetPlatform (platform: Platform): void {
  platform.personas = buildPersonas()
  for (const map of [platform.requests, platform.codes, platform.tokens, platform.remembered]) map.clear()
  Object.assign(platform.switches, defaultSwitches)
  platform.faults.reset()
  platform.calls.reset()
  platform.clock.reset()
}

/**
 * Reads a persona.
 *
 * @throws TypeError when there is none of that id.
 */
export function readPersona (platform: Platform, personaId: string): Persona {
  const persona = platform.personas.get(personaId)
  if (persona === undefined) throw new TypeError(`There is no persona ${personaId}`)
  return persona
}
