import type { FastifyRequest } from 'fastify'
import ipaddr from 'ipaddr.js'

/**
 * The peer whom a rate limit counts: an IPv4 address, or the /64 of an IPv6 address, since one
 * household or server has all of it. Forwarded headers count only from configured proxies.
 */
export function peerOf (request: FastifyRequest): string {
  if (!ipaddr.isValid(request.ip)) return 'unknown'
  const address = ipaddr.process(request.ip)
  return address instanceof ipaddr.IPv6 ? address.parts.slice(0, 4).join(':') : address.toString()
}
