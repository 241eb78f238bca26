import { once } from 'node:events'
import { createServer } from 'node:net'
import type { CustomFetch } from 'openid-client'
import { Agent, fetch } from 'undici'
import { isLoopbackHost } from '../loopback.ts'

const LOOPBACK = [{ address: '127.0.0.1', family: 4 }]

/**
 * An agent that reaches this machine only. Browsers know that names below `localhost` are loopback
 * (RFC 6761 6.3), the resolvers of many systems do not: so it resolves them itself.
 */
export function createLocalAgent (): Agent {
  return new Agent({
    connect: {
      lookup (hostname, options, callback) {
        if (!isLoopbackHost(hostname)) callback(new Error(`The demo calls this machine only, not ${hostname}.`), [])
        else if (options.all === true) callback(null, LOOPBACK)
        else callback(null, '127.0.0.1', 4)
      }
    }
  })
}

/** `fetch` through such an agent, in the shape that openid-client takes. */
export function createLocalFetch (agent: Agent): CustomFetch {
  return (url, options) => fetch(url, { ...options, body: options.body ?? null, dispatcher: agent })
}

/** The first of these ports that is free, else any that the system gives; 0 stands for the latter. */
export async function findFreePort (...wanted: number[]): Promise<number> {
  for (const port of wanted) {
    if (port !== 0 && await isFree(port)) return port
  }
  return listenBriefly('127.0.0.1', 0)
}

/** True when nobody listens on a port; on IPv6 neither, since browsers try that first for `localhost`. */
export async function isFree (port: number): Promise<boolean> {
  for (const host of ['127.0.0.1', '::1']) {
    try {
      await listenBriefly(host, port)
    } catch (error) {
      if (error instanceof Error && 'code' in error && (error.code === 'EADDRINUSE' || error.code === 'EACCES')) return false
    }
  }
  return true
}

async function listenBriefly (host: string, port: number): Promise<number> {
  const server = createServer().listen({ host, port })
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : port
}
