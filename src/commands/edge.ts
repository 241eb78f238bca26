import type { Readable, Writable } from 'node:stream'
import type { Environment } from '../config.ts'

/** What a command knows of the process that it runs in. */
export type Edge = Readonly<{
  environment: Environment
  /** The working folder, where `.env` lies. */
  folder: string
  /** Undefined where files have no owner. */
  userId: number | undefined
  stdin: Readable & { isTTY?: boolean, setRawMode?: (isRaw: boolean) => unknown }
  stdout: Writable & { isTTY?: boolean }
  stderr: Writable & { isTTY?: boolean }
  /** Milliseconds since 1970. */
  now: () => number
  readFile: (path: string) => string
  /** Resolves with the signal that asks this process to end. */
  untilStopped: () => Promise<string>
  /** Ends the process at once. */
  exit: (status: number) => void
  /** Calls back for errors that nobody caught; without a listener they end the process. */
  onUncaught: (listener: (error: unknown) => void) => void
}>

/** The command was used wrongly: exit status 2. */
export class UsageError extends Error {
  readonly code = 'wrong_use'
}

/** The command could not do its work: exit status 1. */
export class CommandError extends Error {
  readonly code = 'failed'
}
