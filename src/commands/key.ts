import type { Command } from 'commander'
import { API_KEY_SCOPES } from '../flows/api-keys.ts'
import { addKey, endKey, formatConnectionString } from '../flows/shops.ts'
import { type APIKey, listKeys } from '../store/shops.ts'
import { CommandError, type Edge } from './edge.ts'
import { formatTime, jsonTime, printJSON, printLine, printTable } from './print.ts'
import { collect } from './shop.ts'
import { readConfig, readStoreConfig, withDatabase } from './store.ts'

/** Adds `key add`, `key list` and `key revoke`. */
export function addKeyCommands (program: Command, edge: Edge): void {
  const key = program.command('key').description('make and revoke the API keys of shops')
  key.command('add').description('make a further key; prints its connection string, once').argument('<shop>', 'shop id')
    .option('--scope <name>', `one of ${API_KEY_SCOPES.join(', ')}; may be repeated; all but the two tokens: unless given`, collect)
    .option('--json', 'print JSON')
    .action((shopId: string, options: { scope?: string[], json?: boolean }) => add(edge, shopId, options))
  key.command('list').description('list the keys, revoked ones too; never the keys themselves').option('--json', 'print JSON')
    .action((options: { json?: boolean }) => list(edge, options))
  key.command('revoke').description('end a key, at once').argument('<key>', 'key id').option('--json', 'print JSON')
    .action((keyId: string, options: { json?: boolean }) => revoke(edge, keyId, options))
}

async function add (edge: Edge, shopId: string, options: { scope?: string[], json?: boolean }): Promise<void> {
  const config = readConfig(edge)
  const key = await withDatabase(edge, { config }, (database) =>
    addKey(database, { shopId, scopes: options.scope ?? [], nowMs: edge.now(), actor: 'cli' }))
  const connectionString = formatConnectionString(config.publicURL, key)
  if (options.json === true) {
    return printJSON(edge, { id: key.id, shop_id: key.shopId, scopes: key.scopes, connection_string: connectionString })
  }
  printLine(edge, `Key id:            ${key.id}`)
  printLine(edge, `Scopes:            ${key.scopes.join(' ')}`)
  printLine(edge, `Connection string: ${connectionString}`)
  printLine(edge)
  printLine(edge, 'Take the connection string to its place now: it is a secret and is not shown again.')
}

async function list (edge: Edge, options: { json?: boolean }): Promise<void> {
  const keys = await withDatabase(edge, { config: readStoreConfig(edge) }, listKeys)
  if (options.json === true) return printJSON(edge, { data: keys.map(jsonOf) })
  printTable(edge, ['KEY', 'SHOP', 'ENDS IN', 'CREATED', 'REVOKED', 'SCOPES'], keys.map((key) => [
    key.id, key.shopId, key.lastFour, formatTime(key.createdAtMs), formatTime(key.revokedAtMs), key.scopes.join(' ')
  ]))
}

async function revoke (edge: Edge, keyId: string, options: { json?: boolean }): Promise<void> {
  const revokedAtMs = edge.now()
  await withDatabase(edge, { config: readStoreConfig(edge) }, async (database) => {
    const { isDone, key } = await endKey(database, keyId, { actor: 'cli', nowMs: revokedAtMs })
    if (isDone) return
    throw new CommandError(key === undefined
      ? `There is no key ${JSON.stringify(keyId.slice(0, 100))}. "leadlatch key list" shows the keys.`
      : `The key ${keyId} is revoked since ${formatTime(key.revokedAtMs)}.`)
  })
  if (options.json === true) printJSON(edge, { id: keyId, revoked_at: jsonTime(revokedAtMs) })
  else printLine(edge, `Revoked ${keyId}. It is refused from now on.`)
}

function jsonOf (key: APIKey) {
  return {
    id: key.id,
    shop_id: key.shopId,
    last_four: key.lastFour,
    scopes: key.scopes,
    created_at: jsonTime(key.createdAtMs),
    revoked_at: jsonTime(key.revokedAtMs)
  }
}
