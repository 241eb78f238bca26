import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Test } from 'tap'
import { addKey, addShop } from '../../src/flows/shops.ts'
import { sealToken } from '../../src/flows/sealed-tokens.ts'
import { buildId } from '../../src/ids.ts'
import { createMetrics } from '../../src/metrics.ts'
import type { Parts } from '../../src/parts.ts'
import { API_KEY_SCOPES, type APIKeyScope } from '../../src/flows/api-keys.ts'
import { describeRoutes } from '../../src/routes/openapi.ts'
import { problem } from '../../src/routes/problem.ts'
import { rest } from '../../src/routes/rest.ts'
import { type Login, saveLogin } from '../../src/store/logins.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { searchKey } from '../../src/text.ts'
import { createVault } from '../../src/vault.ts'
import { readVersion } from '../../src/version.ts'

/** The time at which every test begins. */
export const START_MS = Date.UTC(2026, 0, 15, 12)

export const DAY_MS = 24 * 60 * 60 * 1000

/** Parts with a database in memory and a clock that a test moves. */
export async function buildParts (t: Pick<Test, 'teardown'>, options: {
  metricsToken?: string, databaseURL?: string
} = {}): Promise<Parts & { clock: { nowMs: number } }> {
  const database = openDatabase(options.databaseURL ?? 'sqlite::memory:')
  t.teardown(() => database.close())
  const clock = { nowMs: START_MS }
  await migrate(database, { version: readVersion(), nowMs: START_MS })
  return {
    clock,
    config: {
      publicURL: 'https://login.example',
      host: '127.0.0.1',
      port: 0,
      trustProxy: [],
      databaseURL: 'sqlite::memory:',
      encryptionKeys: null,
      logLevel: 'silent',
      metricsToken: options.metricsToken ?? null,
      rateLimit: 0,
      instagram: null,
      instagramBasicDisplay: null
    },
    version: readVersion(),
    database,
    vault: createVault([{ id: 'test', bytes: Buffer.alloc(32, 7) }]),
    providers: new Map(),
    metrics: createMetrics(),
    now: () => clock.nowMs
  }
}

/** A route as the app registered it. */
export type RegisteredRoute = { method: string, url: string, scope: string | undefined }

/** A small app of the REST API alone, and the table of its routes. */
export async function buildRest (t: Pick<Test, 'teardown'>, parts: Parts, options: FastifyServerOptions = {}): Promise<{
  app: FastifyInstance, routes: RegisteredRoute[]
}> {
  const app = Fastify(options)
  t.teardown(() => app.close())
  const routes: RegisteredRoute[] = []
  app.addHook('onRoute', ({ method, url, config }) => {
    for (const each of [method].flat()) routes.push({ method: each, url, scope: config?.scope })
  })
  await app.register(problem)
  await app.register(describeRoutes, { parts })
  await app.register(rest, { parts })
  await app.ready()
  return { app, routes }
}

/** A shop with a key of these scopes; all of them unless said. */
export async function seedShop (parts: Pick<Parts, 'database' | 'now'>, options: {
  url?: string, scopes?: readonly APIKeyScope[]
} = {}): Promise<{ shopId: string, keyId: string, key: string, headers: { authorization: string } }> {
  const { shop } = await addShop(parts.database, { url: options.url ?? 'https://shop.example', nowMs: parts.now() })
  const { id: keyId, key } = await addKey(parts.database, {
    shopId: shop.id, scopes: options.scopes ?? API_KEY_SCOPES, nowMs: parts.now()
  })
  return { shopId: shop.id, keyId, key, headers: { authorization: `Bearer ${key}` } }
}

/** Signs a person in, as a redemption would; what a test does not name is ana's. Answers the customer's id. */
export async function seedLogin (parts: Pick<Parts, 'database' | 'vault' | 'now'>, shopId: string, person: Partial<Omit<Login, 'shopId' | 'nowMs'>> & {
  accessToken?: string
} = {}): Promise<string> {
  const nowMs = parts.now()
  const { accessToken = 'IGAA-token', ...given } = person
  const identity = { provider: 'instagram', providerAppId: 'app-1', providerUserId: '17841400000000001', ...given }
  const username = given.username === undefined ? 'ana' : given.username
  const name = given.name === undefined ? 'Ana Lima' : given.name
  const { customerId } = await saveLogin(parts.database, {
    newCustomerId: buildId('cus', nowMs),
    newIdentityId: buildId('idn', nowMs),
    providerAccountId: null,
    pictureURL: null,
    accountType: 'BUSINESS',
    scopes: ['instagram_business_basic'],
    tokenExpiresAtMs: nowMs + 60 * DAY_MS,
    exchangeDueAtMs: null,
    sourcePage: null,
    sourceCampaign: null,
    ...identity,
    shopId,
    nowMs,
    username,
    usernameKey: username === null ? null : searchKey(username),
    name,
    nameKey: name === null ? null : searchKey(name),
    sealedToken: sealToken(parts.vault, { shopId, ...identity }, accessToken)
  })
  return customerId
}

/** Many people, one a second, each with an id and a username of their own. */
export async function seedMany (parts: Pick<Parts, 'database' | 'vault'> & { clock: { nowMs: number }, now: () => number }, shopId: string, count: number): Promise<string[]> {
  const logins: Array<Promise<string>> = []
  for (let i = 0; i < count; i++) {
    parts.clock.nowMs += 1000
    logins.push(seedLogin(parts, shopId, { providerUserId: String(20_000_000_000_000_000n + BigInt(i)), username: `person${i}`, name: `Person ${i}` }))
  }
  return Promise.all(logins)
}
