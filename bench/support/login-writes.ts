import { randomBytes } from 'node:crypto'
import SQLite from 'better-sqlite3'

/** What `/me` answers. */
export type Profile = {
  id: string, user_id: string, username: string, name: string, account_type: string, profile_picture_url: string
}

type LoginWrite = { shopId: string, profile: Profile, sealedToken: string, expiresAtMs: number }

const APP_ID = '1'
const CLAIM = `insert into claims (flow_id, shop_id, claimed_at_ms, expires_at_ms) values (?, ?, ?, ?)
  on conflict (flow_id) do nothing returning flow_id`
const SAVE_IDENTITY = `insert into identities (id, shop_id, customer_id, provider, provider_app_id, provider_user_id,
    provider_account_id, username, username_key, name, picture_url, account_type, scopes, first_seen_at_ms, last_login_at_ms, login_count)
  values (@identityId, @shopId, @customerId, 'instagram', @appId, @id, @user_id, @username, @username, @name, @profile_picture_url,
    @account_type, 'instagram_business_basic', @nowMs, @nowMs, 1)
  on conflict (shop_id, provider, provider_app_id, provider_user_id) do update set
    provider_account_id = excluded.provider_account_id, username = excluded.username, username_key = excluded.username_key,
    name = excluded.name, picture_url = excluded.picture_url, account_type = excluded.account_type, scopes = excluded.scopes,
    last_login_at_ms = excluded.last_login_at_ms, login_count = identities.login_count + 1
  returning id, customer_id`
const SAVE_CUSTOMER = `insert into customers (id, shop_id, last_identity_id, name_key, first_seen_at_ms, last_login_at_ms, login_count,
    created_at_ms, updated_at_ms)
  values (@customerId, @shopId, @identityId, @nameKey, @nowMs, @nowMs, 1, @nowMs, @nowMs)
  on conflict (id) do update set last_identity_id = excluded.last_identity_id, name_key = excluded.name_key,
    last_login_at_ms = excluded.last_login_at_ms, login_count = customers.login_count + 1, updated_at_ms = excluded.updated_at_ms`
const SAVE_TOKEN = `insert into tokens (identity_id, access_token, obtained_at_ms, expires_at_ms)
  values (@identityId, @sealedToken, @nowMs, @expiresAtMs)
  on conflict (identity_id) do update set access_token = excluded.access_token, obtained_at_ms = excluded.obtained_at_ms,
    expires_at_ms = excluded.expires_at_ms`

/**
 * The two durable commits of a login, by better-sqlite3 alone.
 * @param options.isGrouped true: what arrives in one turn of the event loop shares a commit, as in Leadlatch
 */
export function createLoginWriter (path: string, { isGrouped }: { isGrouped: boolean }) {
  const connection = new SQLite(path)
  connection.pragma('journal_mode = WAL')
  connection.pragma('synchronous = FULL')
  connection.pragma('foreign_keys = ON')
  const claim = connection.prepare(CLAIM)
  const saveIdentity = connection.prepare<[object], { id: string, customer_id: string }>(SAVE_IDENTITY)
  const saveCustomer = connection.prepare(SAVE_CUSTOMER)
  const saveToken = connection.prepare(SAVE_TOKEN)
  const commit = connection.transaction((works: ReadonlyArray<() => void>) => { for (const work of works) work() }).immediate
  let waiting: Array<() => void> = []
  let done: Promise<void> | undefined

  // As small as it can be: a failure ends the floor, and with it the bench.
  async function write (work: () => void): Promise<void> {
    if (!isGrouped) return commit([work])
    waiting.push(work)
    done ??= new Promise((resolve) => {
      setImmediate(() => {
        const works = waiting
        waiting = []
        done = undefined
        commit(works)
        resolve()
      })
    })
    return done
  }

  return {
    claim: (flowId: string, shopId: string) => write(() => {
      if (claim.get(flowId, shopId, Date.now(), Date.now() + 900_000) === undefined) throw new Error('the flow was claimed before')
    }),
    saveLogin: async ({ shopId, profile, sealedToken, expiresAtMs }: LoginWrite) => {
      const nowMs = Date.now()
      const proposed = buildId('cus', nowMs)
      let customerId = proposed
      await write(() => {
        const login = {
          ...profile, shopId, nowMs, appId: APP_ID, customerId: proposed, identityId: buildId('idn', nowMs), nameKey: profile.name.toLowerCase()
        }
        const row = saveIdentity.get(login)
        if (row === undefined) throw new Error('no identity was written')
        customerId = row.customer_id
        saveCustomer.run({ ...login, customerId, identityId: row.id })
        saveToken.run({ identityId: row.id, sealedToken, nowMs, expiresAtMs })
      })
      return { customerId, isCreated: customerId === proposed }
    }
  }
}

function buildId (prefix: string, nowMs: number): string {
  return `${prefix}_${nowMs.toString(16).padStart(12, '0')}${randomBytes(10).toString('hex')}`
}
