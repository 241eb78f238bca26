import { hash } from 'node:crypto'

/** A new customer comes so often. */
export const STEP_MS = 20_000

/** The app at the provider that all of them signed in to. */
export const APP_ID = '1234567890123456'

const DAY_MS = 86_400_000

// Most names begin with a plain letter; the others take the slower way through an export.
const FIRST_NAMES = ['Ana', 'João', 'Émilie', 'Mia', 'Øyvind', 'Liam', 'Zoë', '美咲', 'Noah', 'Emma', 'Lucas', 'Ольга', 'Sofia', 'Mateo', 'Yara', 'Ben']
const LAST_NAMES = ['Lima', 'Souza', 'Martin', 'Schmidt', 'Hansen', 'Brown', 'de Vries', 'Tanaka', 'Garcia', 'Rossi', 'Novak', 'Silva', 'Kaya']

/** What the columns of customer number `i` hold; always the same, so that a bench can name a row without reading it. */
export function personOf (i: number, startMs: number) {
  const firstSeenAtMs = startMs + i * STEP_MS
  const first = pick(FIRST_NAMES, i)
  const last = pick(LAST_NAMES, i)
  const hasEmail = i % 5 < 2
  // None of them expires while a bench runs: two answers of different moments stay the same.
  const tokenExpiresAtMs = i % 3 === 0 ? firstSeenAtMs + 3_600_000 : startMs + 3650 * DAY_MS + i * STEP_MS
  return {
    customerId: customerIdOf(i, startMs),
    identityId: `idn_${suffixOf('identity', i, firstSeenAtMs)}`,
    appId: APP_ID,
    externalId: externalIdOf(i),
    email: hasEmail ? `person.${i}@mail${i % 50}.example` : null,
    emailSource: hasEmail ? (i % 2 === 0 ? 'typed' : 'confirmed') : null,
    phone: i % 5 === 0 ? `004930${String(1_000_000 + i)}` : null,
    sourcePage: i % 2 === 0 ? '/checkout/' : '/shop/summer-dress/',
    providerUserId: String(20_000_000_000_000_000n + BigInt(i)),
    accountId: String(17_841_400_000_000_000n + BigInt(i)),
    username: `user.${hash('md5', `username ${i}`, 'hex').slice(0, 8)}_${i}`,
    name: `${first} ${last}`,
    nameKey: `${first} ${last}`.normalize('NFC').toLowerCase(),
    pictureURL: `https://pictures.example/v/t51.2885-19/${hash('md5', `picture ${i}`, 'hex')}.jpg`,
    accountType: i % 4 === 0 ? 'MEDIA_CREATOR' : 'BUSINESS',
    accessToken: `IGAA${hash('sha512', `token ${i}`, 'hex')}`,
    firstSeenAtMs,
    lastLoginAtMs: firstSeenAtMs + (i % 7) * 600_000,
    loginCount: 1 + i % 7,
    tokenExpiresAtMs
  }
}

/** The id of customer number `i`. */
export function customerIdOf (i: number, startMs: number): string {
  return `cus_${suffixOf('customer', i, startMs + i * STEP_MS)}`
}

/** The shop's own id of customer number `i`. */
export function externalIdOf (i: number): string {
  return String(100_000 + i)
}

// As real ids are: the time, so that they lie in their order, and then chance.
function suffixOf (kind: string, i: number, atMs: number): string {
  return atMs.toString(16).padStart(12, '0') + hash('sha256', `${kind} ${i}`, 'hex').slice(0, 20)
}

function pick (names: readonly string[], i: number): string {
  return names[i % names.length] ?? ''
}
