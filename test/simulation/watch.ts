import { sealToken, unsealToken } from '../../src/flows/sealed-tokens.ts'
import { type Database, type Row, type Statement, text } from '../../src/store/database.ts'
import { saveLogin } from '../../src/store/logins.ts'
import type { Vault } from '../../src/vault.ts'
import type { Issued, SimulatedProvider } from './provider.ts'
import type { Scheduler } from './scheduler.ts'

/** What a worker holds: until when, and from which login the token descends. */
export type Lease = { untilMs: number, lineage: number }

/** Watches a history and says what must not be. */
export type Watch = {
  broken: string[]
  logIn: (userId: string, atMs: number) => Promise<void>
  erase: (userId: string) => Promise<void>
  /** Hears of each statement of a worker, with the rows that it returned. */
  afterWrite: (worker: { name: string, leases: Map<string, Lease> }, statement: Statement, rows: readonly Row[]) => Promise<void>
  /** Hears of each refresh that a worker begins. */
  checkAsk: (worker: { leases: Map<string, Lease> }, userId: string) => void
  /** Hears of each refresh that leaves a worker. */
  checkCall: (worker: { name: string, leases: Map<string, Lease> }, userId: string) => void
  /** The tokens that are not fresh, as the provider knows them. */
  listStale: () => Promise<string[]>
}

const LEASE_SLACK_MS = 3000

export function watch (database: Database, vault: Vault, { scheduler, provider, startMs }: {
  scheduler: Scheduler, provider: SimulatedProvider, startMs: number
}): Watch {
  const broken: string[] = []
  const holders = new Map<string, string>()
  const newest = new Map<string, Issued & { obtainedAtMs: number }>()
  const erased = new Set<string>()
  let lineage = 0

  const ownerOf = (providerUserId: string) => ({ shopId: 'shp_1', provider: 'instagram', providerAppId: '1', providerUserId })
  const open = (userId: string, sealed: unknown): Issued | undefined =>
    typeof sealed === 'string' ? provider.tokens.get(unsealToken(vault, ownerOf(userId), sealed)) : undefined

  async function checkRow (userId: string, isGoingBack: boolean): Promise<void> {
    const row = await database.get('select access_token, previous_token, revoked_at_ms, obtained_at_ms from tokens where identity_id = $1', [`idn_${userId}`])
    if (row === undefined) return
    const [current, previous] = [open(userId, row['access_token']), open(userId, row['previous_token'])]
    if (erased.has(userId)) broken.push(`the erased token of ${userId} came back`)
    if (row['revoked_at_ms'] !== null) broken.push(`${userId} was taken for revoked`)
    if (current?.works !== true && previous?.works !== true) broken.push(`the token of ${userId} was lost`)
    const before = newest.get(userId)
    const isOlder = current !== undefined && before !== undefined &&
      (current.lineage < before.lineage || (current.lineage === before.lineage && current.serial < before.serial))
    if (isOlder && !isGoingBack) broken.push(`an older token of ${userId} was stored over a newer one`)
    if (current !== undefined) newest.set(userId, { ...current, obtainedAtMs: Number(row['obtained_at_ms']) })
  }

  return {
    broken,
    async logIn (userId, atMs) {
      lineage += 1
      const token = provider.issue(userId, lineage, atMs)
      const expiresAtMs = provider.tokens.get(token)?.expiresAtMs ?? null
      erased.delete(userId)
      await saveLogin(database, buildLogin(userId, { atMs, expiresAtMs, sealedToken: sealToken(vault, ownerOf(userId), token) }))
      await checkRow(userId, false)
    },
    async erase (userId) {
      erased.add(userId)
      await database.run('delete from customers where id = $1', [`cus_${userId}`])
    },
    async afterWrite (worker, { sql, values = [] }, rows) {
      if (!sql.startsWith('update tokens')) return
      for (const row of rows) {
        const id = text(row, 'identity_id')
        holders.set(id, worker.name)
        worker.leases.set(id, { untilMs: Number(values[3]), lineage: newest.get(id.slice(4))?.lineage ?? 0 })
      }
      const [id] = values
      if (String(id).startsWith('idn_')) await checkRow(String(id).slice(4), sql.includes('access_token = previous_token'))
    },
    checkAsk (worker, userId) {
      const lease = worker.leases.get(`idn_${userId}`)
      if (lease !== undefined && scheduler.nowMs > lease.untilMs) broken.push(`a worker began a call for ${userId} after its lease`)
    },
    checkCall (worker, userId) {
      const id = `idn_${userId}`
      const lease = worker.leases.get(id)
      const now = newest.get(userId)
      // A worker that stood still between its look at the clock and its call cannot know; nor that somebody signed in.
      if (lease === undefined || scheduler.nowMs > lease.untilMs - LEASE_SLACK_MS || now?.lineage !== lease.lineage) return
      if (holders.get(id) !== worker.name) broken.push(`two workers asked for ${userId} within one lease`)
      else if (now.obtainedAtMs >= startMs) broken.push(`the fresh token of ${userId} was refreshed again`)
    },
    async listStale () {
      const rows = await database.all('select i.provider_user_id, t.access_token, t.obtained_at_ms from tokens t join identities i on i.id = t.identity_id order by i.id limit 1000')
      return rows.map((row) => ({ row, userId: text(row, 'provider_user_id') }))
        .filter(({ row, userId }) => Number(row['obtained_at_ms']) < startMs || open(userId, row['access_token'])?.works !== true)
        .map(({ userId }) => userId)
    }
  }
}

function buildLogin (userId: string, { atMs, expiresAtMs, sealedToken }: { atMs: number, expiresAtMs: number | null, sealedToken: string }) {
  return {
    shopId: 'shp_1',
    provider: 'instagram',
    providerAppId: '1',
    providerUserId: userId,
    newCustomerId: `cus_${userId}`,
    newIdentityId: `idn_${userId}`,
    nowMs: atMs,
    providerAccountId: null,
    username: null,
    usernameKey: null,
    name: null,
    nameKey: null,
    pictureURL: null,
    accountType: null,
    scopes: [],
    sealedToken,
    tokenExpiresAtMs: expiresAtMs,
    exchangeDueAtMs: null,
    sourcePage: null,
    sourceCampaign: null
  }
}
