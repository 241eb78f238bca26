import { type Database, type Statement } from './database.ts'

const TAKE_CLAIM = `insert into claims (flow_id, shop_id, claimed_at_ms, expires_at_ms) values ($1, $2, $3, $4)
  on conflict (flow_id) do nothing returning flow_id`
const MARK_REPLAYED = 'update claims set replayed_at_ms = $2 where flow_id = $1 and replayed_at_ms is null'
const FIND_LIVE = 'select flow_id from claims where flow_id = $1 and replayed_at_ms is null'
const ERASE_EXPIRED = 'delete from claims where expires_at_ms < $1'

/** What a claim names. It is kept until no handoff code and no access token of its flow can still live. */
export type Claim = { flowId: string, shopId: string, nowMs: number, expiresAtMs: number }

/** Claims a flow durably: true for the first caller only, whatever process it runs in. */
export async function takeClaim (database: Database, claim: Claim): Promise<boolean> {
  const [rows] = await database.batch([
    { sql: TAKE_CLAIM, values: [claim.flowId, claim.shopId, claim.nowMs, claim.expiresAtMs] }
  ])
  return rows?.length === 1
}

/** Records that a claimed flow was presented again, which ends its access token (RFC 6749 4.1.2). */
export async function markReplayed (database: Database, flowId: string, nowMs: number): Promise<void> {
  await database.run(MARK_REPLAYED, [flowId, nowMs])
}

/** True while the flow's claim stands and was not presented twice. */
export async function isClaimLive (database: Database, flowId: string): Promise<boolean> {
  return await database.get(FIND_LIVE, [flowId]) !== undefined
}

/** A statement that erases claims whose time is over. */
export function eraseExpiredClaims (nowMs: number): Statement {
  return { sql: ERASE_EXPIRED, values: [nowMs] }
}
