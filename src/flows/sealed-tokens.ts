import type { Vault } from '../vault.ts'

/** Whose token it is. A sealed token opens under this identity only, whatever row it is found in. */
export type TokenOwner = { shopId: string, provider: string, providerAppId: string, providerUserId: string }

/** Seals a provider's access token for one identity. */
export function sealToken (vault: Vault, owner: TokenOwner, accessToken: string): string {
  return vault.seal('token', contextOf(owner), accessToken)
}

/** Opens it again. @throws {VaultError} */
export function unsealToken (vault: Vault, owner: TokenOwner, sealed: string): string {
  return vault.unseal('token', contextOf(owner), sealed)
}

// JSON, so that no two owners share a spelling whatever characters their ids hold.
function contextOf ({ shopId, provider, providerAppId, providerUserId }: TokenOwner): string {
  return JSON.stringify([shopId, provider, providerAppId, providerUserId])
}
