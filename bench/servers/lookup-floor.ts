import { hash } from 'node:crypto'
import Fastify from 'fastify'
import SQLite from 'better-sqlite3'
import { announce, readSetting, readSettings } from '../support/in-child.ts'

// The floor of a lookup: bare Fastify and better-sqlite3, the same three statements, the same answer.

type CustomerRow = {
  id: string,
  external_id: string | null,
  email: string | null,
  email_source: string | null,
  email_verified_at_ms: number | null
  name: string | null,
  phone: string | null,
  created_at_ms: number,
  updated_at_ms: number
}

type IdentityRow = {
  provider: string,
  provider_user_id: string,
  provider_account_id: string | null,
  username: string | null,
  name: string | null
  picture_url: string | null,
  account_type: string | null,
  scopes: string,
  first_seen_at_ms: number,
  last_login_at_ms: number | null
  login_count: number,
  expires_at_ms: number | null,
  revoked_at_ms: number | null
}

const EXPIRING_WITHIN_MS = 7 * 86_400_000
const text = { type: 'string' } as const
const textOrNull = { type: ['string', 'null'] } as const
const integer = { type: 'integer' } as const

const IDENTITY = {
  type: 'object',
  properties: {
    provider: text,
    provider_user_id: text,
    provider_account_id: textOrNull,
    username: textOrNull,
    name: textOrNull,
    picture_url: textOrNull,
    account_type: textOrNull,
    scopes: { type: 'array', items: text },
    token: { type: 'object', properties: { status: text, expires_at: textOrNull } },
    first_seen_at: text,
    last_login_at: textOrNull,
    login_count: integer
  }
} as const

const CUSTOMER = {
  type: 'object',
  properties: {
    id: text,
    external_id: textOrNull,
    email: textOrNull,
    email_verified: { type: 'boolean' },
    email_source: textOrNull,
    name: textOrNull,
    phone: textOrNull,
    identities: { type: 'array', items: IDENTITY },
    consents: { type: 'object', additionalProperties: true },
    orders: { type: 'object', properties: { count: integer, totals: { type: 'array' } } },
    created_at: text,
    updated_at: text
  }
} as const

const COLUMNS = 'id, external_id, email, email_source, email_verified_at_ms, name, phone, created_at_ms, updated_at_ms'

const settings = readSettings()
const connection = new SQLite(readSetting(settings, 'path'))
connection.pragma('journal_mode = WAL')
const findKey = connection.prepare<[string], { shop_id: string, scopes: string }>(`select k.id, k.shop_id, k.scopes, s.name
  from api_keys k join shops s on s.id = k.shop_id where k.hash = ? and k.revoked_at_ms is null`)
const findById = connection.prepare<[string, string], CustomerRow>(`select ${COLUMNS} from customers where shop_id = ? and id = ?`)
const listByExternalId = connection.prepare<[string, string], CustomerRow>(`select ${COLUMNS} from customers
  where shop_id = ? and external_id = ? order by created_at_ms, id limit 100`)
const listIdentities = connection.prepare<[string], IdentityRow>(`select i.provider, i.provider_user_id, i.provider_account_id,
    i.username, i.name, i.picture_url, i.account_type, i.scopes, i.first_seen_at_ms, i.last_login_at_ms, i.login_count,
    t.obtained_at_ms, t.expires_at_ms, t.revoked_at_ms
  from identities i left join tokens t on t.identity_id = i.id
  where i.customer_id = ? order by coalesce(i.last_login_at_ms, 0) desc, i.id limit 100`)

const app = Fastify()

app.get<{ Params: { id: string } }>('/v1/customers/:id', { schema: { response: { 200: CUSTOMER } } }, async (request, reply) => {
  const shopId = readShop(request.headers.authorization)
  const row = shopId && findById.get(shopId, request.params.id)
  return row ? customerOf(row) : reply.code(404).send()
})

app.get<{ Querystring: { external_id: string } }>('/v1/customers', {
  schema: { response: { 200: { type: 'object', properties: { data: { type: 'array', items: CUSTOMER } } } } }
}, async (request, reply) => {
  const shopId = readShop(request.headers.authorization)
  return shopId ? { data: listByExternalId.all(shopId, request.query.external_id).map(customerOf) } : reply.code(401).send()
})

const address = await app.listen({ host: '127.0.0.1', port: 0 })
announce(address, () => app.close())

function readShop (authorization: string | undefined): string | undefined {
  const key = findKey.get(hash('sha256', authorization?.slice('Bearer '.length) ?? '', 'base64url'))
  return key?.scopes.split(' ').includes('leads:read') === true ? key.shop_id : undefined
}

function customerOf (row: CustomerRow) {
  const nowMs = Date.now()
  return {
    id: row.id,
    external_id: row.external_id,
    email: row.email,
    email_verified: row.email_verified_at_ms !== null,
    email_source: row.email_source,
    name: row.name,
    phone: row.phone,
    identities: listIdentities.all(row.id).map((identity) => identityOf(identity, nowMs)),
    consents: {},
    orders: { count: 0, totals: [] },
    created_at: new Date(row.created_at_ms).toISOString(),
    updated_at: new Date(row.updated_at_ms).toISOString()
  }
}

function identityOf (row: IdentityRow, nowMs: number) {
  return {
    ...row,
    scopes: row.scopes.split(' '),
    token: { status: statusOf(row, nowMs), expires_at: timeOf(row.expires_at_ms) },
    first_seen_at: new Date(row.first_seen_at_ms).toISOString(),
    last_login_at: timeOf(row.last_login_at_ms)
  }
}

function statusOf ({ expires_at_ms: expiresAtMs, revoked_at_ms: revokedAtMs }: IdentityRow, nowMs: number): string {
  if (revokedAtMs !== null) return 'revoked'
  if (expiresAtMs === null) return 'active'
  return expiresAtMs <= nowMs ? 'expired' : expiresAtMs <= nowMs + EXPIRING_WITHIN_MS ? 'expiring' : 'active'
}

function timeOf (timeMs: number | null): string | null {
  return timeMs === null ? null : new Date(timeMs).toISOString()
}
