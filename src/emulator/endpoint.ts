import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendAnswer, type Answer } from './answer.ts'
import type { Endpoint } from './calls.ts'
import { sendFault } from './send-fault.ts'
import type { Platform } from './platform.ts'

/** One call of an endpoint. */
export type EndpointCall = { platform: Platform, endpoint: Endpoint, request: FastifyRequest, reply: FastifyReply }

/** Logs a call and answers it: by its work alone, unless a fault is switched on for the endpoint. */
export function answerCall ({ platform, endpoint, request, reply }: EndpointCall, work: () => Answer): FastifyReply | Promise<FastifyReply> {
  const call = platform.calls.open(endpoint)
  if (endpoint !== 'decision') {
    const fault = platform.faults.take(endpoint)
    if (fault !== undefined) return sendFault({ platform, endpoint, fault, call, request, reply, work })
  }
  const answer = work()
  call.status = answer.status
  return sendAnswer(reply, answer)
}
