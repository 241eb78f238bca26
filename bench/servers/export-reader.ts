import { drainExport } from '../support/exports.ts'
import { announce, readSetting, readSettings } from '../support/in-child.ts'

// Asks a server for one export after the other until it is stopped.
const settings = readSettings()
announce('', () => {})
for (;;) await drainExport(readSetting(settings, 'address'), readSetting(settings, 'key'), readSetting(settings, 'path'))
