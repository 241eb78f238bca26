import { randomBytes, randomInt } from 'node:crypto'
import type { FlavourName } from './flavours.ts'

/**
 * One app of Meta's dashboard. It has two pairs of credentials that are often mixed up: the
 * Instagram app's, which log people in, and the Meta app's, which only sign callbacks.
 */
export type EmulatorApp = {
  clientId: string
  clientSecret: string
  metaAppId: string
  metaAppSecret: string
  /** Registered redirect URIs, compared byte for byte. May be added to while the emulator runs. */
  redirectURIs: string[]
  /** Shape of the token reply: as seen in the wild (`flat`), or as documented (`wrapped`). */
  replyShape: 'flat' | 'wrapped'
}

/** One app per flavour. */
export type EmulatorApps = Record<FlavourName, EmulatorApp>

/** An app together with its flavour. */
export type RegisteredApp = { flavour: FlavourName, app: EmulatorApp }

/** Values to use instead of the random ones. */
export type GivenApps = { instagram?: Partial<EmulatorApp>, basicDisplay?: Partial<EmulatorApp> }

/**
 * Builds the app of each flavour. Ids and secrets are random unless given, so that nothing can
 * come to depend on a well-known secret.
 *
 * @throws TypeError when a redirect URI has a query or a fragment, which the platform does not register.
 */
export function buildApps (given: GivenApps = {}, redirectURIs: readonly string[] = []): EmulatorApps {
  return {
    instagram: buildApp(given.instagram, redirectURIs),
    basicDisplay: buildApp(given.basicDisplay, redirectURIs),
  }
}

/** Finds an app by its Instagram app id. A Meta app id finds nothing, as on the platform. */
export function findApp (apps: EmulatorApps, clientId: string | null): RegisteredApp | undefined {
  if (clientId === apps.instagram.clientId) return { flavour: 'instagram', app: apps.instagram }
  if (clientId === apps.basicDisplay.clientId) return { flavour: 'basicDisplay', app: apps.basicDisplay }
}

function buildApp (given: Partial<EmulatorApp> = {}, redirectURIs: readonly string[]): EmulatorApp {
  const app: EmulatorApp = {
    clientId: randomNumericId(),
    clientSecret: randomBytes(16).toString('hex'),
    metaAppId: randomNumericId(),
    metaAppSecret: randomBytes(16).toString('hex'),
    redirectURIs: [...redirectURIs],
    replyShape: 'flat',
    ...given,
  }
  app.redirectURIs.forEach(checkRedirectURI)
  return app
}

function checkRedirectURI (redirectURI: string): void {
  if (!URL.canParse(redirectURI) || /[?#]/.test(redirectURI)) {
    throw new TypeError(`A registered redirect URI is absolute and has no query and no fragment: ${redirectURI}`)
  }
}

function randomNumericId (): string {
  return `${randomInt(100_000, 999_999)}${randomInt(1_000_000_000, 9_999_999_999)}`
}
