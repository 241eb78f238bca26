import { type Config, ConfigError, type Environment, listUnknownSettings, loadConfig, loadStoreConfig, type StoreConfig } from '../../config.ts'
import { INSTAGRAM, INSTAGRAM_BASIC_DISPLAY } from '../../settings/instagram.ts'
import { ALL_SETTINGS, SECRET_SETTINGS } from '../../settings/names.ts'
import { countOf, type Notes } from './finding.ts'

/** Where the value of a setting comes from: never the value. */
export type SettingSource = {
  name: string
  source: 'environment' | '.env' | 'default'
  /** True when it is read from the file that `NAME_FILE` names. */
  isFile: boolean
}

/** What settings are read from. */
export type SettingsInput = {
  environment: Environment
  /** What the `.env` of the working folder sets; empty when there is none, or none to be trusted. */
  envFile: Environment
  /** Why the `.env` is not to be trusted. */
  envFileFault: string | null
  readFile: (path: string) => string
}

/** The settings by part; a part that is wrong is null, and what hangs on it is not examined. */
export type ReadSettings = {
  service: Config | null
  /** The service's settings, or where they are wrong, only its public URL and defaults. */
  address: Config | null
  store: StoreConfig | null
  /** Only its providers' members say something. */
  providers: Config
  sources: SettingSource[]
  /** The files that settings name, which hold secrets. */
  secretFiles: string[]
}

const STORE_SETTINGS = ['DATABASE_URL', 'LEADLATCH_ENCRYPTION_KEYS']
// Stands in for the service's own settings where a provider's are read apart.
const ANY_SERVICE = { LEADLATCH_PUBLIC_URL: 'http://localhost' }
const FLAVOURS = [INSTAGRAM.prefix, INSTAGRAM_BASIC_DISPLAY.prefix]

/** Examines the settings, and reads each part that is right although another one is wrong. */
export function examineSettings (notes: Notes, { environment, envFile, envFileFault, readFile }: SettingsInput): ReadSettings {
  const merged = { ...envFile, ...environment }
  const problems = listProblems(() => loadConfig(merged, readFile))
  if (envFileFault !== null) notes.fail('env_file', envFileFault, 'Mend that: Leadlatch does not start with such a file. What follows is examined without it.')
  for (const problem of problems) notes.fail('wrong_setting', problem, 'Correct the setting: Leadlatch does not start with it.')
  noteUnused(notes, environment, envFile)
  const sources = ALL_SETTINGS.map((name) => sourceOf(name, environment, envFile))
  if (problems.length === 0) notes.ok('settings', `${countOf(sources.filter(({ source }) => source !== 'default').length, 'setting')} given, the others have their defaults.`)
  const load = (names: readonly string[], given: Environment = {}) => attempt(() => loadConfig({ ...given, ...pick(merged, names) }, readFile))
  const [instagram, basicDisplay] = FLAVOURS.map((prefix) =>
    load(ALL_SETTINGS.filter((name) => FLAVOURS.findLast((each) => name.startsWith(each)) === prefix), ANY_SERVICE))
  const service = load(ALL_SETTINGS.filter((name) => !STORE_SETTINGS.includes(name) && !FLAVOURS.some((prefix) => name.startsWith(prefix))))
  return {
    service,
    address: service ?? load(['LEADLATCH_PUBLIC_URL']),
    store: attempt(() => loadStoreConfig(pick(merged, STORE_SETTINGS), readFile)),
    providers: {
      ...loadConfig(ANY_SERVICE, readFile),
      instagram: instagram?.instagram ?? null,
      instagramBasicDisplay: basicDisplay?.instagramBasicDisplay ?? null
    },
    sources,
    secretFiles: SECRET_SETTINGS.map((name) => merged[`${name}_FILE`]).filter((path): path is string => path !== undefined && path !== '')
  }
}

function noteUnused (notes: Notes, environment: Environment, envFile: Environment): void {
  for (const { name, isPlanned } of listUnknownSettings({ ...envFile, ...environment })) {
    if (isPlanned) notes.warn('unused_setting', `The setting ${name} is not used by this version.`, 'Remove it, or install a version that has it.')
    else notes.warn('unknown_setting', `There is no setting ${name}.`, 'Check its spelling.')
  }
  for (const [name, value] of Object.entries(envFile)) {
    if (environment[name] !== '' || !value) continue
    notes.warn('hidden_setting', `${name} is empty in the environment, which hides its value in .env.`, 'Unset it in the environment, or give it its value there.')
  }
}

function sourceOf (name: string, environment: Environment, envFile: Environment): SettingSource {
  for (const [source, from] of [['environment', environment], ['.env', { ...envFile, ...environment }]] as const) {
    if (from[name]) return { name, source, isFile: false }
    if (from[`${name}_FILE`]) return { name, source, isFile: true }
  }
  return { name, source: 'default', isFile: false }
}

function pick (environment: Environment, names: readonly string[]): Record<string, string | undefined> {
  return Object.fromEntries(names.flatMap((name) => [name, `${name}_FILE`]).map((name) => [name, environment[name]]))
}

// The first line is the heading.
function listProblems (load: () => unknown): string[] {
  try {
    load()
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.message.split('\n').slice(1).map((line) => line.trim())
    throw error
  }
}

function attempt<T> (load: () => T): T | null {
  try {
    return load()
  } catch (error) {
    if (error instanceof ConfigError) return null
    throw error
  }
}
