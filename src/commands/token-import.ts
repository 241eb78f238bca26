import type { Command } from 'commander'
import { findCustomerView } from '../flows/customers.ts'
import { ImportError } from '../flows/import-errors.ts'
import { findImportProvider, type ImportedToken, importToken, parsePastedToken } from '../flows/import-token.ts'
import type { Parts } from '../parts.ts'
import { tokenStatus } from '../store/tokens.ts'
import { findShop } from '../store/shops.ts'
import { openVault } from '../vault-keys.ts'
import { CommandError, type Edge } from './edge.ts'
import { formatJSON, printJSON, printLine, printWarning } from './print.ts'
import { withProviders } from './providers.ts'
import { readSecret } from './read-secret.ts'
import { readConfig, withDatabase } from './store.ts'

/** Adds `token import`. */
export function addTokenImport (token: Command, edge: Edge): void {
  token.command('import').description("store a token that was made in the provider's dashboard; reads it from standard input")
    .argument('<shop>', 'shop id').argument('<provider>', 'such as instagram')
    .option('--json', 'print JSON')
    .action((shopId: string, provider: string, options: { json?: boolean }) => importFromInput(edge, shopId, provider, options))
}

/** Refuses a shop that does not exist. @throws {CommandError} */
export async function checkShop (database: Parts['database'], shopId: string): Promise<void> {
  if (await findShop(database, shopId) !== undefined) return
  throw new CommandError(`There is no shop ${formatJSON(shopId.slice(0, 100))}. "leadlatch shop list" shows the shops.`)
}

/** Refuses a provider whose tokens cannot be imported. @throws {CommandError} */
export function checkProvider (providers: Parts['providers'], id: string): void {
  try {
    findImportProvider(providers, id)
  } catch (error) {
    if (!(error instanceof ImportError) || error.code !== 'unknown_provider') throw error
    const configured = providers.size === 0 ? 'None is; set LEADLATCH_INSTAGRAM_CLIENT_ID and LEADLATCH_INSTAGRAM_CLIENT_SECRET.' : `Configured: ${[...providers.keys()].join(', ')}.`
    throw new CommandError(`The provider ${formatJSON(id.slice(0, 100))} is not configured. ${configured}`)
  }
}

async function importFromInput (edge: Edge, shopId: string, provider: string, options: { json?: boolean }): Promise<void> {
  const config = readConfig(edge)
  await withDatabase(edge, { config }, (database) => withProviders(edge, config, async (providers) => {
    await checkShop(database, shopId)
    checkProvider(providers, provider)
    const vault = await openVault(config, database, edge.now, (warning) => printWarning(edge, warning))
    const pasted = await readSecret(edge, `Paste the access token for ${provider} and press Enter. It is not shown.`)
    const accessToken = parsePastedToken(pasted)
    if (accessToken === undefined) {
      throw pasted.trim() === '' ? new CommandError('There was no token on standard input. Pipe it in, or paste it at the prompt.') : new ImportError('malformed_token')
    }
    const imported = await importToken({ database, vault, providers, now: edge.now }, { shopId, provider, accessToken, actor: 'cli' }, { warn: () => {} })
    await print(edge, database, { shopId, provider, imported }, options)
  }))
}

async function print (edge: Edge, database: Parts['database'], { shopId, provider, imported }: {
  shopId: string, provider: string, imported: ImportedToken
}, options: { json?: boolean }): Promise<void> {
  const { customerId, isCreated, isStored, profile } = imported
  const customer = await findCustomerView({ database, now: edge.now }, shopId, customerId)
  const stored = customer?.identities.find((identity) => identity.provider === provider && identity.provider_user_id === profile.userId)?.token
  if (options.json === true) {
    return printJSON(edge, {
      shop_id: shopId,
      customer_id: customerId,
      created: isCreated,
      stored: isStored,
      provider,
      provider_user_id: profile.userId,
      username: profile.username,
      name: profile.name,
      status: stored?.status ?? tokenStatus(null, edge.now()),
      expires_at: stored?.expires_at ?? null
    })
  }
  const handle = profile.username === null ? profile.userId : `@${profile.username}`
  printLine(edge, isStored
    ? `Stored the token of ${handle}${profile.name === null ? '' : ` (${profile.name})`}.`
    : `The token is good and belongs to ${handle}, but one that lives longer is stored already and stays.`)
  printLine(edge, `Customer:   ${customerId}${isCreated ? ' (new)' : ''}`)
  printLine(edge, `Good until: ${stored?.expires_at ?? 'not known yet; the provider tells it once the token is a day old'}`)
}
