import { randomBytes } from 'node:crypto'
import type { Agent } from 'undici'
import { buildApp } from '../app.ts'
import { loadConfig } from '../config.ts'
import { addShop, formatConnectionString } from '../flows/shops.ts'
import { createMetrics } from '../metrics.ts'
import { createProviders } from '../providers/index.ts'
import { migrate } from '../store/migrate.ts'
import { openDatabase } from '../store/open.ts'
import { openVault } from '../vault-keys.ts'
import { readVersion } from '../version.ts'

/** A Leadlatch that forgets everything when it ends. */
export type RunningLeadlatch = {
  /** Registers a shop; answers its connection string. */
  addShop: (shop: { url: string, name: string, redirectURI: string }) => Promise<string>
  close: () => Promise<void>
}

/**
 * Starts the service itself, as `leadlatch serve` does, with its database in memory, a random key
 * and the settings of an emulator.
 */
export async function startLeadlatch ({ publicURL, settings, agent, log }: {
  publicURL: string, settings: Readonly<Record<string, string>>, agent: Agent, log: (line: string) => void
}): Promise<RunningLeadlatch> {
  const config = loadConfig({
    ...settings,
    LEADLATCH_PUBLIC_URL: publicURL,
    LEADLATCH_PORT: new URL(publicURL).port,
    LEADLATCH_ENCRYPTION_KEYS: `demo:${randomBytes(32).toString('base64')}`,
    DATABASE_URL: 'sqlite::memory:'
  }, () => { throw new Error('The demo reads no files.') })
  const now = Date.now
  const version = readVersion()
  const database = openDatabase(config.databaseURL)
  await migrate(database, { version, nowMs: now() })
  const vault = await openVault(config, database, now)
  const metrics = createMetrics()
  const providers = createProviders(config, agent, metrics, now)
  const logger = { level: 'error', stream: { write: (line: string) => log(line.trim()) } }
  const app = await buildApp({ parts: { config, version, database, vault, providers, metrics, now }, logger })
  await app.listen({ host: config.host, port: config.port })
  return {
    async addShop ({ url, name, redirectURI }) {
      const { key } = await addShop(database, { url, name, redirectURIs: [redirectURI], nowMs: now() })
      return formatConnectionString(publicURL, key)
    },
    async close () {
      await app.close()
      await database.close()
    }
  }
}
