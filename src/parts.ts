import type { Config } from './config.ts'
import type { Metrics } from './metrics.ts'
import type { Provider } from './providers/provider.ts'
import type { Database } from './store/database.ts'
import type { Vault } from './vault.ts'

/** What a running Leadlatch is made of. A function takes those that it needs. */
export type Parts = Readonly<{
  config: Config
  /** The version of this program, e.g. `0.1.0`. */
  version: string
  database: Database
  vault: Vault
  /** The configured providers by id, in the order in which people see them. */
  providers: ReadonlyMap<string, Provider>
  metrics: Metrics
  /** Milliseconds since 1970. */
  now: () => number
}>
