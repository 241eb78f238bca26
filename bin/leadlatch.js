#!/usr/bin/env node
// Plain JavaScript, so that an older Node gets as far as the explanation below.
import { existsSync } from 'node:fs'

const OLDEST = [24, 12]
const [major, minor] = process.versions.node.split('.').map(Number)

if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
  process.stderr.write(
    `leadlatch: Node ${OLDEST.join('.')} or newer is needed, this is ${process.versions.node}. ` +
    'With npm 11, "npm ci" puts Node 24 into the checkout and "npx --no-install leadlatch" uses it; older versions of npm do not, ' +
    'and where no Node package for your platform came along, install Node 24 from https://nodejs.org/.\n')
  process.exit(1)
}

// The packed package carries compiled JavaScript, a checkout the sources.
const compiled = new URL('../dist/cli.js', import.meta.url)
const { main } = await import(existsSync(compiled) ? compiled.href : new URL('../src/cli.ts', import.meta.url).href)
process.exitCode = await main()
