import { parse } from 'lossless-json'

const MAX_DEPTH = 32

// The member name __proto__, in whichever spelling: each character plain or as a \u escape.
const PROTO_MEMBER = new RegExp('"' + Array.from('__proto__', (character) =>
  `(?:${character}|\\\\u00${character.charCodeAt(0).toString(16)})`).join('') + '"\\s*:', 'i')

/** Thrown for a text that is not JSON as we take it: malformed, too deep, a repeated or poisoned member. */
export class JSONError extends Error {
  readonly code = 'malformed_json'
}

/**
 * Parses JSON from outside. Stricter than `JSON.parse`: a repeated member is an error (two readers
 * would choose differently), as are `__proto__` and nesting beyond 32 levels.
 * @param text the body as received
 * @param options.numbers `text` keeps each number as its literal text, exact beyond 2^53
 * @throws {JSONError}
 */
export function parseJSON (text: string, options: { numbers: 'text' | 'number' }): unknown {
  const memberCount = countMembers(text)
  if (PROTO_MEMBER.test(text)) throw new JSONError('The JSON has a member name that is not allowed.')
  try {
    const value = parse(text, undefined, {
      parseNumber: options.numbers === 'text' ? String : Number,
      onDuplicateKey: ({ key }) => { throw new JSONError(`The JSON repeats the member "${key.slice(0, 100)}".`) }
    })
    // The parser lets a repetition with an equal value pass.
    if (countKeys(value) !== memberCount) throw new JSONError('The JSON repeats a member.')
    return value
  } catch (error) {
    if (error instanceof JSONError) throw error
    throw new JSONError('The body is not valid JSON.', { cause: error })
  }
}

// The colons outside strings, which in valid JSON are the members. Depth is checked on the way, before
// parsing, since the parser recurses.
function countMembers (text: string): number {
  let count = 0
  let depth = 0
  let isInString = false
  for (let i = 0; i < text.length; i++) {
    const character = text[i]
    if (isInString) {
      if (character === '\\') i++
      else if (character === '"') isInString = false
    } else if (character === '"') isInString = true
    else if (character === ':') count++
    else if (character === '{' || character === '[') depth++
    else if (character === '}' || character === ']') depth--
    if (depth > MAX_DEPTH) throw new JSONError('The JSON is nested too deeply.')
  }
  return count
}

function countKeys (value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  const values: unknown[] = Object.values(value)
  return values.reduce<number>((count, member) => count + countKeys(member), Array.isArray(value) ? 0 : values.length)
}

/** True for a JSON object (not an array, not null). */
export function isObject (value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
