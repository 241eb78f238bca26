import { createHash, randomBytes } from 'node:crypto'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { Agent } from 'undici'
import { type AppOptions, buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { addShop } from '../../src/flows/shops.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { Parts } from '../../src/parts.ts'
import { createProviders } from '../../src/providers/index.ts'
import type { Database } from '../../src/store/database.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { createVault } from '../../src/vault.ts'

export const PUBLIC_URL = 'https://login.example'
export const REDIRECT_URI = 'https://shop.example/auth/callback'

/** Time stands still until a test moves it. */
export type Clock = { nowMs: number, advance: (ms: number) => void }

export type TestShop = { id: string, key: string, redirectURI: string }

export type Built = {
  app: FastifyInstance
  parts: Parts
  emulator: Emulator
  clock: Clock
  shop: TestShop
  addShop: (options?: { url?: string, redirectURIs?: string[], requiresPKCE?: boolean }) => Promise<TestShop>
  /** Another replica: an app of its own on the same database and keys. */
  replica: () => Promise<FastifyInstance>
}

export type BuildOptions = {
  publicURL?: string
  database?: Database
  settings?: Record<string, string>
  logger?: AppOptions['logger']
  flavours?: Array<'instagram' | 'basicDisplay'>
}

/** The whole service on a real SQLite database, against the real emulator, with one shop. */
export async function build (t: Test, options: BuildOptions = {}): Promise<Built> {
  const { publicURL = PUBLIC_URL, flavours = ['instagram'] } = options
  const clock = createClock()
  const emulator = await startEmulator({
    now: () => clock.nowMs,
    redirectURIs: ['instagram', 'instagram-basic-display'].map((id) => `${publicURL}/oauth/callback/${id}`)
  })
  const database = options.database ?? openDatabase('sqlite::memory:')
  await migrate(database, { version: '0.1.0', nowMs: clock.nowMs })
  const config = loadConfig({
    LEADLATCH_PUBLIC_URL: publicURL,
    LEADLATCH_RATE_LIMIT: '0',
    ...chooseSettings(emulator.settings, flavours),
    ...options.settings
  }, () => { throw new Error('no files here') })
  const dispatcher = new Agent()
  const metrics = createMetrics()
  const now = () => clock.nowMs
  const parts: Parts = {
    config,
    version: '0.1.0',
    database,
    vault: createVault([{ id: 'test', bytes: randomBytes(32) }]),
    providers: createProviders(config, dispatcher, metrics, now),
    metrics,
    now
  }
  const apps: FastifyInstance[] = []
  const replica = async () => {
    const app = await buildApp({ parts, ...(options.logger !== undefined && { logger: options.logger }) })
    apps.push(app)
    return app
  }
  t.teardown(async () => {
    await Promise.all(apps.map((app) => app.close()))
    await emulator.close()
    await dispatcher.destroy()
    await database.close()
  })
  const register: Built['addShop'] = async (shopOptions = {}) => {
    const { url = 'https://shop.example', redirectURIs = [REDIRECT_URI], ...rest } = shopOptions
    const { shop, key } = await addShop(database, { url, redirectURIs, nowMs: clock.nowMs, ...rest })
    return { id: shop.id, key: key.key, redirectURI: redirectURIs[0] ?? REDIRECT_URI }
  }
  return { app: await replica(), parts, emulator, clock, shop: await register(), addShop: register, replica }
}

function createClock (): Clock {
  const clock = {
    nowMs: Date.UTC(2026, 10, 1),
    advance: (ms: number) => { clock.nowMs += ms }
  }
  return clock
}

function chooseSettings (settings: Record<string, string>, flavours: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).filter(([name]) =>
    flavours.includes(name.includes('BASIC_DISPLAY') ? 'basicDisplay' : 'instagram')))
}

/** A verifier and its S256 challenge. */
export function createPKCE (): { verifier: string, challenge: string } {
  const verifier = randomBytes(32).toString('base64url')
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') }
}
