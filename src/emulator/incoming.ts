import type { FastifyRequest } from 'fastify'

/** The query of a request as it was sent, without the question mark. */
export function queryText (request: FastifyRequest): string {
  const url = request.raw.url ?? ''
  const start = url.indexOf('?')
  return start === -1 ? '' : url.slice(start + 1)
}

/** The body of a request as text; empty when there was none. */
export function bodyText (request: FastifyRequest, encoding: 'utf8' | 'latin1' = 'utf8'): string {
  return Buffer.isBuffer(request.body) ? request.body.toString(encoding) : ''
}

/** Finds a cookie by name. */
export function findCookie (request: FastifyRequest, name: string): string | undefined {
  const pair = (request.headers.cookie ?? '').split(/; */).find((part) => part.startsWith(`${name}=`))
  return pair?.slice(name.length + 1)
}

/**
 * Reads a form body, urlencoded or multipart (text fields only; files are passed over). Undefined
 * for any other content type: the token endpoint takes no JSON.
 */
export function parseForm (request: FastifyRequest): URLSearchParams | undefined {
  const type = request.headers['content-type'] ?? ''
  if (/^application\/x-www-form-urlencoded\b/i.test(type)) return new URLSearchParams(bodyText(request))
  const boundary = /^multipart\/form-data\s*;.*\bboundary=(?:"([^"]+)"|([^\s;]+))/i.exec(type)
  if (boundary !== null) return parseMultipart(bodyText(request, 'latin1'), boundary[1] ?? boundary[2] ?? '')
}

// The body comes as latin1, one character per byte, so that it can be cut up as text and decoded after.
function parseMultipart (body: string, boundary: string): URLSearchParams {
  const form = new URLSearchParams()
  for (const part of body.split(`--${boundary}`).slice(1, -1)) {
    const end = part.indexOf('\r\n\r\n')
    const disposition = /^content-disposition:\s*form-data;(.*)$/im.exec(part.slice(0, end))?.[1] ?? ''
    const name = /\bname="([^"]*)"/.exec(disposition)?.[1]
    if (end === -1 || name === undefined || /\bfilename=/.test(disposition)) continue
    form.append(name, Buffer.from(part.slice(end + 4, -2), 'latin1').toString('utf8'))
  }
  return form
}
