import { Agent } from 'undici'
import { loadConfig } from '../../src/config.ts'
import { createUpkeep } from '../../src/flows/renew.ts'
import { createMetrics } from '../../src/metrics.ts'
import { createProviders } from '../../src/providers/index.ts'
import { openDatabase } from '../../src/store/open.ts'
import { openVault } from '../../src/vault-keys.ts'
import { readSetting, readSettings } from '../support/in-child.ts'
import { announceRun } from '../support/refresh-run.ts'

// Upkeep as the service runs it: leases, fences, sealed tokens, pace and metrics.

const { concurrency, path, ...environment } = readSettings()
const databaseURL = `sqlite:${readSetting({ path: path ?? '' }, 'path')}`
let aheadMs = 0
const now = () => Date.now() + aheadMs
const database = openDatabase(databaseURL)
const vault = await openVault({ databaseURL, encryptionKeys: null }, database, now)
const metrics = createMetrics()
const config = loadConfig({ LEADLATCH_PUBLIC_URL: 'https://login.example', ...environment }, () => { throw new Error('no files here') })
const providers = createProviders(config, new Agent(), metrics, now)
const log = { warn: console.error, error: console.error }
const upkeep = createUpkeep({ database, vault, providers, metrics, now }, log, { refreshesAtOnce: Number(concurrency) })

announceRun({
  reset: async (ahead) => {
    aheadMs = ahead
    await database.run("update tokens set work = 'refresh', provider = 'instagram', due_at_ms = $1 where due_at_ms is not null", [now()])
  },
  run: () => upkeep.run()
})
