import { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import type { FastifyReply } from 'fastify'
import { sendAnswer, type Answer } from './answer.ts'
import type { Call } from './calls.ts'
import { buildFaultAnswer, isFaultAnswer, type FaultyCall } from './fault-answers.ts'

/** A faulty call with what is needed to answer it. */
export type FaultyReply = FaultyCall & { call: Call, reply: FastifyReply }

const hugeBytes = 100_000_000
const bombMebibytes = 64
const json = 'application/json; charset=utf-8'

/** Answers a call in the way of its fault, or does not answer it. */
export async function sendFault (faulty: FaultyReply): Promise<FastifyReply> {
  const { fault, reply, call, work } = faulty
  if (isFaultAnswer(fault.name)) return sendLogged(call, reply, buildFaultAnswer(fault.name, faulty))
  switch (fault.name) {
    // Nobody answers a hijacked request; closing the emulator destroys its socket.
    case 'hang': return reply.hijack()
    case 'reset': return cutConnection(reply)
    case 'lost':
      work()
      return cutConnection(reply)
    case 'slow': return await sendSlowly(faulty)
    case 'drip': return sendByByte(faulty)
    case 'huge':
      call.status = 200
      return reply.type(json).send(Readable.from(hugeBody()))
    case 'gzip_bomb':
      call.status = 200
      return reply.type(json).header('content-encoding', 'gzip').send(buildBomb())
  }
}

function sendLogged (call: Call, reply: FastifyReply, answer: Answer): FastifyReply {
  call.status = answer.status
  return sendAnswer(reply, answer)
}

function cutConnection (reply: FastifyReply): FastifyReply {
  reply.hijack()
  reply.raw.socket?.resetAndDestroy()
  return reply
}

async function sendSlowly ({ platform, fault, reply, call, work }: FaultyReply): Promise<FastifyReply> {
  const answer = work()
  try {
    await wait(fault.ms, undefined, { signal: platform.closing.signal })
  } catch {
    return cutConnection(reply)
  }
  return sendLogged(call, reply, answer)
}

function sendByByte ({ platform, fault, reply, call, work }: FaultyReply): FastifyReply {
  const answer = work()
  const body = Buffer.from(answer.body)
  call.status = answer.status
  return reply.code(answer.status).headers(answer.headers).header('content-length', body.length)
    .send(Readable.from(drip(body, fault.intervalMs, platform.closing.signal)))
}

async function * drip (body: Buffer, intervalMs: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  for (let index = 0; index < body.length; index += 1) {
    yield body.subarray(index, index + 1)
    await wait(intervalMs, undefined, { signal })
  }
}

// Valid JSON from the first byte to the last, so that only a limit on size refuses it.
function * hugeBody (): Generator<Buffer> {
  const chunk = Buffer.alloc(64 * 1024, 'A')
  yield Buffer.from('{"access_token":"')
  for (let sent = 0; sent < hugeBytes; sent += chunk.length) yield chunk
  yield Buffer.from('"}')
}

// A gzip file may be a chain of members (RFC 1952 2.2), so one compressed mebibyte serves for all.
function buildBomb (): Buffer {
  const mebibyte = gzipSync(Buffer.alloc(1024 * 1024, 'A'))
  const members = Array.from({ length: bombMebibytes }, () => mebibyte)
  return Buffer.concat([gzipSync('{"access_token":"'), ...members, gzipSync('"}')])
}
