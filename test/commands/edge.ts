import { readFileSync } from 'node:fs'
import { Readable, Writable } from 'node:stream'
import { run } from '../../src/cli.ts'
import type { Edge } from '../../src/commands/edge.ts'

export const NOW_MS = Date.UTC(2026, 10, 1)

export type Outcome = { status: number, stdout: string, stderr: string }

/** Runs a command in this process, in a folder of its own. */
export async function runIn (folder: string, argv: readonly string[], options: {
  environment?: Record<string, string>, isTTY?: boolean, edge?: Partial<Edge>
} = {}): Promise<Outcome> {
  const [stdout, stderr] = [new Gatherer(options.isTTY), new Gatherer(options.isTTY)]
  const status = await run(argv, {
    environment: {
      LEADLATCH_PUBLIC_URL: 'https://login.example',
      DATABASE_URL: `sqlite:${folder}/data/leadlatch.db`,
      ...options.environment
    },
    folder,
    userId: process.geteuid?.(),
    stdin: Readable.from([]),
    stdout,
    stderr,
    now: () => NOW_MS,
    readFile: (path) => readFileSync(path, 'utf8'),
    untilStopped: async () => 'SIGINT',
    exit: () => {},
    onUncaught: () => {},
    ...options.edge
  })
  return { status, stdout: stdout.text, stderr: stderr.text }
}

class Gatherer extends Writable {
  text = ''
  readonly isTTY: boolean

  constructor (isTTY = false) {
    super({ decodeStrings: false })
    this.isTTY = isTTY
  }

  override _write (chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}

/** The value that a command printed as JSON. */
export function parse ({ stdout }: Pick<Outcome, 'stdout'>): Record<string, unknown> {
  const value: unknown = JSON.parse(stdout)
  if (typeof value !== 'object' || value === null) throw new Error('not an object')
  return Object.fromEntries(Object.entries(value))
}

/** A text among the values that a command printed as JSON. */
export function member (outcome: Pick<Outcome, 'stdout' | 'stderr'>, name: string): string {
  const value = parse(outcome)[name]
  if (typeof value !== 'string') throw new Error(`${name} is no text in ${outcome.stdout}${outcome.stderr}`)
  return value
}
