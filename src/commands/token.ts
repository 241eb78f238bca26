import { type Command, InvalidArgumentError } from 'commander'
import { findForecast } from '../flows/forecast.ts'
import { openToken } from '../flows/tokens.ts'
import type { Database } from '../store/database.ts'
import { findShopOfCustomer, type ListedToken, listTokens } from '../store/token-list.ts'
import { tokenStatus } from '../store/tokens.ts'
import { openVault } from '../vault-keys.ts'
import { CommandError, type Edge } from './edge.ts'
import { formatJSON, formatTime, jsonTime, printJSON, printLine, printTable, printWarning } from './print.ts'
import { readStoreConfig, withDatabase } from './store.ts'
import { addTokenGuide } from './token-guide.ts'
import { addTokenImport } from './token-import.ts'
import { addTokenRefresh } from './token-refresh.ts'

const PAGE_ROWS = 500
const DAY_MS = 24 * 3_600_000
const MAX_DAYS = 3650

type ListOptions = { shop?: string, customer?: string, expiringWithin?: number, json?: boolean }
type GetOptions = { providerUserId?: string, json?: boolean }

/** Adds `token list`, `token get`, `token refresh`, `token import` and `token guide`. */
export function addTokenCommands (program: Command, edge: Edge): void {
  const token = program.command('token').description('look at the access tokens of customers')
  token.command('list').description('the state of each token, never the token')
    .option('--shop <shop>', 'of this shop only').option('--customer <customer>', 'of this customer only')
    .option('--expiring-within <days>', 'only those still good that expire within so many days, and how many there are', parseDays)
    .option('--json', 'print JSON')
    .action((options: ListOptions) => withDatabase(edge, { config: readStoreConfig(edge) }, (database) => list(edge, database, options)))
  token.command('get').description('open a token and print it; the audit log tells of it')
    .argument('<customer>', 'customer id').argument('<provider>', 'such as instagram')
    .option('--provider-user-id <id>', 'of this account; the one used last unless given')
    .option('--json', 'print JSON')
    .action((customerId: string, provider: string, options: GetOptions) => get(edge, customerId, provider, options))
  addTokenRefresh(token, edge)
  addTokenImport(token, edge)
  addTokenGuide(token, edge)
}

async function list (edge: Edge, database: Database, options: ListOptions): Promise<void> {
  const nowMs = edge.now()
  const days = options.expiringWithin
  const expiring = days === undefined ? null : { fromMs: nowMs, untilMs: nowMs + days * DAY_MS }
  const filter = { shopId: options.shop ?? null, customerId: options.customer ?? null, expiring }
  const found: ListedToken[] = []
  for (let afterId = ''; ;) {
    const page = await listTokens(database, filter, { afterId, limit: PAGE_ROWS })
    found.push(...page)
    if (page.length < PAGE_ROWS) break
    afterId = page.at(-1)?.identityId ?? afterId
  }
  const forecast = days === undefined ? null : await findForecast({ database, now: edge.now })
  if (options.json === true) {
    return printJSON(edge, {
      data: found.map((listed) => jsonOf(listed, nowMs)),
      ...(forecast && { forecast: { by_status: forecast.byStatus, expiring_within_days: forecast.expiringWithin } })
    })
  }
  printTable(edge, ['CUSTOMER', 'PROVIDER', 'PROVIDER USER', 'USERNAME', 'STATUS', 'EXPIRES', 'SHOP'], found.map((listed) => [
    listed.customerId, listed.provider, listed.providerUserId, listed.username ?? '-', tokenStatus(listed.token, nowMs),
    formatTime(listed.token?.expiresAtMs ?? null), listed.shopId
  ]))
  if (forecast === null) return
  const ahead = forecast.expiringWithin.map((each) => `${each.count} within ${each.days} ${each.days === 1 ? 'day' : 'days'}`)
  const { active, expiring: soon, expired, revoked } = forecast.byStatus
  printLine(edge)
  printLine(edge, `${found.length} of these. In all shops expire, unless they are refreshed: ${ahead.join(', ')}.`)
  printLine(edge, `By status: ${active} active, ${soon} expiring, ${expired} expired, ${revoked} revoked.`)
}

function parseDays (text: string): number {
  const days = Number(text)
  if (!Number.isInteger(days) || days < 1 || days > MAX_DAYS) throw new InvalidArgumentError(`It must be a whole number of days from 1 to ${MAX_DAYS}.`)
  return days
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
    reason: listed.token?.revokedReason ?? null,
    obtained_at: jsonTime(listed.token?.obtainedAtMs ?? null),
    expires_at: jsonTime(listed.token?.expiresAtMs ?? null)
  }
}
