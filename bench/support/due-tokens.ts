import type { Emulator } from '../../src/emulator/emulator.ts'
import { sealToken } from '../../src/flows/sealed-tokens.ts'
import { saveLogin } from '../../src/store/logins.ts'
import { openDatabase } from '../../src/store/open.ts'
import type { Vault } from '../../src/vault.ts'

const DAY_MS = 86_400_000
const PERSON = 'creator'

/** Fills a database with long-lived tokens of forty days that the emulator knows; a floor takes them unsealed. */
export async function fillTokens (path: string, emulator: Emulator, options: {
  shopId: string, vault: Vault, count: number, isSealed: boolean
}): Promise<void> {
  const database = openDatabase(`sqlite:${path}`)
  const nowMs = Date.now() - 40 * DAY_MS
  const { shopId, vault } = options
  await Promise.all(Array.from({ length: options.count }, (_, i) => {
    const owner = { shopId, provider: 'instagram', providerAppId: emulator.apps.instagram.clientId, providerUserId: String(20_000_000_000_000_000n + BigInt(i)) }
    const token = emulator.control.mintToken(PERSON, { kind: 'long', ageMs: 40 * DAY_MS })
    return saveLogin(database, {
      ...owner,
      newCustomerId: `cus_${i}`,
      newIdentityId: `idn_${i}`,
      nowMs,
      providerAccountId: null,
      username: null,
      usernameKey: null,
      name: null,
      nameKey: null,
      pictureURL: null,
      accountType: null,
      scopes: ['instagram_business_basic'],
      sealedToken: options.isSealed ? sealToken(vault, owner, token) : token,
      tokenExpiresAtMs: nowMs + 60 * DAY_MS,
      exchangeDueAtMs: null,
      sourcePage: null,
      sourceCampaign: null
    })
  }))
  await database.close()
}
