import type { Profile, ProviderToken } from '../providers/provider.ts'
import { searchKey } from '../text.ts'
import type { Vault } from '../vault.ts'
import { sealToken, type TokenOwner } from './sealed-tokens.ts'

/** What a profile and a token leave in the rows of an identity, however they were come by. */
export function buildIdentityValues (vault: Vault, owner: TokenOwner, options: { profile: Profile, token: ProviderToken, nowMs: number }) {
  const { profile, token, nowMs } = options
  return {
    ...owner,
    nowMs,
    providerAccountId: profile.accountId,
    username: profile.username,
    usernameKey: profile.username && searchKey(profile.username),
    name: profile.name,
    nameKey: profile.name && searchKey(profile.name),
    pictureURL: profile.pictureURL,
    accountType: profile.accountType,
    sealedToken: sealToken(vault, owner, token.accessToken),
    tokenExpiresAtMs: token.expiresAtMs,
    exchangeDueAtMs: token.isShortLived ? nowMs : null
  }
}
