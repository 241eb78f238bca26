import { customCleanEnv } from 'envalid'
import * as checks from './settings/checks.ts'
import { INSTAGRAM, INSTAGRAM_BASIC_DISPLAY, readInstagram } from './settings/instagram.ts'
import { type ReadFile, readValues, type Values } from './settings/values.ts'
import type { VaultKey } from './vault.ts'

export { listUnknownSettings } from './settings/names.ts'

/** One flavour of Instagram: our app there, and the addresses of its endpoints. */
export type InstagramSettings = Readonly<{
  clientId: string
  clientSecret: string
  /** The Meta app's secret, which signs Meta's own requests. */
  appSecret: string | null
  scopes: readonly string[]
  authorizeURL: string
  tokenURL: string
  /** Without a trailing slash; may end in a version. */
  graphURL: string
}>

/** The checked settings. */
export type Config = Readonly<{
  /** Our issuer: its path included, no trailing slash. */
  publicURL: string
  host: string
  port: number
  /** Addresses and ranges of proxies whose forwarded headers count; empty: nobody's. */
  trustProxy: readonly string[]
  databaseURL: string
  /** Newest first; null: a key file beside the SQLite database. */
  encryptionKeys: readonly VaultKey[] | null
  logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'
  metricsToken: string | null
  /** Requests a minute and address at authorize and callback; 0 is off. */
  rateLimit: number
  instagram: InstagramSettings | null
  instagramBasicDisplay: InstagramSettings | null
}>

/** The settings that reaching the store takes. */
export type StoreConfig = Pick<Config, 'databaseURL' | 'encryptionKeys'>

export type Environment = Readonly<Record<string, string | undefined>>

/** Settings that Leadlatch does not start with; the message names every one and what it must be. */
export class ConfigError extends Error {
  readonly code = 'invalid_settings'
}

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
const PUBLIC_URL_UNSET = 'LEADLATCH_PUBLIC_URL must be set to the https address under which browsers reach Leadlatch (http only on localhost).'

/**
 * Checks the settings (contract, section 6).
 * @param readFile reads the file that a setting with the suffix `_FILE` names
 * @throws {ConfigError} `invalid_settings`: one line for each wrong setting, never with a value
 */
export function loadConfig (environment: Environment, readFile: ReadFile): Config {
  const { values, checked, problems } = checkSettings(environment, readFile)
  if (values.LEADLATCH_PUBLIC_URL === undefined) problems.unshift(PUBLIC_URL_UNSET)
  throwIfAny(problems)
  return checked
}

/**
 * As {@link loadConfig}, for commands that only touch the store: the public URL may be unset.
 * @throws {ConfigError} `invalid_settings`
 */
export function loadStoreConfig (environment: Environment, readFile: ReadFile): StoreConfig {
  const { checked, problems } = checkSettings(environment, readFile)
  throwIfAny(problems)
  return Object.freeze({ databaseURL: checked.databaseURL, encryptionKeys: checked.encryptionKeys })
}

// Members whose setting is wrong are not to be trusted: the callers throw when there is a problem.
function checkSettings (environment: Environment, readFile: ReadFile): { values: Values, checked: Config, problems: string[] } {
  const problems: string[] = []
  const values = readValues(environment, readFile, problems)
  const general = customCleanEnv(values, {
    LEADLATCH_PUBLIC_URL: checks.publicURL({ default: undefined }),
    LEADLATCH_HOST: checks.listenHost({ default: '127.0.0.1' }),
    LEADLATCH_PORT: checks.wholeNumber(0, 65_535)({ default: 8787 }),
    LEADLATCH_TRUST_PROXY: checks.proxyList({ default: [] }),
    DATABASE_URL: checks.databaseURL({ default: 'sqlite:./data/leadlatch.db' }),
    LEADLATCH_ENCRYPTION_KEYS: checks.encryptionKeys({ default: undefined }),
    LEADLATCH_LOG_LEVEL: checks.oneOf(LOG_LEVELS)({ default: 'info' }),
    LEADLATCH_METRICS_TOKEN: checks.bearerToken({ default: undefined }),
    LEADLATCH_RATE_LIMIT: checks.wholeNumber(0, 1_000_000)({ default: 300 })
  }, (cleaned) => cleaned, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) problems.push(`${name} ${error.message}.`)
    }
  })
  const instagram = readInstagram(values, INSTAGRAM, problems)
  const instagramBasicDisplay = readInstagram(values, INSTAGRAM_BASIC_DISPLAY, problems)
  const checked = Object.freeze({
    publicURL: general.LEADLATCH_PUBLIC_URL ?? '',
    host: general.LEADLATCH_HOST,
    port: general.LEADLATCH_PORT,
    trustProxy: Object.freeze(general.LEADLATCH_TRUST_PROXY),
    databaseURL: general.DATABASE_URL,
    encryptionKeys: general.LEADLATCH_ENCRYPTION_KEYS ?? null,
    logLevel: general.LEADLATCH_LOG_LEVEL,
    metricsToken: general.LEADLATCH_METRICS_TOKEN ?? null,
    rateLimit: general.LEADLATCH_RATE_LIMIT,
    instagram,
    instagramBasicDisplay
  })
  return { values, checked, problems }
}

function throwIfAny (problems: readonly string[]): void {
  if (problems.length === 0) return
  const heading = problems.length === 1 ? 'One setting is wrong:' : `${problems.length} settings are wrong:`
  throw new ConfigError([heading, ...problems.map((problem) => `  ${problem}`)].join('\n'))
}
