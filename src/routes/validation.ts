import { isUtf8 } from 'node:buffer'
import { Ajv } from 'ajv'
import type { FastifyError, FastifyInstance, FastifySchemaCompiler } from 'fastify'
import { parseTime } from '../flows/times.ts'
import { parseJSON } from '../json.ts'
import { cutText, cleanText } from '../text.ts'

const MAX_MEMBER_LENGTH = 100

const TYPE_WORDS: Readonly<Record<string, string>> = { string: 'text', integer: 'a whole number', boolean: 'true or false', object: 'an object' }

// Other types, parameters other than this one and stray separators are refused: a lenient reader in
// front of a strict one is how schemas get skipped.
const JSON_TYPE = /^application\/json(?:; ?charset=utf-8)?$/i

const WHERE: Readonly<Record<string, string>> = {
  body: 'body', querystring: 'query', params: 'path', headers: 'header'
}

/**
 * Compiles schemas of what comes in. A body is taken as it is; in a query, where all is text, numbers
 * and booleans are read from it, but a repeated member never becomes a list. Nothing is dropped silently.
 */
export function createValidatorCompiler (): FastifySchemaCompiler<object> {
  const body = createAjv({ coerceTypes: false })
  const query = createAjv({ coerceTypes: true })
  return ({ schema, httpPart }) => (httpPart === 'body' ? body : query).compile(schema)
}

/** Has this scope take JSON bodies alone, strictly parsed; any other type is answered with 415. */
export function takeJSON (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (request, body, done) => {
    if (!JSON_TYPE.test(request.headers['content-type'] ?? '') || request.headers['content-encoding'] !== undefined) return done(refusal(415))
    try {
      done(null, parseJSON(typeof body === 'string' ? body : decode(body), { numbers: 'number' }))
    } catch (error) {
      done(error instanceof Error ? error : refusal(400))
    }
  })
}

/** What a validation error is about, in words that name the member; undefined for any other error. */
export function describeFault (error: FastifyError): { member: string | null, detail: string } | undefined {
  const first = error.validation?.[0]
  if (first === undefined) return undefined
  const where = WHERE[error.validationContext ?? ''] ?? 'request'
  const { keyword, instancePath, params } = first
  const path = instancePath.slice(1).replaceAll('/', '.')
  const inside = (name: unknown) => cutText(cleanText([path, String(name)].filter(Boolean).join('.')), MAX_MEMBER_LENGTH)
  if (keyword === 'additionalProperties') {
    const member = inside(params['additionalProperty'])
    return { member, detail: `The ${where} has the unknown member ${JSON.stringify(member)}.` }
  }
  if (keyword === 'required') {
    const member = inside(params['missingProperty'])
    return { member, detail: `The ${where} lacks the member ${JSON.stringify(member)}.` }
  }
  if (path === '') return { member: null, detail: `The ${where} must be an object.` }
  return { member: path, detail: `The member ${JSON.stringify(path)} of the ${where} ${wordsOf(first)}.` }
}

function wordsOf ({ keyword, params, message = 'is wrong' }: NonNullable<FastifyError['validation']>[number]): string {
  if (keyword === 'format' && params['format'] === 'date-time') {
    return 'must be an RFC 3339 time such as 2026-01-31T08:00:00Z (a + in an offset is written %2B in an address)'
  }
  if (keyword === 'enum' && Array.isArray(params['allowedValues'])) return `must be one of ${params['allowedValues'].join(', ')}`
  if (keyword === 'type') return `must be ${[params['type']].flat().map((type) => TYPE_WORDS[String(type)] ?? String(type)).join(' or ')}`
  return keyword === 'pattern' ? 'has not the expected form' : message
}

function createAjv ({ coerceTypes }: { coerceTypes: boolean }): Ajv {
  return new Ajv({
    coerceTypes,
    useDefaults: true,
    removeAdditional: false,
    allErrors: false,
    allowUnionTypes: true,
    formats: { 'date-time': (text: string) => parseTime(text) !== undefined }
  })
}

// A byte order mark stays and is refused as no JSON, like bytes that are no UTF-8.
function decode (body: Buffer): string {
  if (!isUtf8(body)) throw refusal(400)
  return body.toString('utf8')
}

function refusal (statusCode: number): Error {
  return Object.assign(new Error('The body was refused.'), { statusCode })
}
