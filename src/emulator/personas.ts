import { randomInt } from 'node:crypto'

/** An account that can log in at the emulator. */
export type Persona = {
  /** Its name at the emulator: chosen on the consent page and by the control API. */
  id: string
  /** `/me`'s `id`: scoped to the app. Text, since it is above 2^53. */
  appScopedId: string
  /** `/me`'s `user_id`: the account's own id, the one that webhooks carry. Text as well. */
  userId: string
  username: string
  name: string | null
  accountType: string
  pictureURL: string | null
  mediaCount: number
  /** Granted permissions whatever was asked; null grants what was asked. */
  permissions: string[] | null
}

/** A persona to add, or the members of an existing one to change. */
export type PersonaChange = { id: string } & Partial<Persona>

const builtIn: readonly PersonaChange[] = [
  { id: 'creator', appScopedId: '26814093771204518', userId: '17841405793187218', username: 'ana.makes', name: 'Ana Ferreira', mediaCount: 214 },
  { id: 'business', appScopedId: '25190338846172093', userId: '17841412086934455', username: 'kiln.and.co', name: 'Kiln & Co', accountType: 'BUSINESS', mediaCount: 87 },
  { id: 'noname', appScopedId: '24907715630582211', userId: '17841430925517703', username: 'q_7731', name: null, pictureURL: null },
  { id: 'hugeid', appScopedId: '27640875392278831', userId: '17841457205391437', username: 'shop.fan', name: 'Ana' },
  // A client that reads ids as JavaScript numbers takes this account for `hugeid`.
  { id: 'neighbour', appScopedId: '27640875392278830', userId: '17841457205391436', username: 'not.shop.fan', name: 'Bea' },
  { id: 'emoji', appScopedId: '26155002948310077', userId: '17841461120078359', username: 'noor_atelier', name: '🌸 نور الهدى 👩‍🎨 Noor' },
  { id: 'personal', appScopedId: '25577120094463815', userId: '17841400991827364', username: 'just.jo', name: 'Jo', accountType: 'PERSONAL', mediaCount: 12 },
  { id: 'hostile', appScopedId: '26990413385520106', userId: '17841477003318822', username: 'hostile_name', name: '=HYPERLINK("https://evil.test")"><img src=x onerror=alert(1)>\n\'quoted\', "twice"' },
]

/** The personas that every emulator starts with, by id. */
export function buildPersonas (): Map<string, Persona> {
  return new Map(builtIn.map((persona) => [persona.id, buildPersona(persona)]))
}

/** Completes a persona: what is not given is made up, with ids of the platform's size. */
export function buildPersona (given: PersonaChange): Persona {
  return {
    appScopedId: `2${randomDigits()}`,
    userId: `1784${randomDigits().slice(3)}`,
    username: given.id,
    name: given.id,
    accountType: 'MEDIA_CREATOR',
    pictureURL: `https://scontent.instagram.invalid/v/t51.2885-19/${given.id}.jpg?oe=6A1B2C3D`,
    mediaCount: 3,
    permissions: null,
    ...given,
  }
}

/**
 * Refuses a persona whose ids are not numeric text: the token reply writes them bare.
 *
 * @throws TypeError naming the member.
 */
export function checkPersona (change: object): asserts change is PersonaChange {
  const { id, ...members }: Record<string, unknown> = { ...change }
  if (typeof id !== 'string' || !/^[\w-]{1,64}$/.test(id)) throw new TypeError('A persona has an id of letters, digits, - and _')
  for (const [name, value] of Object.entries(members)) {
    if (!isMember(name)) throw new TypeError(`A persona has no member ${name}`)
    if (!checks[name](value)) throw new TypeError(`The member ${name} of a persona does not take ${JSON.stringify(value)}`)
  }
}

const isText = (value: unknown): boolean => typeof value === 'string'
const isTextOrNull = (value: unknown): boolean => value === null || isText(value)
const isNumericText = (value: unknown): boolean => typeof value === 'string' && /^[1-9]\d{0,19}$/.test(value)

const checks: Readonly<Record<Exclude<keyof Persona, 'id'>, (value: unknown) => boolean>> = {
  appScopedId: isNumericText,
  userId: isNumericText,
  username: isText,
  name: isTextOrNull,
  accountType: isText,
  pictureURL: isTextOrNull,
  mediaCount: (value) => Number.isSafeInteger(value),
  permissions: (value) => value === null || (Array.isArray(value) && value.every(isText)),
}

function isMember (name: string): name is Exclude<keyof Persona, 'id'> {
  return Object.hasOwn(checks, name)
}

/** Whether the account is a personal one, which Instagram Login turns away. */
export function isPersonal (persona: Persona): boolean {
  return persona.accountType === 'PERSONAL'
}

function randomDigits (): string {
  return `${randomInt(10_000_000, 99_999_999)}${randomInt(10_000_000, 99_999_999)}`
}
