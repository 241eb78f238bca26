import { closeSync, constants, fstatSync, lstatSync, openSync, readFileSync, realpathSync, type Stats } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseEnv } from 'node:util'
import { ConfigError, type Environment } from './config.ts'

const MAX_BYTES = 1_048_576

/**
 * The settings of a folder's `.env` under the real environment, which wins. The folder may be
 * somebody else's, so a file that another user made or may change is refused.
 * @param userId our user id, undefined where files have no owner
 * @throws {ConfigError} `invalid_settings` for a `.env` that is not to be trusted or cannot be read
 */
export function addEnvFile (environment: Environment, folder: string, userId: number | undefined): Environment {
  const path = join(folder, '.env')
  const file = openIfThere(path)
  if (file === undefined) return environment
  try {
    checkTrust(path, folder, fstatSync(file), userId)
    return { ...parseEnv(readFileSync(file, 'utf8')), ...environment }
  } finally {
    closeSync(file)
  }
}

// Without O_NONBLOCK the start would wait for ever for the writer of a named pipe.
function openIfThere (path: string): number | undefined {
  try {
    return openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
    if (code === 'ENOENT' && !isLink(path)) return undefined
    throw new ConfigError(`The settings file ${path} cannot be read (${code}). Make it readable or remove it.`, { cause: error })
  }
}

function checkTrust (path: string, folder: string, stats: Stats, userId: number | undefined): void {
  const refuse = (fault: string) => { throw new ConfigError(`The settings file ${path} ${fault}`) }
  if (!stats.isFile()) refuse('is not a plain file. Remove it.')
  if (stats.size > MAX_BYTES) refuse('is larger than 1 MiB. It is not a settings file of Leadlatch.')
  if (dirname(realpathSync(path)) !== realpathSync(folder)) refuse('is a link to another folder. Put the file itself here.')
  if (userId === undefined) return
  if (stats.uid !== userId && stats.uid !== 0) refuse('belongs to another user. Start in a folder of your own, or take the file over with chown.')
  if ((stats.mode & 0o002) !== 0) refuse('can be changed by every user. Run: chmod o-w .env')
}

// A link to nowhere is not an absent file.
function isLink (path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true
}
