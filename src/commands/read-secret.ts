import { CommandError, type Edge, UsageError } from './edge.ts'

const MAX_BYTES = 64 * 1024

const [CTRL_C, CTRL_D, BACKSPACE, DELETE] = ['\u0003', '\u0004', '\b', '\u007f']

/**
 * Reads a secret from standard input: all of it from a pipe or a file, one line that is not echoed
 * from a terminal. Never from an argument, which every user of the machine can see.
 * @param prompt what to paste, for a terminal
 * @throws {UsageError} for more than 64 KiB
 * @throws {CommandError} when the person at the terminal breaks off
 */
export async function readSecret (edge: Edge, prompt: string): Promise<string> {
  const { stdin, stderr } = edge
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) return readAll(stdin)
  stderr.write(`${prompt}\n`)
  stdin.setRawMode(true)
  try {
    return await readLine(stdin)
  } finally {
    stdin.setRawMode(false)
    stdin.pause()
    stderr.write('\n')
  }
}

async function readAll (stdin: Edge['stdin']): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of stdin) {
    const read = Buffer.from(chunk)
    bytes += read.length
    if (bytes > MAX_BYTES) throw tooLong()
    chunks.push(read)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function readLine (stdin: Edge['stdin']): Promise<string> {
  return new Promise((resolve, reject) => {
    let line = ''
    const end = (settle: () => void) => {
      stdin.off('data', take).off('end', finish).off('error', reject)
      settle()
    }
    const finish = () => end(() => resolve(line))
    const take = (chunk: unknown) => {
      for (const character of String(chunk)) {
        if (character === CTRL_C) return end(() => reject(new CommandError('Broken off. Nothing was stored.')))
        if (character === CTRL_D || character === '\r' || character === '\n') return finish()
        line = character === BACKSPACE || character === DELETE ? line.slice(0, -1) : line + character
        if (line.length > MAX_BYTES) return end(() => reject(tooLong()))
      }
    }
    stdin.on('data', take).on('end', finish).on('error', reject)
    stdin.resume()
  })
}

function tooLong (): UsageError {
  return new UsageError('Standard input holds more than a token. Give it the token alone.')
}
