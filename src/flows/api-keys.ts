import { hash } from 'node:crypto'
import type { Database } from '../store/database.ts'
import { findKey } from '../store/shops.ts'

/** What an API key may be allowed to do (contract, section 5). */
export const API_KEY_SCOPES = ['login', 'leads:read', 'leads:write', 'tokens:read', 'tokens:write', 'customers:erase'] as const

export type APIKeyScope = typeof API_KEY_SCOPES[number]

/** A key that was presented and is good. */
export type AuthenticatedKey = { id: string, shopId: string, shopName: string, scopes: readonly string[] }

/** What is stored of a key, and what it is found by: nothing of a guess shows in the time that a look-up takes. */
export function hashKey (key: string): string {
  return hash('sha256', key, 'base64url')
}

/** The shop and scopes of a key; undefined when it is unknown or revoked, now, on every replica. */
export async function authenticateKey (database: Database, key: string): Promise<AuthenticatedKey | undefined> {
  if (!/^llk_[\w-]{43}$/.test(key)) return undefined
  return findKey(database, hashKey(key))
}
