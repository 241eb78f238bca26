import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Sends a request whose path goes over the wire exactly as given; a client would put it right. */
export async function sendRaw (app: FastifyInstance, options: {
  path: string, method?: string, headers?: Record<string, string | string[]>
}): Promise<{ status: number, body: string }> {
  if (!app.server.listening) await app.listen({ host: '127.0.0.1', port: 0 })
  const { port } = app.server.address() as AddressInfo
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method: 'GET', agent: false, ...options }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (text) => { body += text }).on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    sent.on('error', reject).end()
  })
}
