import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { sealToken, unsealToken } from '../../src/flows/sealed-tokens.ts'
import { addShop } from '../../src/flows/shops.ts'
import type { UpkeepOptions } from '../../src/flows/renew.ts'
import { type Database, integer, text } from '../../src/store/database.ts'
import { saveLogin } from '../../src/store/logins.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openDatabase } from '../../src/store/open.ts'
import { createVault } from '../../src/vault.ts'
import type { WorkerSettings } from './renew-worker.ts'

const WORKER = fileURLToPath(new URL('renew-worker.ts', import.meta.url))
const KEY = Buffer.alloc(32, 7)
export const DAY_MS = 24 * 3_600_000
/** Of the tokens that are due: of 60 days. */
export const AGE_MS = 40 * DAY_MS

/** A process that does nothing but upkeep. */
export type RenewWorker = { child: ChildProcess, errors: () => string }

/** Many due tokens in one database file, an emulator, and workers as processes of their own. */
export type Fleet = {
  emulator: Emulator
  database: Database
  startMs: number
  start: (options?: { aheadMs?: number, limits?: UpkeepOptions }) => Promise<RenewWorker>
  /** Refreshes that the provider granted. */
  countGranted: () => number
  /** Tokens on which work is due before this time from now. */
  countDue: (withinMs: number) => Promise<number>
  countFresh: () => Promise<number>
  /** The opened tokens by person. */
  openAll: () => Promise<Map<string, string>>
}

/** @param options.refreshReturns what the emulator's refresh returns */
export async function buildFleet (t: Test, options: { tokens: number, refreshReturns: 'same' | 'new' }): Promise<Fleet> {
  const databaseURL = `sqlite:${t.testdir({})}/fleet.db`
  const startMs = Date.now()
  const emulator = await startEmulator({ redirectURIs: ['https://login.example/oauth/callback/instagram'] })
  emulator.control.set({ refreshReturns: options.refreshReturns })
  const database = openDatabase(databaseURL)
  t.teardown(async () => {
    await emulator.close()
    await database.close()
  })
  const vault = createVault([{ id: 'test', bytes: KEY }])
  await migrate(database, { version: '0.1.0', nowMs: startMs })
  const { shop } = await addShop(database, { url: 'https://shop.example', nowMs: startMs })
  const appId = emulator.apps.instagram.clientId
  const ownerOf = (providerUserId: string) => ({ shopId: shop.id, provider: 'instagram', providerAppId: appId, providerUserId })
  await Promise.all(Array.from({ length: options.tokens }, (_, i) => {
    const person = { id: `p${i}`, username: `p${i}`, appScopedId: String(9_000_000 + i), userId: String(17_841_000_000 + i) }
    emulator.control.savePersona(person)
    const token = emulator.control.mintToken(person.id, { kind: 'long', ageMs: AGE_MS })
    return saveLogin(database, buildLogin(ownerOf(person.appScopedId), { nowMs: startMs - AGE_MS, sealedToken: sealToken(vault, ownerOf(person.appScopedId), token) }))
  }))
  await database.run("update tokens set work = 'refresh', due_at_ms = $1 where work = 'plan'", [startMs])

  return {
    emulator,
    database,
    startMs,
    start: (worker = {}) => startWorker(t, {
      databaseURL,
      key: KEY.toString('base64'),
      aheadMs: worker.aheadMs ?? 0,
      limits: { roundMs: 50, ...worker.limits },
      environment: { LEADLATCH_PUBLIC_URL: 'https://login.example', ...settingsOf(emulator) }
    }),
    countGranted: () => emulator.control.calls().filter(({ endpoint, status }) => endpoint === 'refresh' && status === 200).length,
    countDue: (withinMs) => count(database, 'select count(*) as total from tokens where work is not null and due_at_ms <= $1', [Date.now() + withinMs]),
    countFresh: () => count(database, 'select count(*) as total from tokens where revoked_at_ms is null and obtained_at_ms >= $1', [startMs]),
    openAll: async () => new Map((await database.all(`select i.provider_user_id, t.access_token from tokens t
      join identities i on i.id = t.identity_id order by i.provider_user_id limit 100000`)).map((row) => {
      const userId = text(row, 'provider_user_id')
      return [userId, unsealToken(vault, ownerOf(userId), text(row, 'access_token'))]
    }))
  }
}

/** Waits for something that other processes bring about. */
export async function until (isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!await isSo()) await wait(20)
}

async function startWorker (t: Test, settings: WorkerSettings): Promise<RenewWorker> {
  const child = spawn(process.execPath, [WORKER, JSON.stringify(settings)], { stdio: ['ignore', 'pipe', 'pipe'] })
  t.teardown(() => child.kill('SIGKILL'))
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => { errors += chunk })
  await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
  if (child.exitCode !== null) throw new Error(`The worker ended: ${errors}`)
  return { child, errors: () => errors }
}

function settingsOf (emulator: Emulator): Record<string, string> {
  return Object.fromEntries(Object.entries(emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY')))
}

async function count (database: Database, sql: string, values: number[]): Promise<number> {
  return integer(await database.get(sql, values) ?? {}, 'total')
}

function buildLogin (owner: { shopId: string, provider: string, providerAppId: string, providerUserId: string }, token: { nowMs: number, sealedToken: string }) {
  return {
    ...owner,
    newCustomerId: `cus_${owner.providerUserId}`,
    newIdentityId: `idn_${owner.providerUserId}`,
    nowMs: token.nowMs,
    providerAccountId: null,
    username: null,
    usernameKey: null,
    name: null,
    nameKey: null,
    pictureURL: null,
    accountType: null,
    scopes: ['instagram_business_basic'],
    sealedToken: token.sealedToken,
    tokenExpiresAtMs: token.nowMs + 60 * DAY_MS,
    exchangeDueAtMs: null,
    sourcePage: null,
    sourceCampaign: null
  }
}
