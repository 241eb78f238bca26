import { Agent } from 'undici'
import { loadConfig } from '../../src/config.ts'
import { startUpkeep, type UpkeepOptions } from '../../src/flows/renew.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createProviders } from '../../src/providers/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { createVault } from '../../src/vault.ts'

/** What a worker process is told in its one argument. */
export type WorkerSettings = {
  databaseURL: string
  environment: Record<string, string>
  key: string
  /** How far its clock is ahead. */
  aheadMs: number
  limits: UpkeepOptions
}

const settings: WorkerSettings = JSON.parse(process.argv[2] ?? '{}')
const now = () => Date.now() + settings.aheadMs
const database = openDatabase(settings.databaseURL)
const dispatcher = new Agent()
const metrics = createMetrics()
const config = loadConfig(settings.environment, () => { throw new Error('no files here') })
const upkeep = startUpkeep({
  database,
  vault: createVault([{ id: 'test', bytes: Buffer.from(settings.key, 'base64') }]),
  providers: createProviders(config, dispatcher, metrics, now),
  metrics,
  now
}, { warn: () => {}, error: (fields) => { process.stderr.write(`${JSON.stringify(fields)}\n`) } }, settings.limits)

process.once('SIGTERM', () => {
  void upkeep.stop().then(() => dispatcher.destroy()).then(() => database.close()).then(() => process.exit(0))
})
process.stdout.write('ready\n')
