import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { buildApp } from '../../src/app.ts'
import { buildParts } from './rest.ts'

// Writes docs/openapi.json from the schemas: node test/support/write-openapi.ts
const closings: Array<() => unknown> = []
const t = { teardown: (close: () => unknown) => { closings.unshift(close) } }
const app = await buildApp({ parts: await buildParts(t) })
const { payload } = await app.inject('/openapi.json')
const file = fileURLToPath(new URL('../../docs/openapi.json', import.meta.url))
mkdirSync(fileURLToPath(new URL('../../docs/', import.meta.url)), { recursive: true })
writeFileSync(file, `${JSON.stringify(JSON.parse(payload), null, 2)}\n`)
for (const close of closings) await close()
