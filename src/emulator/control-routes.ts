import type { FastifyInstance, FastifyRequest } from 'fastify'
import { isLoopback, type Address } from './address.ts'
import { jsonAnswer, sendAnswer, type Answer } from './answer.ts'
import { controlActions, type Input } from './control-actions.ts'
import type { Control } from './control.ts'
import { controlPageAnswer } from './control-page.ts'
import { bodyText } from './incoming.ts'
import type { Platform } from './platform.ts'

/** What the control API works on. */
export type ControlOptions = { platform: Platform, control: Control, address: Address, settings: Record<string, string> }

/** The control API and its page, below `/emulator/`. The API takes JSON; the page's forms post to the same addresses. */
export async function controlRoutes (app: FastifyInstance, { platform, control, address, settings }: ControlOptions): Promise<void> {
  app.addHook('onRequest', async (request) => checkOrigin(request, address))
  app.get('/', (_request, reply) => sendAnswer(reply, controlPageAnswer({ platform, control, settings })))
  app.get('/state', (_request, reply) => sendAnswer(reply, stateAnswer(platform)))
  app.get('/calls', (_request, reply) => sendAnswer(reply, jsonAnswer(200, JSON.stringify(control.calls()))))
  for (const [name, action] of Object.entries(controlActions)) {
    app.post(`/${name}`, (request, reply) => {
      const result = action(platform, control, parseInput(request))
      if (isForm(request)) return reply.redirect('/emulator/', 303)
      return sendAnswer(reply, jsonAnswer(200, JSON.stringify(result ?? {})))
    })
  }
}

// The page shows secrets and the API changes what a login yields: no other site's page may reach
// them through this browser, by a form (cross-site request) or by a name of its own (DNS rebinding).
function checkOrigin (request: FastifyRequest, { publicHost, allowPublic }: Address): void {
  const site = request.headers['sec-fetch-site']
  if (request.method !== 'GET' && site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new TypeError('A control request from another site is refused')
  }
  if (!allowPublic && request.hostname !== publicHost && !isLoopback(request.hostname)) {
    throw new TypeError('A control request to another host name is refused')
  }
}

function stateAnswer (platform: Platform): Answer {
  return jsonAnswer(200, JSON.stringify({
    now: platform.clock.now(),
    switches: platform.switches,
    faults: platform.faults.list(),
    personas: [...platform.personas.values()],
  }))
}

function isForm (request: FastifyRequest): boolean {
  return /^application\/x-www-form-urlencoded\b/i.test(request.headers['content-type'] ?? '')
}

function parseInput (request: FastifyRequest): Input {
  const text = bodyText(request)
  if (isForm(request)) return parseFields(new URLSearchParams(text))
  const value: unknown = text === '' ? {} : JSON.parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new TypeError('A control request is a JSON object')
  return { ...value }
}

const numericFields: readonly string[] = ['ms', 'times', 'minutes', 'code', 'subcode', 'status', 'usageFrom', 'usagePercent']
const words: ReadonlyMap<string, boolean | null> = new Map([['true', true], ['false', false], ['null', null], ['', null]])

// A form knows text only. An empty field was left out, save that of a switch that null turns off.
function parseFields (fields: URLSearchParams): Input {
  const given = [...fields].filter(([name, value]) => value !== '' || name === 'usageFrom')
  return Object.fromEntries(given.map(([name, value]) => {
    const word = words.get(value)
    if (word !== undefined) return [name, word]
    return [name, numericFields.includes(name) ? Number(value) : value]
  }))
}
