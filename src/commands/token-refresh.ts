import type { Command } from 'commander'
import { Agent } from 'undici'
import { type RefreshAnswer, refreshToken } from '../flows/change-token.ts'
import { createMetrics } from '../metrics.ts'
import { createProviders } from '../providers/index.ts'
import { findShopOfCustomer } from '../store/token-list.ts'
import { openVault } from '../vault-keys.ts'
import { CommandError, type Edge } from './edge.ts'
import { formatJSON, printJSON, printLine, printWarning } from './print.ts'
import { readConfig, withDatabase } from './store.ts'

type RefreshOptions = { providerUserId?: string, json?: boolean }

const REASONS: Readonly<Partial<Record<RefreshAnswer['outcome'], string>>> = {
  too_young: 'It was obtained or refreshed less than 24 hours ago, and the provider refuses sooner. Try again tomorrow.',
  expired: 'It has expired; the shopper must sign in again.',
  revoked: 'It is no longer good; the shopper must sign in again.',
  unsupported: 'The provider is not configured as it was when the shopper signed in, or its tokens cannot be refreshed.',
  busy: 'It is being refreshed just now.',
  throttled: 'The provider limits our calls.',
  later: 'The provider did not answer. The service tries again by itself.',
  refused: 'The provider refused in a way that says nothing about the token. The service tries again by itself.',
  kept: 'The provider gave a token that does not work; the one before is kept. The service tries again by itself.'
}

/** Adds `token refresh`. */
export function addTokenRefresh (token: Command, edge: Edge): void {
  token.command('refresh').description('lengthen the life of a token now, or exchange a short-lived one; the audit log tells of it')
    .argument('<customer>', 'customer id').argument('<provider>', 'such as instagram')
    .option('--provider-user-id <id>', 'of this account; the one used last unless given')
    .option('--json', 'print JSON')
    .action((customerId: string, provider: string, options: RefreshOptions) => refresh(edge, customerId, provider, options))
}

async function refresh (edge: Edge, customerId: string, provider: string, options: RefreshOptions): Promise<void> {
  const config = readConfig(edge)
  const answer = await withDatabase(edge, { config }, async (database) => {
    // Where there is no customer there may be no key yet, and this is not the command to make one.
    const shopId = await findShopOfCustomer(database, customerId)
    if (shopId === undefined) return undefined
    const vault = await openVault(config, database, edge.now, (warning) => printWarning(edge, warning))
    const dispatcher = new Agent()
    const metrics = createMetrics()
    const providers = createProviders(config, dispatcher, metrics, edge.now)
    try {
      return await refreshToken({ database, vault, providers, metrics, now: edge.now }, { warn: () => {} }, {
        shopId, customerId, provider, providerUserId: options.providerUserId ?? null, actor: 'cli'
      })
    } finally {
      await dispatcher.destroy()
    }
  })
  if (answer === undefined) {
    throw new CommandError(`There is no token of customer ${formatJSON(customerId)} at ${formatJSON(provider)}. "leadlatch token list" shows the tokens.`)
  }
  const reason = REASONS[answer.outcome]
  if (reason !== undefined) throw new CommandError(`The token was not refreshed. ${reason}`)
  if (options.json === true) return printJSON(edge, { customer_id: customerId, ...answer.token })
  printLine(edge, `Refreshed; it expires at ${answer.token.expires_at ?? 'a time that the provider does not tell'}.`)
}
