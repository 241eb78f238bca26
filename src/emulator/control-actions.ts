import type { SignedRequestOptions } from './callbacks.ts'
import type { Control } from './control.ts'
import { isFaultyEndpoint, parseFault, type FaultyEndpoint } from './faults.ts'
import { checkPersona } from './personas.ts'
import type { Platform } from './platform.ts'
import { checkSwitches } from './switches.ts'

/** What came in with a control request: the members of a JSON object, or the fields of a form. */
export type Input = Record<string, unknown>

/** One thing that the control API does. What it returns is the JSON reply. */
export type ControlAction = (platform: Platform, control: Control, input: Input) => object | void

const flavourNames = ['instagram', 'basicDisplay'] as const
const subcodes = [458, 459, 460, 463, 464, 467] as const

/**
 * The control functions by their address below `/emulator/`. They throw TypeError for input that
 * they do not take.
 */
export const controlActions: Readonly<Record<string, ControlAction>> = {
  'reset-calls': (_platform, control) => control.resetCalls(),
  fault: setFault,
  'clear-fault': (_platform, control, input) => control.fault(readEndpoint(input), null),
  set (_platform, control, input) {
    checkSwitches(input)
    control.set(input)
  },
  advance: (_platform, control, input) => control.advance(readCount(input, 'ms')),
  'save-persona': (_platform, control, input) => {
    checkPersona(input)
    control.savePersona(input)
    return control.persona(input.id)
  },
  revoke: (_platform, control, input) => control.revoke(readText(input, 'persona'), findChoice(input, 'subcode', subcodes)),
  'mint-code': (_platform, control, input) => ({
    code: control.mintCode(readText(input, 'persona'), { redirectURI: readText(input, 'redirectURI'), ...findFlavour(input) }),
  }),
  'mint-token': (_platform, control, input) => ({
    token: control.mintToken(readText(input, 'persona'), {
      kind: findChoice(input, 'kind', ['short', 'long']) ?? 'long',
      ageMs: input.ageMs === undefined ? 0 : readCount(input, 'ageMs'),
      ...findFlavour(input),
    }),
  }),
  'signed-request': (_platform, control, input) => ({
    signedRequest: control.signedRequest(readText(input, 'persona'), readSignedRequestOptions(input)),
  }),
  reset: (_platform, control) => control.reset(),
}

// The fault stands in `fault`, or, from a form, as `name` and options beside the endpoint.
function setFault (platform: Platform, _control: Control, input: Input): void {
  const { endpoint: _endpoint, times: _times, ...flat } = input
  const endpoint = readEndpoint(input)
  const fault = parseFault(endpoint, input.fault ?? flat)
  platform.faults.set(endpoint, fault, input.times === undefined ? undefined : readCount(input, 'times'))
}

function readSignedRequestOptions (input: Input): SignedRequestOptions {
  return {
    secret: findChoice(input, 'secret', ['meta', 'instagram', 'forged']) ?? 'meta',
    id: findChoice(input, 'id', ['string', 'number']) ?? 'string',
    whichId: findChoice(input, 'whichId', ['id', 'user_id']) ?? 'user_id',
    padded: findChoice(input, 'padded', [true, false]) ?? false,
    expires: findChoice(input, 'expires', [true, false]) ?? false,
    ...(input.issuedAt === undefined ? {} : { issuedAt: readCount(input, 'issuedAt') }),
    ...findFlavour(input),
  }
}

function findFlavour (input: Input): { flavour?: (typeof flavourNames)[number] } {
  const flavour = findChoice(input, 'flavour', flavourNames)
  return flavour === undefined ? {} : { flavour }
}

function readEndpoint (input: Input): FaultyEndpoint {
  if (!isFaultyEndpoint(input.endpoint)) throw new TypeError(`There is no endpoint ${JSON.stringify(input.endpoint)}`)
  return input.endpoint
}

function readText (input: Input, name: string): string {
  const value = input[name]
  if (typeof value !== 'string') throw new TypeError(`${name} must be text`)
  return value
}

function readCount (input: Input, name: string): number {
  const value = input[name]
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) throw new TypeError(`${name} must be a whole number`)
  return value
}

function findChoice<const Choice> (input: Input, name: string, allowed: readonly Choice[]): Choice | undefined {
  if (input[name] === undefined) return undefined
  const choice = allowed.find((value) => value === input[name])
  if (choice === undefined) throw new TypeError(`${name} must be one of ${allowed.join(', ')}`)
  return choice
}
