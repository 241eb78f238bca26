import { test, type Test } from 'tap'
import { deauthorize, findDeletionStatus, requestDeletion } from '../../src/flows/meta.ts'
import type { Database, Row } from '../../src/store/database.ts'
import { openDatabase } from '../../src/store/open.ts'
import { build, type Built } from '../support/build.ts'
import { logIn, openBrowser, type Redeemed, reachHandoff, redeem, type StartOptions, start, visit, approvedURL, parametersOf } from '../support/journey.ts'

const DAY_MS = 24 * 60 * 60 * 1000

async function customerOf (login: Promise<Redeemed>): Promise<string> {
  const { status, body } = await login
  if (status !== 200) throw new Error(JSON.stringify(body))
  const { customer } = body
  return typeof customer === 'object' && customer !== null && 'id' in customer ? String(customer.id) : ''
}

function signIn (built: Built, options: StartOptions & { persona?: string } = {}): Promise<string> {
  return customerOf(logIn(built, options))
}

/** A login at the retired flavour, whose ids are those of the accounts. */
async function signInAtBasicDisplay (built: Built, persona = 'creator'): Promise<string> {
  const started = await start(built, { browser: openBrowser(), parameters: { provider: 'instagram-basic-display' } })
  const response = await visit(built, started.browser, approvedURL(built, started, persona, 'instagram-basic-display'))
  return customerOf(redeem(built, started, parametersOf(response).get('code') ?? ''))
}

async function dump (database: Database, except: readonly string[] = []): Promise<Record<string, Row[]>> {
  const tables = await database.all("select name from sqlite_master where type = 'table' order by name")
  const entries = tables.map(({ name }) => String(name)).filter((name) => !except.includes(name))
    .map(async (name) => [name, await database.all(`select * from ${name}`)] as const)
  return Object.fromEntries(await Promise.all(entries))
}

async function count (built: Built): Promise<Record<string, number>> {
  const { customers = [], identities = [], tokens = [], deletion_requests: deletions = [] } = await dump(built.parts.database)
  return { customers: customers.length, identities: identities.length, tokens: tokens.length, deletions: deletions.length }
}

/** No customer without what keeps it, no identity without its customer, no customer that points at nothing. */
async function checkConsistent (t: Test, { parts: { database } }: Built, message: string): Promise<void> {
  t.same(await database.all(`select c.id from customers c where c.external_id is null and c.email is null
    and not exists (select 1 from identities i where i.customer_id = c.id)`), [], `${message}: nobody is empty`)
  t.same(await database.all(`select c.id from customers c where c.last_identity_id is not null
    and not exists (select 1 from identities i where i.id = c.last_identity_id and i.customer_id = c.id)`), [], `${message}: no dangling identity`)
  t.same(await database.all('select i.id from identities i where not exists (select 1 from tokens t where t.identity_id = i.id)'), [], `${message}: each identity has its token`)
}

/** A database that lets something happen just before the erasure is written. */
function interruptible (): { database: Database, before: (happening: () => Promise<unknown>) => void } {
  const database = openDatabase('sqlite::memory:')
  let next: (() => Promise<unknown>) | null = null
  return {
    database: {
      ...database,
      batch: async (statements) => {
        const happening = statements.some(({ sql }) => /delete from identities|revoked_reason = 'app_removed'/.test(sql)) ? next : null
        if (happening !== null) {
          next = null
          await happening()
        }
        return database.batch(statements)
      }
    },
    before: (happening) => { next = happening }
  }
}

test('deauthorizing marks the tokens of the person revoked, in every shop, and of nobody else', async (t) => {
  const built = await build(t)
  const { database } = built.parts
  const other = await built.addShop({ url: 'https://other.example', redirectURIs: ['https://other.example/cb'] })
  await signIn(built, { persona: 'hugeid' })
  await signIn(built, { persona: 'hugeid', shop: other })
  await signIn(built, { persona: 'neighbour' })
  built.clock.advance(5000)
  await deauthorize(built.parts, built.emulator.control.signedRequest('hugeid'))
  t.same(await database.all('select i.username, t.revoked_at_ms, t.revoked_reason, t.work from tokens t join identities i on i.id = t.identity_id order by 1'), [
    { username: 'not.shop.fan', revoked_at_ms: null, revoked_reason: null, work: 'plan' },
    { username: 'shop.fan', revoked_at_ms: built.clock.nowMs, revoked_reason: 'app_removed', work: null },
    { username: 'shop.fan', revoked_at_ms: built.clock.nowMs, revoked_reason: 'app_removed', work: null }
  ])
  t.same(await count(built), { customers: 3, identities: 3, tokens: 3, deletions: 0 })
  t.match(await database.all('select actor, action from audit_entries'), [{ actor: 'meta', action: 'token.revoke' }, { actor: 'meta', action: 'token.revoke' }])
  t.same(await database.all('select count(*) as total from customers where updated_at_ms = $1', [built.clock.nowMs]), [{ total: 2 }], 'who asks for changes sees it')
})

test('deauthorizing again changes nothing, and a login heals', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  const signedRequest = built.emulator.control.signedRequest('creator')
  await deauthorize(built.parts, signedRequest)
  const once = await dump(built.parts.database)
  built.clock.advance(5000)
  await deauthorize(built.parts, signedRequest)
  t.same(await dump(built.parts.database), once)
  await signIn(built)
  t.match(await built.parts.database.all('select revoked_at_ms, revoked_reason, work from tokens'), [{ revoked_at_ms: null, revoked_reason: null }])
  const healed = await dump(built.parts.database)
  await deauthorize(built.parts, signedRequest)
  t.same(await dump(built.parts.database), healed, 'T-66: an old request does not undo the new consent')
})

test('a request of the second of the login counts, one of the second before does not', async (t) => {
  const built = await build(t)
  built.clock.advance(700)
  await signIn(built)
  const second = Math.floor(built.clock.nowMs / 1000)
  const before = await dump(built.parts.database)
  await deauthorize(built.parts, built.emulator.control.signedRequest('creator', { issuedAt: second - 1 }))
  t.same(await dump(built.parts.database), before)
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator', { issuedAt: second - 1 }))
  t.same(await dump(built.parts.database, ['deletion_requests']), Object.fromEntries(Object.entries(before).filter(([name]) => name !== 'deletion_requests')))
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator', { issuedAt: second }))
  t.same(await count(built), { customers: 0, identities: 0, tokens: 0, deletions: 2 })
})

test('each secret of an app, each id of a person and each spelling leads to the same deletion', async (t) => {
  const built = await build(t)
  await signIn(built, { persona: 'neighbour' })
  for (const secret of ['meta', 'instagram'] as const) {
    for (const whichId of ['id', 'user_id'] as const) {
      for (const spelling of [{}, { padded: true }, { id: 'number' as const }, { expires: true }]) {
        await signIn(built, { persona: 'hugeid' })
        t.equal((await built.parts.database.all('select id from identities')).length, 2)
        built.clock.advance(5000)
        await requestDeletion(built.parts, built.emulator.control.signedRequest('hugeid', { secret, whichId, ...spelling }))
        const left = await built.parts.database.all('select username from identities')
        t.same(left, [{ username: 'not.shop.fan' }], JSON.stringify({ secret, whichId, ...spelling }))
      }
    }
  }
})

test('deletion leaves nothing of the person in any table, in every shop', async (t) => {
  const built = await build(t)
  const { database } = built.parts
  const other = await built.addShop({ url: 'https://other.example', redirectURIs: ['https://other.example/cb'] })
  await signIn(built)
  await signIn(built, { shop: other })
  await signIn(built, { persona: 'business' })
  const { appScopedId, userId, username, name, pictureURL } = built.emulator.control.persona('creator')
  const traces = [appScopedId, userId, username, String(name), String(pictureURL), 'ferreira']
  const before = JSON.stringify(await dump(database))
  for (const trace of traces) t.ok(before.includes(trace), `it was there: ${trace}`)
  const tokens = await database.all("select t.access_token from tokens t join identities i on i.id = t.identity_id where i.username = 'ana.makes'")
  t.equal(tokens.length, 2)
  built.clock.advance(5000)
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
  const after = JSON.stringify(await dump(database))
  for (const trace of [...traces, ...tokens.map((row) => String(row['access_token']))]) t.notOk(after.includes(trace), `it is gone: ${trace}`)
  t.same(await count(built), { customers: 1, identities: 1, tokens: 1, deletions: 1 })
  const entries = await database.all('select actor, action, customer_id, subject from audit_entries')
  t.equal(entries.length, 2)
  for (const entry of entries) t.match(entry, { actor: 'meta', action: 'identity.erase', customer_id: /^cus_[0-9a-f]+$/, subject: /^idn_[0-9a-f]+$/ })
})

test('a customer with an account or an e-mail address stays, without what came from the identity', async (t) => {
  for (const [column, value] of [['external_id', '42'], ['email', 'ana@example.com']] as const) {
    const built = await build(t)
    const { database } = built.parts
    const id = await signIn(built)
    await database.run(`update customers set ${column} = $2, source_page = '/sale', phone = '+43 1' where id = $1`, [id, value])
    built.clock.advance(5000)
    await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
    t.match(await database.all('select * from customers'), [{
      id, [column]: value, last_identity_id: null, name_key: null, name: null, source_page: '/sale', phone: '+43 1', login_count: 1, updated_at_ms: built.clock.nowMs
    }])
    t.match(await count(built), { identities: 0, tokens: 0 })
  }
})

test('a customer who typed a name stays findable by it, and loses an address that a provider gave', async (t) => {
  const built = await build(t)
  const { database } = built.parts
  const id = await signIn(built)
  await database.run(`update customers set external_id = '42', name = 'Anna F', name_key = 'anna f', email = 'a@b.example', email_key = 'a@b.example',
    email_source = 'provider', email_verified_at_ms = 1 where id = $1`, [id])
  built.clock.advance(5000)
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
  t.match(await database.all('select * from customers'), [{
    name: 'Anna F', name_key: 'anna f', email: null, email_key: null, email_source: null, email_verified_at_ms: null
  }])
})

test('an address that a provider gave does not keep a customer', async (t) => {
  const built = await build(t)
  const id = await signIn(built)
  await built.parts.database.run("update customers set email = 'a@b.example', email_key = 'a@b.example', email_source = 'provider' where id = $1", [id])
  built.clock.advance(5000)
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
  t.match(await count(built), { customers: 0 })
})

/** One customer who owns an account at each of the two flavours; the one at Basic Display was used last. */
async function signInTwice (t: Test): Promise<{ built: Built, id: string }> {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  const { database } = built.parts
  const id = await signIn(built, { parameters: { provider: 'instagram' } })
  built.clock.advance(1000)
  const second = await signInAtBasicDisplay(built, 'business')
  await database.batch([
    { sql: "update identities set name = 'Kiln' where customer_id = $1", values: [second] },
    { sql: 'update identities set customer_id = $1 where customer_id = $2', values: [id, second] },
    { sql: 'delete from customers where id = $1', values: [second] },
    {
      sql: `update customers set last_identity_id = (select id from identities where provider = 'instagram-basic-display'),
      name_key = 'kiln' where id = $1`,
      values: [id]
    }
  ])
  built.clock.advance(5000)
  return { built, id }
}

test('a customer who has another identity is shown by that one from then on', async (t) => {
  const { built, id } = await signInTwice(t)
  await requestDeletion(built.parts, built.emulator.control.signedRequest('business', { flavour: 'basicDisplay' }))
  const [left] = await built.parts.database.all('select id, provider from identities')
  t.match(left, { provider: 'instagram' })
  t.match(await built.parts.database.all('select * from customers'), [{ id, last_identity_id: left?.['id'], name_key: 'ana ferreira' }])
  await checkConsistent(t, built, 'the last used went')
})

test('a customer keeps the identity used last when another goes', async (t) => {
  const { built, id } = await signInTwice(t)
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
  const [left] = await built.parts.database.all('select id, provider from identities')
  t.match(left, { provider: 'instagram-basic-display' })
  t.match(await built.parts.database.all('select * from customers'), [{ id, last_identity_id: left?.['id'], name_key: 'kiln' }])
})

test('of several identities that are left, the one used last stays so', async (t) => {
  const { built, id } = await signInTwice(t)
  const { database } = built.parts
  const third = await signIn(built, { persona: 'emoji', parameters: { provider: 'instagram' } })
  await database.batch([
    { sql: 'update identities set customer_id = $1 where customer_id = $2', values: [id, third] },
    { sql: 'delete from customers where id = $1', values: [third] },
    { sql: 'update identities set last_login_at_ms = 1' }
  ])
  const ids = await database.all("select id from identities where username <> 'ana.makes' order by id")
  t.equal(ids.length, 2)
  for (const last of ids) {
    await database.run('update customers set last_identity_id = $1', [String(last['id'])])
    built.clock.advance(5000)
    await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
    t.match(await database.all('select last_identity_id from customers'), [{ last_identity_id: last['id'] }])
    await signIn(built, { parameters: { provider: 'instagram' } })
    await database.batch([
      { sql: "update identities set customer_id = $1, last_login_at_ms = 1 where username = 'ana.makes'", values: [id] },
      { sql: 'delete from customers where id <> $1', values: [id] }
    ])
  }
})

test('T-66: the secret of one app touches no identity of another', async (t) => {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  await signIn(built, { parameters: { provider: 'instagram' } })
  await signInAtBasicDisplay(built)
  built.clock.advance(5000)
  const { control } = built.emulator
  t.equal((await built.parts.database.all('select 1 from identities where provider_user_id = $1 or provider_account_id = $1', [control.persona('creator').userId])).length, 2, 'both have the id')
  await deauthorize(built.parts, control.signedRequest('creator', { flavour: 'basicDisplay' }))
  t.match(await built.parts.database.all('select i.provider from tokens t join identities i on i.id = t.identity_id where t.revoked_at_ms is not null'), [{ provider: 'instagram-basic-display' }])
  await requestDeletion(built.parts, control.signedRequest('creator', { flavour: 'basicDisplay' }))
  t.match(await built.parts.database.all('select provider from identities'), [{ provider: 'instagram' }])
})

test('T-66: an identity of an app that was configured before is not touched', async (t) => {
  const built = await build(t)
  await signIn(built)
  await built.parts.database.run("update identities set provider_app_id = 'former'")
  built.clock.advance(5000)
  for (const whichId of ['id', 'user_id'] as const) {
    built.clock.advance(1000)
    await deauthorize(built.parts, built.emulator.control.signedRequest('creator', { whichId }))
    await requestDeletion(built.parts, built.emulator.control.signedRequest('creator', { whichId }))
    t.match(await built.parts.database.all('select revoked_at_ms from tokens'), [{ revoked_at_ms: null }])
  }
})

test('T-66: a request that comes again is answered with the same code and acts once', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  const { control } = built.emulator
  const issuedAt = Math.floor(built.clock.nowMs / 1000)
  const first = await requestDeletion(built.parts, control.signedRequest('creator', { issuedAt }))
  t.match(first.confirmation_code, /^[0-9a-f]{32}$/)
  t.equal(first.url, `https://login.example/meta/data-deletion/${first.confirmation_code}`)
  const once = await dump(built.parts.database)
  built.clock.advance(30 * DAY_MS)
  t.same(await requestDeletion(built.parts, control.signedRequest('creator', { issuedAt })), first)
  t.same(await requestDeletion(built.parts, control.signedRequest('creator', { issuedAt, padded: true, id: 'number' })), first)
  t.same(await dump(built.parts.database), once)
  await signIn(built)
  const returned = await dump(built.parts.database)
  t.same(await requestDeletion(built.parts, control.signedRequest('creator', { issuedAt })), first)
  await deauthorize(built.parts, control.signedRequest('creator', { issuedAt }))
  t.same(await dump(built.parts.database), returned, 'the person who returned stays')
  t.not((await requestDeletion(built.parts, control.signedRequest('creator'))).confirmation_code, first.confirmation_code)
  t.match(await count(built), { customers: 0, deletions: 2 })
})

test('T-66: a request that was never delivered before erases nobody who returned', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  const signedRequest = built.emulator.control.signedRequest('creator')
  built.clock.advance(5000)
  await signIn(built)
  const before = await dump(built.parts.database, ['deletion_requests'])
  await requestDeletion(built.parts, signedRequest)
  t.same(await dump(built.parts.database, ['deletion_requests']), before)
  await built.parts.database.run('delete from tokens')
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator', { issuedAt: Math.floor(built.clock.nowMs / 1000) - 1 }))
  t.match(await count(built), { identities: 1 }, 'nor when the shop has forgotten the token since')
})

test('T-66: a token that was obtained later than the request, without a login, is another consent', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  await built.parts.database.run('update tokens set obtained_at_ms = $1', [built.clock.nowMs + 1000])
  await deauthorize(built.parts, built.emulator.control.signedRequest('creator'))
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
  t.match(await built.parts.database.all('select revoked_at_ms from tokens'), [{ revoked_at_ms: null }])
  t.match(await count(built), { identities: 1, deletions: 1 })
})

test('a worker that has the token in hand finds another generation, and no older text to go back to', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  await built.parts.database.run(`update tokens set generation = 7, work = 'prove', due_at_ms = 9, lease_until_ms = 9, failures = 2,
    unsure_at_ms = 1, previous_token = 'sealed', previous_obtained_at_ms = 8, previous_expires_at_ms = 9`)
  await deauthorize(built.parts, built.emulator.control.signedRequest('creator'))
  t.match(await built.parts.database.all('select * from tokens'), [{
    generation: 8, work: null, due_at_ms: null, lease_until_ms: null, exchange_due_at_ms: null, failures: 0, unsure_at_ms: null, previous_token: null, previous_obtained_at_ms: null, previous_expires_at_ms: null
  }])
})

test('a person whom nobody knows is answered with a code as well', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  const reply = await requestDeletion(built.parts, built.emulator.control.signedRequest('business'))
  t.match(reply.confirmation_code, /^[0-9a-f]{32}$/)
  t.match(await count(built), { customers: 1, deletions: 1 })
  await deauthorize(built.parts, built.emulator.control.signedRequest('business'))
})

test('T-65: what is not genuine changes nothing', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  const { control } = built.emulator
  const genuine = control.signedRequest('creator')
  const before = await dump(built.parts.database)
  const future = Math.floor(built.clock.nowMs / 1000) + 3600
  for (const text of ['', genuine.slice(0, -1), genuine.slice(1), control.signedRequest('creator', { secret: 'forged' }),
    control.signedRequest('creator', { flavour: 'basicDisplay' }), control.signedRequest('creator', { issuedAt: future })]) {
    await t.rejects(deauthorize(built.parts, text), { code: /malformed|not_signed|not_yet_issued/ })
    await t.rejects(requestDeletion(built.parts, text), { code: /malformed|not_signed|not_yet_issued/ })
  }
  t.same(await dump(built.parts.database), before)
})

test('T-67: the state of a deletion is found by its whole code, and tells times alone', async (t) => {
  const built = await build(t)
  const issuedAtMs = built.clock.nowMs
  const signedRequest = built.emulator.control.signedRequest('creator')
  built.clock.advance(5000)
  const { confirmation_code: code } = await requestDeletion(built.parts, signedRequest)
  t.same(await findDeletionStatus(built.parts, code), { issuedAtMs, completedAtMs: built.clock.nowMs })
  for (const wrong of ['', code.slice(1), code.toUpperCase(), `${code} `, '0'.repeat(32), '%', `${code}'`]) {
    t.equal(await findDeletionStatus(built.parts, wrong), undefined, wrong)
  }
})

test('a login between the look and the erasure is a return: it stays whole', async (t) => {
  const { database, before } = interruptible()
  const built = await build(t, { database })
  const id = await signIn(built)
  built.clock.advance(5000)
  const signedRequest = built.emulator.control.signedRequest('creator')
  before(async () => {
    built.clock.advance(2000)
    await signIn(built)
  })
  const reply = await requestDeletion(built.parts, signedRequest)
  t.match(await built.parts.database.all('select id, login_count from customers'), [{ id, login_count: 2 }])
  t.same(await count(built), { customers: 1, identities: 1, tokens: 1, deletions: 1 })
  t.same(await requestDeletion(built.parts, signedRequest), reply)
  await checkConsistent(t, built, 'erasure')

  built.clock.advance(5000)
  const revocation = built.emulator.control.signedRequest('creator')
  before(async () => {
    built.clock.advance(2000)
    await signIn(built)
  })
  await deauthorize(built.parts, revocation)
  t.match(await built.parts.database.all('select revoked_at_ms from tokens'), [{ revoked_at_ms: null }])
})

test('a change between the look and the erasure is heeded', async (t) => {
  const { database, before } = interruptible()
  const built = await build(t, { database })
  const id = await signIn(built)
  built.clock.advance(5000)
  before(() => database.run("update customers set email = 'a@b.example', email_key = 'a@b.example', email_source = 'typed', name = 'Ana', name_key = 'ana' where id = $1", [id]))
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
  t.match(await database.all('select * from customers'), [{ id, email: 'a@b.example', name: 'Ana', name_key: 'ana', last_identity_id: null }])
  t.match(await count(built), { identities: 0, deletions: 1 })
})

test('an erasure by somebody else between the look and the erasure is no failure', async (t) => {
  const { database, before } = interruptible()
  const built = await build(t, { database })
  const id = await signIn(built)
  built.clock.advance(5000)
  before(() => database.run('delete from customers where id = $1', [id]))
  await requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))
  t.same(await count(built), { customers: 0, identities: 0, tokens: 0, deletions: 1 })
})

test('deliveries of one request at once have one code, and act once', async (t) => {
  const built = await build(t)
  await signIn(built)
  built.clock.advance(5000)
  const signedRequest = built.emulator.control.signedRequest('creator')
  const replies = await Promise.all(Array.from({ length: 8 }, () => requestDeletion(built.parts, signedRequest)))
  t.equal(new Set(replies.map((reply) => reply.confirmation_code)).size, 1)
  t.same(await count(built), { customers: 0, identities: 0, tokens: 0, deletions: 1 })
  t.equal((await built.parts.database.all('select id from audit_entries')).length, 1)
  const unknown = built.emulator.control.signedRequest('business')
  const others = await Promise.all(Array.from({ length: 8 }, () => requestDeletion(built.parts, unknown)))
  t.equal(new Set(others.map((reply) => reply.confirmation_code)).size, 1, 'of somebody unknown as well')
  t.match(await count(built), { deletions: 2 })
})

test('a deletion that races a login of the same person leaves all of the login or none', async (t) => {
  const built = await build(t)
  for (let round = 0; round < 20; round++) {
    await signIn(built)
    const { started, code } = await reachHandoff(built)
    built.clock.advance(1000)
    const [login] = await Promise.all([
      redeem(built, started, code),
      wait(round).then(() => requestDeletion(built.parts, built.emulator.control.signedRequest('creator'))),
      wait(20 - round).then(() => deauthorize(built.parts, built.emulator.control.signedRequest('creator')))
    ])
    t.ok([200, 400].includes(login.status), `round ${round}: ${login.status}`)
    const { customers, identities, tokens } = await count(built)
    t.ok(customers === identities && identities === tokens && Number(customers) <= 1, `round ${round}: ${customers} ${identities} ${tokens}`)
    await checkConsistent(t, built, `round ${round}`)
    built.clock.advance(5000)
  }
})

/** Lets others have so many turns of the event loop. */
async function wait (turns: number): Promise<void> {
  for (let i = 0; i < turns; i++) await new Promise((resolve) => setImmediate(resolve))
}
