import type { FastifyReply } from 'fastify'

/** A complete reply, before it is sent. Faults damage it on the way. */
export type Answer = { status: number, headers: Record<string, string>, body: string }

const json = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' }

/** Builds a JSON reply from text, so that numbers above 2^53 stay exact. */
export function jsonAnswer (status: number, body: string): Answer {
  return { status, headers: json, body }
}

/** Builds a redirect. The location is sent as it is, byte for byte. */
export function redirectAnswer (location: string): Answer {
  return { status: 302, headers: { location, 'cache-control': 'no-store' }, body: '' }
}

/** Sends a reply. */
export function sendAnswer (reply: FastifyReply, answer: Answer): FastifyReply {
  return reply.code(answer.status).headers(answer.headers).send(answer.body)
}
