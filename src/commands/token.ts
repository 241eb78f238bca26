import type { Command } from 'commander'
import { openToken } from '../flows/tokens.ts'
import type { Database } from '../store/database.ts'
import { findShopOfCustomer, type ListedToken, listTokens } from '../store/token-list.ts'
import { tokenStatus } from '../store/tokens.ts'
import { openVault } from '../vault-keys.ts'
import { CommandError, type Edge } from './edge.ts'
import { formatJSON, formatTime, jsonTime, printJSON, printLine, printTable, printWarning } from './print.ts'
import { readStoreConfig, withDatabase } from './store.ts'

const PAGE_ROWS = 500

type ListOptions = { shop?: string, customer?: string, json?: boolean }
type GetOptions = { providerUserId?: string, json?: boolean }

/** Adds `token list` and `token get`. */
export function addTokenCommands (program: Command, edge: Edge): void {
  const token = program.command('token').description('look at the access tokens of customers')
  token.command('list').description('the state of each token, never the token')
    .option('--shop <shop>', 'of this shop only').option('--customer <customer>', 'of this customer only')
    .option('--json', 'print JSON')
    .action((options: ListOptions) => withDatabase(edge, { config: readStoreConfig(edge) }, (database) => list(edge, database, options)))
  token.command('get').description('open a token and print it; the audit log tells of it')
    .argument('<customer>', 'customer id').argument('<provider>', 'such as instagram')
    .option('--provider-user-id <id>', 'of this account; the one used last unless given')
    .option('--json', 'print JSON')
    .action((customerId: string, provider: string, options: GetOptions) => get(edge, customerId, provider, options))
}

async function list (edge: Edge, database: Database, options: ListOptions): Promise<void> {
  const filter = { shopId: options.shop ?? null, customerId: options.customer ?? null }
  const found: ListedToken[] = []
  for (let afterId = ''; ;) {
    const page = await listTokens(database, filter, { afterId, limit: PAGE_ROWS })
    found.push(...page)
    if (page.length < PAGE_ROWS) break
    afterId = page.at(-1)?.identityId ?? afterId
  }
  const nowMs = edge.now()
  if (options.json === true) return printJSON(edge, { data: found.map((listed) => jsonOf(listed, nowMs)) })
  printTable(edge, ['CUSTOMER', 'PROVIDER', 'PROVIDER USER', 'USERNAME', 'STATUS', 'EXPIRES', 'SHOP'], found.map((listed) => [
    listed.customerId, listed.provider, listed.providerUserId, listed.username ?? '-', tokenStatus(listed.token, nowMs),
    formatTime(listed.token?.expiresAtMs ?? null), listed.shopId
  ]))
}

async function get (edge: Edge, customerId: string, provider: string, options: GetOptions): Promise<void> {
  const config = readStoreConfig(edge)
  const opened = await withDatabase(edge, { config }, async (database) => {
    // Where there is no customer there may be no key yet, and this is not the command to make one.
    const shopId = await findShopOfCustomer(database, customerId)
    if (shopId === undefined) return undefined
    const vault = await openVault(config, database, edge.now, (warning) => printWarning(edge, warning))
    const token = await openToken({ database, vault, now: edge.now }, {
      shopId, customerId, provider, providerUserId: options.providerUserId ?? null, actor: 'cli'
    })
    return token && { shopId, token }
  })
  if (opened === undefined) {
    throw new CommandError(`There is no token of customer ${formatJSON(customerId)} at ${formatJSON(provider)}. "leadlatch token list" shows the tokens.`)
  }
  if (options.json !== true) return printLine(edge, opened.token.access_token)
  printJSON(edge, { shop_id: opened.shopId, customer_id: customerId, ...opened.token })
}

function jsonOf (listed: ListedToken, nowMs: number) {
  return {
    shop_id: listed.shopId,
    customer_id: listed.customerId,
    provider: listed.provider,
    provider_user_id: listed.providerUserId,
    username: listed.username,
    status: tokenStatus(listed.token, nowMs),
    obtained_at: jsonTime(listed.token?.obtainedAtMs ?? null),
    expires_at: jsonTime(listed.token?.expiresAtMs ?? null)
  }
}
