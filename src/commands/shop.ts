import { type Command, Option } from 'commander'
import {
  addShop, formatConnectionString, previewRemoval, removeShop, type ShopChanges, updateShop
} from '../flows/shops.ts'
import { type IdTokenAlg, listShops, type Shop } from '../store/shops.ts'
import { type Edge, UsageError } from './edge.ts'
import { formatTime, jsonTime, printJSON, printLine, printTable, printWarning } from './print.ts'
import { readConfig, readStoreConfig, withDatabase } from './store.ts'

type ChangeOptions = {
  name?: string
  redirectUri?: string[]
  withoutPkce?: boolean
  withPkce?: boolean
  idTokenAlg?: IdTokenAlg
  json?: boolean
}

const PKCE_WARNING = 'Without PKCE a stolen code can be used in another session unless the client sends a nonce of its own with each login and checks it in the id_token. Make sure that it does.'

/** Adds `shop add`, `shop update`, `shop list` and `shop remove`. */
export function addShopCommands (program: Command, edge: Edge): void {
  const shop = program.command('shop').description('register shops and change them')
  addChangeOptions(shop.command('add').description('register a shop; prints its connection string, once')
    .argument('<url>', 'address of the shop, such as https://shop.example'))
    .action((url: string, options: ChangeOptions) => add(edge, url, options))
  addChangeOptions(shop.command('update').description('change a shop').argument('<shop>', 'shop id'))
    .addOption(new Option('--with-pkce', 'require PKCE again').conflicts('withoutPkce'))
    .action((id: string, options: ChangeOptions) => update(edge, id, options))
  shop.command('list').description('list the shops').option('--json', 'print JSON')
    .action((options: { json?: boolean }) => list(edge, options))
  shop.command('remove').description('erase a shop and everything that belongs to it').argument('<shop>', 'shop id')
    .option('--yes', 'really erase it').option('--json', 'print JSON')
    .action((id: string, options: { yes?: boolean, json?: boolean }) => remove(edge, id, options))
}

function addChangeOptions (command: Command): Command {
  return command
    .option('--name <name>', 'what people call it; its host unless given')
    .option('--redirect-uri <uri>', 'where logins come back to; may be repeated; those given replace all that are registered', collect)
    .option('--without-pkce', 'for a client too old for PKCE')
    .addOption(new Option('--id-token-alg <alg>', 'how id_tokens are signed').choices(['RS256', 'ES256']))
    .option('--json', 'print JSON')
}

async function add (edge: Edge, url: string, options: ChangeOptions): Promise<void> {
  const config = readConfig(edge)
  const { shop, key } = await withDatabase(edge, { config, canCreate: true }, (database) =>
    addShop(database, { ...changesOf(options), url, nowMs: edge.now(), actor: 'cli' }))
  const connectionString = formatConnectionString(config.publicURL, key)
  if (options.json === true) {
    printJSON(edge, { ...jsonOf(shop), key_id: key.id, scopes: key.scopes, connection_string: connectionString })
  } else {
    printShop(edge, shop)
    printLine(edge, `Connection string: ${connectionString}`)
    printLine(edge)
    printLine(edge, 'Paste the connection string into the plugin now: it is a secret and is not shown again.')
  }
  if (!shop.requiresPKCE) printWarning(edge, PKCE_WARNING)
}

async function update (edge: Edge, id: string, options: ChangeOptions): Promise<void> {
  const changes = changesOf(options)
  if (Object.values(changes).every((change) => change === undefined)) {
    throw new UsageError('Nothing to change. See "leadlatch shop update --help".')
  }
  const shop = await withDatabase(edge, { config: readStoreConfig(edge) }, (database) =>
    updateShop(database, id, changes, { actor: 'cli', nowMs: edge.now() }))
  if (options.json === true) printJSON(edge, jsonOf(shop))
  else printShop(edge, shop)
  if (changes.requiresPKCE === false) printWarning(edge, PKCE_WARNING)
}

async function list (edge: Edge, options: { json?: boolean }): Promise<void> {
  const shops = await withDatabase(edge, { config: readStoreConfig(edge) }, listShops)
  if (options.json === true) return printJSON(edge, { data: shops.map(jsonOf) })
  printTable(edge, ['SHOP', 'NAME', 'ADDRESS', 'PKCE', 'CREATED', 'REDIRECT URIS'], shops.map((shop) => [
    shop.id, shop.name, shop.url, shop.requiresPKCE ? 'required' : 'not required', formatTime(shop.createdAtMs), shop.redirectURIs.join(' ')
  ]))
}

async function remove (edge: Edge, id: string, options: { yes?: boolean, json?: boolean }): Promise<void> {
  await withDatabase(edge, { config: readStoreConfig(edge) }, async (database) => {
    const { shop, contents } = await previewRemoval(database, id)
    const counted = `${contents.customers} customers, ${contents.identities} identities with their tokens and ${contents.liveKeys} live keys`
    if (options.yes !== true) {
      throw new UsageError(`Removing ${shop.id} (${shop.name}) erases ${counted}, for good. Add --yes to do it.`)
    }
    await removeShop(database, id, edge.now())
    if (options.json !== true) return printLine(edge, `Removed ${shop.id} (${shop.name}) with ${counted}.`)
    printJSON(edge, {
      id: shop.id, removed: { customers: contents.customers, identities: contents.identities, live_keys: contents.liveKeys }
    })
  })
}

function changesOf (options: ChangeOptions): ShopChanges {
  const requiresPKCE = options.withoutPkce === true ? false : options.withPkce === true ? true : undefined
  return { name: options.name, redirectURIs: options.redirectUri, requiresPKCE, idTokenAlg: options.idTokenAlg }
}

function printShop (edge: Edge, shop: Shop): void {
  printLine(edge, `Shop id:           ${shop.id}`)
  printLine(edge, `Name:              ${shop.name}`)
  printLine(edge, `Address:           ${shop.url}`)
  for (const uri of shop.redirectURIs) printLine(edge, `Redirect URI:      ${uri}`)
  printLine(edge, `PKCE:              ${shop.requiresPKCE ? 'required' : 'not required'}`)
  printLine(edge, `id_token:          ${shop.idTokenAlg}`)
}

function jsonOf (shop: Shop) {
  return {
    id: shop.id,
    name: shop.name,
    url: shop.url,
    redirect_uris: shop.redirectURIs,
    requires_pkce: shop.requiresPKCE,
    id_token_alg: shop.idTokenAlg,
    created_at: jsonTime(shop.createdAtMs)
  }
}

/** Gathers an option that may be repeated. */
export function collect (value: string, earlier: readonly string[] = []): string[] {
  return [...earlier, value]
}
