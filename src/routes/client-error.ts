import { STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyBaseLogger } from 'fastify'

const STATUSES = new Map([['ERR_HTTP_REQUEST_TIMEOUT', 408], ['HPE_HEADER_OVERFLOW', 431]])

/**
 * Answers what the HTTP parser refuses, before there is a request. Fastify's own handler would log the
 * raw packet, and with it keys, codes and cookies: here only the parser's code is written down.
 */
export function answerClientError (log: FastifyBaseLogger, error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return
  const status = STATUSES.get(error.code ?? '') ?? 400
  log.debug({ code: error.code }, 'the HTTP parser refused a request')
  if (!socket.writable) {
    socket.destroy()
    return
  }
  const body = JSON.stringify({
    type: 'about:blank', title: STATUS_CODES[status], status, detail: 'The request is not HTTP as this service takes it.', code: 'invalid_request'
  })
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: application/problem+json\r\n` +
    `content-length: ${Buffer.byteLength(body)}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n${body}`)
}
