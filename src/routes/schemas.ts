import { type Static, type TObject, type TSchema, Type } from 'typebox'
import { API_KEY_SCOPES } from '../flows/api-keys.ts'
import { TOKEN_STATUSES } from '../store/tokens.ts'

/** One of a few words, as `enum`, whose errors say more than those of a union. */
export function choice<const Words extends readonly string[]> (words: Words, options: { description?: string, default?: Words[number] } = {}) {
  return Type.Unsafe<Words[number]>({ type: 'string', enum: words, ...options })
}

/** A text that may be null. */
export function textOrNull (options: { description?: string, minLength?: number, maxLength?: number, pattern?: string, format?: string } = {}) {
  return Type.Unsafe<string | null>({ type: ['string', 'null'], ...options })
}

/** Refers to one of {@link SHARED_SCHEMAS}, so that the API description names it once. */
export function shared<Schema extends TSchema & { $id: string }> (schema: Schema) {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` })
}

const time = Type.String({ format: 'date-time', description: 'RFC 3339, UTC, with milliseconds' })
const timeOrNull = textOrNull({ format: 'date-time' })

const TokenState = Type.Object({
  status: choice(TOKEN_STATUSES, { description: '`expiring` is within seven days; a token whose life is unknown is `active`' }),
  expires_at: timeOrNull
})

const Consents = Type.Record(Type.String(), Type.Object({
  granted: Type.Boolean(),
  at: time,
  text_version: textOrNull()
}), { description: 'By purpose, the latest record of each' })

const Orders = Type.Object({
  count: Type.Integer(),
  totals: Type.Array(Type.Object({ currency: Type.String(), total: Type.String() }))
})

const Identity = Type.Object({
  provider: Type.String(),
  provider_user_id: Type.String(),
  provider_account_id: textOrNull(),
  username: textOrNull(),
  name: textOrNull(),
  picture_url: textOrNull(),
  account_type: textOrNull(),
  scopes: Type.Array(Type.String()),
  token: TokenState,
  first_seen_at: time,
  last_login_at: timeOrNull,
  login_count: Type.Integer()
})

const EmailSource = Type.Unsafe<'typed' | 'confirmed' | 'provider' | null>({
  type: ['string', 'null'], enum: ['typed', 'confirmed', 'provider', null]
})

/** The person, as one shop knows them. */
export const Customer = named('Customer', Type.Object({
  id: Type.String(),
  external_id: textOrNull({ description: 'The WooCommerce customer id, once there is one' }),
  email: textOrNull(),
  email_verified: Type.Boolean(),
  email_source: EmailSource,
  name: textOrNull({ description: 'What was typed; a name from a provider stands with its identity' }),
  phone: textOrNull(),
  identities: Type.Array(Identity, { description: 'The one used last first' }),
  consents: Consents,
  orders: Orders,
  created_at: time,
  updated_at: time
}))

/** The row that an admin reads and exports. */
export const Lead = named('Lead', Type.Object({
  id: Type.String(),
  external_id: textOrNull(),
  provider: textOrNull(),
  provider_user_id: textOrNull(),
  username: textOrNull(),
  name: textOrNull({ description: "The customer's own name if there is one, else that of the identity used last" }),
  picture_url: textOrNull(),
  account_type: textOrNull(),
  email: textOrNull(),
  email_verified: Type.Boolean(),
  email_source: textOrNull(),
  phone: textOrNull(),
  consents: Consents,
  token: TokenState,
  source: Type.Object({ page: textOrNull(), campaign: textOrNull() }),
  orders: Orders,
  first_seen_at: time,
  last_login_at: timeOrNull,
  login_count: Type.Integer(),
  updated_at: time
}))

/** The state of one identity's token. */
export const TokenOfIdentity = named('TokenState', Type.Object({
  provider: Type.String(),
  provider_user_id: Type.String(),
  scopes: Type.Array(Type.String()),
  status: choice(TOKEN_STATUSES),
  reason: textOrNull({
    description: 'Why it is revoked: `app_removed checkpoint password_changed expired unconfirmed logged_out permission_missing invalid`; null otherwise'
  }),
  obtained_at: timeOrNull,
  expires_at: timeOrNull
}))

/** An opened token: the one schema that lets a token out. */
export const OpenedToken = named('Token', Type.Object({
  provider: Type.String(),
  provider_user_id: Type.String(),
  access_token: Type.String(),
  scopes: Type.Array(Type.String()),
  status: choice(TOKEN_STATUSES),
  obtained_at: timeOrNull,
  expires_at: timeOrNull
}))

/** What a "Test connection" button reads. */
export const ShopState = named('Shop', Type.Object({
  id: Type.String(),
  name: Type.String(),
  url: Type.String(),
  providers: Type.Array(Type.String(), { description: 'Ids of the providers that are on' }),
  scopes: Type.Array(choice(API_KEY_SCOPES), { description: 'Scopes of the key that asked' }),
  version: Type.String({ description: 'Version of this service' })
}))

/** Every error of the REST API (RFC 9457). */
export const ProblemDocument = named('Problem', Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String({ description: 'Stable: what a program goes by' }),
  request_id: Type.String({ description: 'Under which the log tells more' }),
  member: Type.Optional(Type.String({ description: 'The query or body member at fault' }))
}))

/** The schemas that routes refer to by name. */
export const SHARED_SCHEMAS: ReadonlyArray<{ $id: string }> = [Customer, Lead, TokenOfIdentity, OpenedToken, ShopState, ProblemDocument]

const DESCRIPTIONS: Readonly<Record<number, string>> = {
  400: 'A member is missing, unknown or wrong',
  401: 'No key, or one that is unknown or revoked',
  403: 'The key lacks the scope',
  404: 'There is no such thing in this shop',
  409: 'It contradicts what is stored',
  413: 'The body is too large',
  415: 'The body is not application/json',
  429: 'Too many at once; see Retry-After',
  500: 'Our fault; the log tells more under request_id',
  503: 'Not now; see Retry-After'
}

/** The error answers of a route, for its response schemas; 500 and 503 can always happen. */
export function problems<const Status extends number> (...statuses: readonly Status[]) {
  const entries = [...statuses, 500, 503].map((status) => [status, {
    description: DESCRIPTIONS[status] ?? 'An error',
    content: { 'application/problem+json': { schema: shared(ProblemDocument) } }
  }])
  return Object.fromEntries(entries) as Record<Status | 500 | 503, { description: string, content: object }>
}

function named<Id extends string, Schema extends TObject> ($id: Id, schema: Schema): Schema & { $id: Id } {
  return { ...schema, $id }
}
