import type { Endpoint } from './calls.ts'

/** Endpoints at which something can be made to go wrong. */
export type FaultyEndpoint = Exclude<Endpoint, 'decision'>

const everywhere: readonly FaultyEndpoint[] = ['authorize', 'token', 'exchange', 'refresh', 'me']
const servers: readonly FaultyEndpoint[] = ['token', 'exchange', 'refresh', 'me']
const graph: readonly FaultyEndpoint[] = ['exchange', 'refresh', 'me']

/**
 * The faults and where each can happen: an envelope never appears at another's endpoint.
 * Faults marked "works" do what was asked, so that a code is spent, and then spoil the reply.
 */
export const faultPlaces = {
  /** The person cancels at once. */
  deny: ['authorize'],
  used_code: ['token'],
  invalid_code: ['token'],
  /** The misleading text about redirect_uri, as for a wrong secret. */
  wrong_secret: ['token'],
  platform_app: ['authorize', 'token'],
  /** Status 500 with an HTML page. */
  html500: everywhere,
  /** Status 200 with an HTML page. */
  html200: everywhere,
  /** Works; no body. */
  empty: everywhere,
  /** Works; half of the body. */
  truncated: everywhere,
  /** Works; another content type (`type`, text/html unless given). */
  wrong_type: everywhere,
  /** Never answers. */
  hang: everywhere,
  /** Works; answers after `ms`. */
  slow: everywhere,
  /** Works; sends a byte every `intervalMs`, one second unless given. */
  drip: everywhere,
  /** A body of 100 MB, as far as the client reads it. */
  huge: everywhere,
  /** A small compressed body that grows to 64 MiB. */
  gzip_bomb: everywhere,
  /** 10,000 nested arrays. */
  deep: servers,
  /** Works; adds the keys `__proto__` and `constructor`. */
  proto: servers,
  /** Works; ids are objects instead of text or numbers. */
  ids_as_objects: ['token', 'me'],
  /** Cuts the connection before doing anything. */
  reset: everywhere,
  /** Works; cuts the connection instead of answering. */
  lost: everywhere,
  /** Graph code 4 with `status` 403 or 400 and usage headers that say `minutes`; 429 elsewhere. */
  rate_limit: everywhere,
  /** A Graph error of choice: `status`, `code`, `subcode`, `message`. */
  graph_error: graph,
  /** Graph code 10. */
  permission: graph,
  /** 302 to `location`, a host that does not exist unless given. */
  redirect: everywhere,
} as const satisfies Record<string, readonly FaultyEndpoint[]>

/** The names of all faults. */
export type FaultName = keyof typeof faultPlaces

type FaultWithOptions = 'slow' | 'drip' | 'wrong_type' | 'redirect' | 'rate_limit' | 'graph_error'

/** A fault to switch on: a name, or a name with options. */
export type Fault =
  | Exclude<FaultName, 'slow' | 'graph_error'>
  | { name: Exclude<FaultName, FaultWithOptions> }
  | { name: 'slow', ms: number }
  | { name: 'drip', intervalMs?: number }
  | { name: 'wrong_type', type?: string }
  | { name: 'redirect', location?: string }
  | { name: 'rate_limit', status?: 400 | 403, minutes?: number }
  | { name: 'graph_error', code: number, status?: number, subcode?: number, message?: string }

/** A fault whose options all have a value. */
export type ActiveFault = {
  name: FaultName
  ms: number
  intervalMs: number
  type: string
  location: string
  status: number
  minutes: number
  code: number
  subcode: number | null
  message: string
}

/** The faults that are switched on, each for some calls or until cleared. */
export type FaultTable = {
  set (endpoint: FaultyEndpoint, fault: ActiveFault | null, times?: number): void
  /** The fault for the next call of an endpoint; counts it. */
  take (endpoint: FaultyEndpoint): ActiveFault | undefined
  list (): { endpoint: FaultyEndpoint, fault: ActiveFault, timesLeft: number | null }[]
  reset (): void
}

/** Builds a table without faults. */
export function buildFaultTable (): FaultTable {
  const table = new Map<FaultyEndpoint, { fault: ActiveFault, timesLeft: number }>()
  return {
    set (endpoint, fault, times = Infinity) {
      if (fault === null || times <= 0) table.delete(endpoint)
      else table.set(endpoint, { fault, timesLeft: times })
    },
    take (endpoint) {
      const entry = table.get(endpoint)
      if (entry === undefined) return undefined
      entry.timesLeft -= 1
      if (entry.timesLeft <= 0) table.delete(endpoint)
      return entry.fault
    },
    list: () => [...table].map(([endpoint, { fault, timesLeft }]) => ({
      endpoint, fault, timesLeft: timesLeft === Infinity ? null : timesLeft,
    })),
    reset: () => table.clear(),
  }
}

/** Whether a value names an endpoint at which faults can happen. */
export function isFaultyEndpoint (value: unknown): value is FaultyEndpoint {
  return everywhere.some((endpoint) => endpoint === value)
}

/**
 * Reads a fault from a name or an object, and fills in its options.
 *
 * @throws TypeError for an unknown fault, one that cannot happen at this endpoint, or a bad option.
 */
export function parseFault (endpoint: FaultyEndpoint, value: unknown): ActiveFault {
  const given: object = typeof value === 'object' && value !== null ? value : { name: value }
  const name = 'name' in given ? given.name : undefined
  if (!isFaultName(name)) throw new TypeError(`There is no fault ${JSON.stringify(name)}`)
  if (!isPlace(faultPlaces[name], endpoint)) throw new TypeError(`The fault ${name} cannot happen at ${endpoint}`)
  const fault: ActiveFault = { ...defaultOptions(name), ...given, name }
  checkOptions(fault)
  return fault
}

function defaultOptions (name: FaultName): Omit<ActiveFault, 'name'> {
  return {
    ms: 10_000,
    intervalMs: 1000,
    type: 'text/html; charset=utf-8',
    location: 'http://elsewhere.invalid/',
    status: name === 'rate_limit' ? 403 : 400,
    minutes: 19,
    code: 1,
    subcode: null,
    message: 'An unknown error has occurred.',
  }
}

function checkOptions (fault: ActiveFault): void {
  const checks: [name: string, isValid: boolean][] = [
    ['ms', Number.isFinite(fault.ms) && fault.ms >= 0],
    ['intervalMs', Number.isFinite(fault.intervalMs) && fault.intervalMs > 0],
    ['type', typeof fault.type === 'string'],
    ['location', typeof fault.location === 'string'],
    ['status', Number.isInteger(fault.status) && fault.status >= 200 && fault.status <= 599],
    ['minutes', Number.isInteger(fault.minutes)],
    ['code', Number.isInteger(fault.code)],
    ['subcode', fault.subcode === null || Number.isInteger(fault.subcode)],
    ['message', typeof fault.message === 'string'],
  ]
  for (const [name, isValid] of checks) {
    if (!isValid) throw new TypeError(`The option ${name} of the fault ${fault.name} is not valid`)
  }
}

function isFaultName (value: unknown): value is FaultName {
  return typeof value === 'string' && Object.hasOwn(faultPlaces, value)
}

function isPlace (places: readonly FaultyEndpoint[], endpoint: FaultyEndpoint): boolean {
  return places.includes(endpoint)
}
