import type { Parts } from '../parts.ts'
import { isClaimLive } from '../store/claims.ts'
import { VaultError } from '../vault.ts'
import { MAX_SKEW_MS } from './flow.ts'

/** How long the shop may ask the userinfo endpoint about a login. */
export const ACCESS_TOKEN_LIFE_SECONDS = 300

/** What an access token of ours says: whose it is, what it may show, and which login it comes from. */
export type AccessToken = {
  shopId: string
  customerId: string
  flowId: string
  provider: string
  providerUserId: string
  scopes: string[]
  expiresAtMs: number
}

/** Seals it under a purpose of its own: nothing else of ours opens as an access token, nor it as anything else. */
export function buildAccessToken ({ vault }: Pick<Parts, 'vault'>, token: AccessToken): string {
  const { shopId, customerId, flowId, provider, providerUserId, scopes, expiresAtMs } = token
  const fields = [shopId, customerId, flowId, provider, providerUserId, scopes.join(' '), String(expiresAtMs)]
  return vault.seal('access-token', '', fields.join('\n'))
}

/** The token, if it is ours, in time, and its login was not redeemed a second time. */
export async function findAccessToken ({ vault, database, now }: Parts, sealed: string): Promise<AccessToken | undefined> {
  const token = parse(vault, sealed)
  if (token === undefined || token.expiresAtMs <= now() || token.expiresAtMs > now() + ACCESS_TOKEN_LIFE_SECONDS * 1000 + MAX_SKEW_MS) return undefined
  return await isClaimLive(database, token.flowId) ? token : undefined
}

function parse (vault: Parts['vault'], sealed: string): AccessToken | undefined {
  try {
    const [shopId = '', customerId = '', flowId = '', provider = '', providerUserId = '', scopes = '', expiresAtMs] =
      vault.unseal('access-token', '', sealed).split('\n')
    return { shopId, customerId, flowId, provider, providerUserId, scopes: scopes.split(' '), expiresAtMs: Number(expiresAtMs) }
  } catch (error) {
    if (error instanceof VaultError) return undefined
    throw error
  }
}
