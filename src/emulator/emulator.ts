import Fastify, { type FastifyInstance } from 'fastify'
import { backChannelHost, checkAddress, formatOrigin, type Address } from './address.ts'
import { buildApps, type EmulatorApp, type EmulatorApps, type GivenApps } from './apps.ts'
import { registerAuthorize } from './authorize.ts'
import { buildControl, type Control } from './control.ts'
import { controlRoutes } from './control-routes.ts'
import { registerGraph } from './graph.ts'
import { registerRefusals } from './refusals.ts'
import { buildPlatform, type Platform } from './platform.ts'
import { buildSettings } from './settings.ts'
import { registerToken } from './token-endpoint.ts'

export type { EmulatorApp, Control }

/** How to start an emulator. */
export type EmulatorOptions = {
  /** Address to listen on; 127.0.0.1 unless given. */
  host?: string
  /** Port to listen on; a free one unless given. */
  port?: number
  /** Name under which browsers reach it, such as `instagram.localhost`; the host unless given. */
  publicHost?: string
  /** Lets it listen beyond loopback. Production host names are refused even so. */
  allowPublic?: boolean
  /** Redirect URIs registered for the apps of both flavours. */
  redirectURIs?: string[]
  /** Source of its clock, in milliseconds since 1970. */
  now?: () => number
  /** App ids, secrets and shapes to use instead of random ones. */
  apps?: GivenApps
}

/** A running emulator. */
export type Emulator = {
  /** Its origin. */
  url: string
  apps: EmulatorApps
  /** The settings that the service must be given to talk to it. */
  settings: Record<string, string>
  control: Control
  close (): Promise<void>
}

/**
 * Starts an offline Instagram: consent page, token endpoint and Graph on one origin, with one path
 * prefix per real host.
 *
 * @throws TypeError for a production host name, or a public interface without `allowPublic`.
 */
export async function startEmulator (options: EmulatorOptions = {}): Promise<Emulator> {
  const host = options.host ?? '127.0.0.1'
  const address: Address = { host, publicHost: options.publicHost ?? host, allowPublic: options.allowPublic ?? false }
  checkAddress(address)
  const platform = buildPlatform(buildApps(options.apps, options.redirectURIs), options.now ?? Date.now)
  const control = buildControl(platform)
  const app = buildServer()
  const settings: Record<string, string> = {}
  registerPlatform(app, platform)
  await app.register(controlRoutes, { prefix: '/emulator', platform, control, address, settings })
  await app.listen({ host, port: options.port ?? 0 })
  const port = readPort(app)
  const url = formatOrigin(address.publicHost, port)
  Object.assign(settings, buildSettings(platform.apps, { front: url, back: formatOrigin(backChannelHost(address), port) }))
  return { url, apps: platform.apps, settings, control, close: () => closeEmulator(app, platform) }
}

function buildServer (): FastifyInstance {
  const app = Fastify({
    exposeHeadRoutes: false,
    // Replies that hang or trickle must not hold up closing.
    forceCloseConnections: true,
    // Endpoints read the query as it was sent, since `state` is echoed byte for byte.
    routerOptions: { querystringParser: () => ({}) },
  })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: 64 * 1024 }, (_request, body, done) => done(null, body))
  return app
}

function registerPlatform (app: FastifyInstance, platform: Platform): void {
  registerRefusals(app)
  registerAuthorize(app, platform, 'www')
  registerAuthorize(app, platform, 'api')
  registerToken(app, platform)
  registerGraph(app, platform)
}

function readPort (app: FastifyInstance): number {
  const address = app.server.address()
  if (address === null || typeof address === 'string') throw new TypeError('The emulator listens on a port only')
  return address.port
}

async function closeEmulator (app: FastifyInstance, platform: Platform): Promise<void> {
  platform.closing.abort()
  await app.close()
}
