import { startServer } from '../../src/server.ts'
import { announce, readSettings } from '../support/in-child.ts'

// Leadlatch as `leadlatch serve` runs it, on any free port.
const server = await startServer({
  environment: { LEADLATCH_PORT: '0', ...readSettings() },
  readFile: () => { throw new Error('no files here') },
  now: Date.now
})
announce(server.address, () => server.close())
