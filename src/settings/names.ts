const FLAVOURS = ['LEADLATCH_INSTAGRAM_', 'LEADLATCH_INSTAGRAM_BASIC_DISPLAY_']
const FLAVOUR_SETTINGS = ['CLIENT_ID', 'CLIENT_SECRET', 'APP_SECRET', 'SCOPE', 'AUTHORIZE_URL', 'TOKEN_URL', 'GRAPH_URL']
const FLAVOUR_SECRETS = ['CLIENT_SECRET', 'APP_SECRET']

/** The settings of the service itself. */
export const GENERAL_SETTINGS: readonly string[] = [
  'LEADLATCH_PUBLIC_URL', 'LEADLATCH_HOST', 'LEADLATCH_PORT', 'LEADLATCH_TRUST_PROXY', 'DATABASE_URL',
  'LEADLATCH_ENCRYPTION_KEYS', 'LEADLATCH_LOG_LEVEL', 'LEADLATCH_METRICS_TOKEN', 'LEADLATCH_RATE_LIMIT'
]

/** The settings that may be given as a file instead, under their name with `_FILE` behind it. */
export const SECRET_SETTINGS: readonly string[] = [
  'DATABASE_URL', 'LEADLATCH_ENCRYPTION_KEYS', 'LEADLATCH_METRICS_TOKEN',
  ...FLAVOURS.flatMap((prefix) => FLAVOUR_SECRETS.map((name) => prefix + name))
]

/** Every setting that this version reads, under its own name. */
export const ALL_SETTINGS: readonly string[] = [
  ...GENERAL_SETTINGS, ...FLAVOURS.flatMap((prefix) => FLAVOUR_SETTINGS.map((name) => prefix + name))
]

const PLANNED = [
  /^LEADLATCH_RETENTION_DAYS$/,
  /^LEADLATCH_FACEBOOK_((CLIENT_SECRET|APP_SECRET)(_FILE)?|CLIENT_ID|SCOPE|AUTHORIZE_URL|TOKEN_URL|GRAPH_URL|GRAPH_VERSION)$/,
  /^LEADLATCH_GOOGLE_(CLIENT_SECRET(_FILE)?|CLIENT_ID|ISSUER|SCOPE|TRUST_EMAIL)$/,
  /^LEADLATCH_OIDC_[A-Z0-9_]+_(CLIENT_SECRET(_FILE)?|CLIENT_ID|ISSUER|SCOPE|TRUST_EMAIL)$/
]

/** A variable that looks like ours and has no effect. */
export type UnknownSetting = {
  name: string
  /** True for a setting that another version knows, false for what is probably a typing error. */
  isPlanned: boolean
}

/** The set variables that begin with `LEADLATCH_` and that this version does not read, by name. */
export function listUnknownSettings (environment: Readonly<Record<string, string | undefined>>): UnknownSetting[] {
  const known = new Set([...ALL_SETTINGS, ...SECRET_SETTINGS.map((name) => `${name}_FILE`)])
  return Object.keys(environment)
    .filter((name) => name.startsWith('LEADLATCH_') && environment[name] && !known.has(name))
    .sort()
    .map((name) => ({ name, isPlanned: PLANNED.some((pattern) => pattern.test(name)) }))
}
