import { type Database, integer, type Row, type Statement, text } from './database.ts'

/** Whose token a row of `tokens` holds: what its sealed text is bound to. */
export type SealedOwner = { shopId: string, provider: string, providerAppId: string, providerUserId: string }

/** A sealed text as it is stored, with what it is bound to. */
export type SealedRow = { column: SealedColumn, id: string, sealed: string, owner: SealedOwner | null }

/** A column that holds sealed texts. */
export type SealedColumn = Readonly<{
  table: string
  name: string
  /** What the vault sealed them for. */
  purpose: 'token' | 'signing-key'
  /** `$1` id, `$2` limit. */
  list: string
  /** `$1` id, `$2` the text before, `$3` the text now. The row's fences stay as they are: its value does. */
  replace: string
  count: string
}>

/**
 * Every column that holds sealed texts which outlive a flow: what a new encryption key must reach.
 * `vault_keys.check_value` is not among them, since each belongs to its key.
 */
export const SEALED_COLUMNS: readonly SealedColumn[] = [
  {
    table: 'tokens',
    name: 'access_token',
    purpose: 'token',
    list: `select t.identity_id as id, t.access_token as sealed, i.shop_id, i.provider, i.provider_app_id, i.provider_user_id
      from tokens t join identities i on i.id = t.identity_id where t.identity_id > $1 order by t.identity_id limit $2`,
    replace: 'update tokens set access_token = $3 where identity_id = $1 and access_token = $2 returning identity_id',
    count: 'select count(*) as total from tokens'
  },
  {
    table: 'tokens',
    name: 'previous_token',
    purpose: 'token',
    list: `select t.identity_id as id, t.previous_token as sealed, i.shop_id, i.provider, i.provider_app_id, i.provider_user_id
      from tokens t join identities i on i.id = t.identity_id
      where t.identity_id > $1 and t.previous_token is not null order by t.identity_id limit $2`,
    replace: 'update tokens set previous_token = $3 where identity_id = $1 and previous_token = $2 returning identity_id',
    count: 'select count(*) as total from tokens where previous_token is not null'
  },
  {
    table: 'signing_keys',
    name: 'private_jwk',
    purpose: 'signing-key',
    list: 'select kid as id, private_jwk as sealed from signing_keys where kid > $1 order by kid limit $2',
    replace: 'update signing_keys set private_jwk = $3 where kid = $1 and private_jwk = $2 returning kid',
    count: 'select count(*) as total from signing_keys'
  }
]

// One statement sees one moment: a text that moves from one column to another is never between two counts.
const COUNT_TEXTS_UNDER = `select ${SEALED_COLUMNS.map(({ table, name }) =>
  `(select count(*) from ${table} where substr(${name}, 1, length(cast($1 as text))) = cast($1 as text))`).join(' + ')} as total`

/** Rows of a column behind `afterId`, by id. */
export async function listSealedRows (database: Database, column: SealedColumn, page: { afterId: string, limit: number }): Promise<SealedRow[]> {
  return (await database.all(column.list, [page.afterId, page.limit])).map((row) => sealedRowOf(column, row))
}

/** Stores the same value under another key, each only where the old text still stands; answers how many did. */
export async function replaceSealedTexts (database: Database, replacements: ReadonlyArray<{ row: SealedRow, sealed: string }>): Promise<number> {
  const statements: Statement[] = replacements.map(({ row: { column, id, sealed: before }, sealed }) => ({ sql: column.replace, values: [id, before, sealed] }))
  if (statements.length === 0) return 0
  return (await database.batch(statements)).reduce((total, rows) => total + rows.length, 0)
}

function sealedRowOf (column: SealedColumn, row: Row): SealedRow {
  const owner = column.purpose !== 'token'
    ? null
    : {
        shopId: text(row, 'shop_id'),
        provider: text(row, 'provider'),
        providerAppId: text(row, 'provider_app_id'),
        providerUserId: text(row, 'provider_user_id')
      }
  return { column, id: text(row, 'id'), sealed: text(row, 'sealed'), owner }
}

/** How many texts in all columns begin as those under one key do, see `sealedPrefix` in src/vault.ts. */
export async function countTextsUnder (database: Database, prefix: string): Promise<number> {
  const row = await database.get(COUNT_TEXTS_UNDER, [prefix])
  return row === undefined ? 0 : integer(row, 'total')
}

/** How many rows have a sealed text in this column. */
export async function countSealedRows (database: Database, column: SealedColumn): Promise<number> {
  const row = await database.get(column.count)
  return row === undefined ? 0 : integer(row, 'total')
}
