import { existsSync } from 'node:fs'
import type { Dispatcher } from 'undici'
import type { StoreConfig } from '../../config.ts'
import { createMetrics } from '../../metrics.ts'
import { createProviders } from '../../providers/index.ts'
import { StoreError } from '../../store/database.ts'
import { type Inspection, openForInspection } from '../../store/inspection.ts'
import { sqlitePath } from '../../store/open.ts'
import { examineDatabase, type ReadDisk, readDisk } from './database.ts'
import { examineFiles } from './files.ts'
import { type Finding, type Group, type Notes, takeNotes } from './finding.ts'
import { examineKeys } from './keys.ts'
import { examineProgram } from './program.ts'
import { examineProvider } from './provider.ts'
import { examineProxy, examinePublicURL } from './public-url.ts'
import { examineSettings, type ReadSettings, type SettingSource, type SettingsInput } from './settings.ts'
import { examineTokens } from './tokens.ts'

/** What the doctor sees of the world. */
export type Patient = SettingsInput & {
  version: string
  nodeVersion: string
  /** The working folder. */
  folder: string
  userId: number | undefined
  dispatcher: Dispatcher
  now: () => number
  disk?: ReadDisk
}

export type Report = { settings: SettingSource[], findings: Finding[] }

/** Examines everything and changes nothing. It needs no running service. */
export async function examine (patient: Patient): Promise<Report> {
  const findings: Finding[] = []
  const notes = (group: Group) => takeNotes(group, findings)
  examineProgram(notes('program'), patient.version, patient.nodeVersion)
  const settings = examineSettings(notes('settings'), patient)
  const path = databasePathOf(settings.store)
  examineFiles(notes('files'), { folder: patient.folder, userId: patient.userId, databasePath: path, secretFiles: settings.secretFiles })
  await examineStore(patient, settings.store, path, notes)
  if (settings.service !== null) examineProxy(notes('public URL'), settings.service)
  if (settings.address !== null) await examinePublicURL(notes('public URL'), settings.address, patient)
  await examineProviders(patient, settings, notes)
  return { settings: settings.sources, findings }
}

async function examineStore (patient: Patient, config: StoreConfig | null, path: string | null, notes: (group: Group) => Notes): Promise<void> {
  const database = notes('database')
  if (config === null) return database.warn('database_unknown', 'The database was not examined, since its settings are not right.', 'Correct them and ask again.')
  if (path === null) return database.warn('database_in_memory', 'The database is in memory and is lost when Leadlatch ends.', 'Set DATABASE_URL to a file.')
  if (!existsSync(path)) return database.warn('database_missing', `There is no database ${path} yet.`, 'Go to the folder of your Leadlatch or set DATABASE_URL; "leadlatch serve" and "leadlatch shop add" begin a new one.')
  let inspection: Inspection | undefined
  try {
    inspection = openForInspection(config.databaseURL)
    await examineDatabase(database, inspection, path, patient.disk ?? readDisk)
    await examineKeys(notes('keys'), config, inspection.database)
    await examineTokens(notes('tokens'), inspection.database, patient.now())
  } catch (error) {
    if (!(error instanceof StoreError)) throw error
    database.fail('database_unreadable', error.message, 'Is this the file of a Leadlatch, migrated to this version, and readable by this user?')
  } finally {
    inspection?.close()
  }
}

async function examineProviders (patient: Patient, { address, providers: config }: ReadSettings, notes: (group: Group) => Notes): Promise<void> {
  const providers = createProviders(config, patient.dispatcher, createMetrics(), patient.now)
  if (providers.size === 0) notes('provider').warn('provider_missing', 'No provider is configured, so nobody can sign in.', 'Set LEADLATCH_INSTAGRAM_CLIENT_ID and LEADLATCH_INSTAGRAM_CLIENT_SECRET.')
  for (const [id, settings] of [['instagram', config.instagram], ['instagram-basic-display', config.instagramBasicDisplay]] as const) {
    const provider = providers.get(id)
    if (provider === undefined || settings === null) continue
    const redirectURI = address === null ? null : `${address.publicURL}/oauth/callback/${id}`
    await examineProvider(notes('provider'), { provider, settings, redirectURI }, patient)
  }
}

function databasePathOf (config: StoreConfig | null): string | null {
  const path = config === null ? undefined : sqlitePath(config.databaseURL)
  return path === undefined || path === ':memory:' ? null : path
}
