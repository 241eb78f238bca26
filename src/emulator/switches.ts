/** Lasting choices between behaviours that the platform has shown or may show. */
export type Switches = {
  /** A persona that allowed the app before, in the same browser, is redirected at once. */
  remember: boolean
  /** The authorization window answers at once as this persona, without a page. */
  instant: string | null
  /** Graph replies carry usage headers from this call on, counted since the last reset of the calls. */
  usageFrom: number | null
  /** The worst entry of those headers, in percent; at 100 every Graph call is refused with code 4. */
  usagePercent: number
  /** Whether a refresh extends the same token or issues a new one. */
  refreshReturns: 'same' | 'new'
  /** Which id of `/me` the token reply's `user_id` equals. Basic Display has only one id. */
  tokenUserId: 'user_id' | 'id'
  /** Shape of the token reply for all apps; null leaves it to the app. */
  replyShape: 'flat' | 'wrapped' | null
  /** Whether token errors are wrapped in `meta`, as old replies were. */
  tokenErrors: 'plain' | 'meta'
}

/** The switches as an emulator starts. */
export const defaultSwitches: Readonly<Switches> = {
  remember: false,
  instant: null,
  usageFrom: null,
  usagePercent: 28,
  refreshReturns: 'same',
  tokenUserId: 'user_id',
  replyShape: null,
  tokenErrors: 'plain',
}

const isBoolean = (value: unknown): boolean => typeof value === 'boolean'
const isTextOrNull = (value: unknown): boolean => value === null || typeof value === 'string'
const isCount = (value: unknown): boolean => Number.isInteger(value) && Number(value) >= 0
const oneOf = (...allowed: unknown[]) => (value: unknown): boolean => allowed.includes(value)

const checks: Readonly<Record<keyof Switches, (value: unknown) => boolean>> = {
  remember: isBoolean,
  instant: isTextOrNull,
  usageFrom: (value) => value === null || isCount(value),
  usagePercent: isCount,
  refreshReturns: oneOf('same', 'new'),
  tokenUserId: oneOf('user_id', 'id'),
  replyShape: oneOf('flat', 'wrapped', null),
  tokenErrors: oneOf('plain', 'meta'),
}

/**
 * Refuses a switch that does not exist and a value that it does not take.
 *
 * @throws TypeError naming the switch.
 */
export function checkSwitches (change: object): asserts change is Partial<Switches> {
  for (const [name, value] of Object.entries(change)) {
    if (!isSwitch(name)) throw new TypeError(`There is no switch ${name}`)
    if (!checks[name](value)) throw new TypeError(`The switch ${name} does not take ${JSON.stringify(value)}`)
  }
}

function isSwitch (name: string): name is keyof Switches {
  return Object.hasOwn(checks, name)
}
