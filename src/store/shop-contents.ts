import { type Database, integer, type Statement } from './database.ts'

const COUNT_CUSTOMERS = 'select count(*) as total from customers where shop_id = $1'
const COUNT_IDENTITIES = 'select count(*) as total from identities where shop_id = $1'
const COUNT_LIVE_KEYS = 'select count(*) as total from api_keys where shop_id = $1 and revoked_at_ms is null'
const TOUCH_SHOP = 'update shops set name = name where id = $1'

/** How much would go with a shop. */
export type ShopContents = { customers: number, identities: number, liveKeys: number }

/** Counts what belongs to a shop. */
export async function countShopContents (database: Database, shopId: string): Promise<ShopContents> {
  const count = async (sql: string) => {
    const row = await database.get(sql, [shopId])
    return row === undefined ? 0 : integer(row, 'total')
  }
  return {
    customers: await count(COUNT_CUSTOMERS),
    identities: await count(COUNT_IDENTITIES),
    liveKeys: await count(COUNT_LIVE_KEYS)
  }
}

/** A statement that fails its batch when the shop is gone, so that an update cannot bring it back. */
export function requireShop (shopId: string): Statement {
  return { sql: TOUCH_SHOP, values: [shopId], expect: 1 }
}
