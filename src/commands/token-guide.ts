import type { Command } from 'commander'
import { createGuideLink } from '../flows/guide.ts'
import type { Edge } from './edge.ts'
import { formatTime, jsonTime, printJSON, printLine } from './print.ts'
import { withProviders } from './providers.ts'
import { readConfig, withDatabase } from './store.ts'
import { checkProvider, checkShop } from './token-import.ts'

/** Adds `token guide`. */
export function addTokenGuide (token: Command, edge: Edge): void {
  token.command('guide').description('print a one-time link to a page that walks through the dashboard and takes a token')
    .argument('<shop>', 'shop id').argument('<provider>', 'such as instagram')
    .option('--json', 'print JSON')
    .action((shopId: string, provider: string, options: { json?: boolean }) => guide(edge, shopId, provider, options))
}

async function guide (edge: Edge, shopId: string, provider: string, options: { json?: boolean }): Promise<void> {
  const config = readConfig(edge)
  const { link, expiresAtMs } = await withDatabase(edge, { config }, (database) => withProviders(edge, config, async (providers) => {
    await checkShop(database, shopId)
    checkProvider(providers, provider)
    return createGuideLink({ database, providers, now: edge.now }, { shopId, provider, publicURL: config.publicURL, actor: 'cli' })
  }))
  if (options.json === true) return printJSON(edge, { shop_id: shopId, provider, link, expires_at: jsonTime(expiresAtMs) })
  printLine(edge, `Link:       ${link}`)
  printLine(edge, `Good until: ${formatTime(expiresAtMs)}, for one token`)
  printLine(edge)
  printLine(edge, 'The link is a secret. It works in the browser that opens it first and in no other, so give it to the person who has the account, and nowhere where others read along.')
}
