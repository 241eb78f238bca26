import { Writable } from 'node:stream'
import { test } from 'tap'
import { runUpkeep } from '../../src/flows/renew.ts'
import { addKey } from '../../src/flows/shops.ts'
import type { Fault, FaultyEndpoint } from '../../src/emulator/faults.ts'
import { build } from '../support/build.ts'
import { approvedURL, logIn, openBrowser, reachHandoff, redeem, start, visit } from '../support/journey.ts'

function capture (): { stream: Writable, text: () => string } {
  let text = ''
  const stream = new Writable({
    write: (chunk, _encoding, done) => {
      text += String(chunk)
      done()
    }
  })
  return { stream, text: () => text }
}

test('T-75: no secret, token, code, cookie or provider address reaches a log, at trace, whatever goes wrong', async (t) => {
  const log = capture()
  const built = await build(t, { logger: { level: 'trace', stream: log.stream } })
  const { emulator, parts, shop } = built
  const secrets = new Set<string>([shop.key, emulator.apps.instagram.clientSecret, emulator.apps.instagram.metaAppSecret, new URL(emulator.url).host])

  const { started, code } = await reachHandoff(built)
  for (const value of [...started.browser.cookies.values(), started.state, started.verifier, code, 'shop-state', 'shop-nonce']) secrets.add(value)
  const url = approvedURL(built, started)
  secrets.add(new URL(url, 'https://x').searchParams.get('code') ?? '')
  await visit(built, openBrowser(), url)
  const { body } = await redeem(built, started, code)
  await redeem(built, started, code)
  await redeem(built, started, code, { form: { client_secret: 'llk_' + 'w'.repeat(43) } })
  secrets.add('w'.repeat(43))
  secrets.add(String(body.access_token))
  secrets.add(String(body.id_token))

  const customerId = (body.customer as { id: string }).id
  const reader = await addKey(parts.database, { shopId: shop.id, scopes: ['tokens:read', 'leads:read', 'leads:write'], nowMs: built.clock.nowMs })
  secrets.add(reader.key)
  const bearer = { authorization: `Bearer ${reader.key}` }
  const token = await built.app.inject({ url: `/v1/customers/${customerId}/tokens/instagram`, headers: bearer })
  t.match(token.json().access_token, /^IGA/)
  secrets.add(token.json().access_token)
  await built.app.inject({ method: 'PATCH', url: `/v1/customers/${customerId}`, headers: bearer, payload: { email: 'ana.secret@example.com' } })
  secrets.add('ana.secret@example.com')
  await built.app.inject({ url: '/v1/customers?email=ana.secret@example.com', headers: bearer })
  await built.app.inject({ url: `/oauth/userinfo?access_token=${String(body.access_token)}`, headers: { authorization: `Bearer ${String(body.access_token)}` } })
  for (const path of ['/nowhere', '/%', '/oauth/callback/instagram', '/v1/leads']) {
    await built.app.inject({ url: `${path}?code=${code}&secret=in-the-query`, headers: { authorization: 'Bearer llk_in-the-header', cookie: 'a=in-the-cookie' } })
  }
  for (const value of ['in-the-query', 'in-the-header', 'in-the-cookie']) secrets.add(value)

  const faults: Array<[FaultyEndpoint, Fault]> = [
    ['token', 'html500'], ['token', 'wrong_secret'], ['token', 'reset'], ['token', 'huge'], ['me', 'truncated'], ['me', 'redirect'],
    ['me', { name: 'graph_error', code: 190, status: 400, message: 'in-the-message' }], ['exchange', 'lost'], ['exchange', 'rate_limit']
  ]
  secrets.add('in-the-message')
  for (const [endpoint, fault] of faults) {
    emulator.control.fault(endpoint, fault, 2)
    const flow = await start(built)
    secrets.add(flow.state)
    await logIn(built)
    await runUpkeep(parts, built.app.log)
    emulator.control.fault(endpoint, null)
  }
  const text = log.text()
  t.match(text, 'request completed')
  t.match(text, 'the provider did not complete a login')
  for (const secret of secrets) {
    t.ok(secret.length > 5, 'a secret worth looking for')
    t.notOk(text.includes(secret), secret.slice(0, 16))
  }
  t.notMatch(text, /IGA[A-Za-z0-9]{10}|llk_|\?code=|127\.0\.0\.1:\d/)

  const metrics = await parts.metrics.registry.metrics()
  for (const secret of secrets) t.notOk(metrics.includes(secret), secret.slice(0, 16))
  for (const line of text.trim().split('\n')) t.doesNotThrow(() => JSON.parse(line), 'T-76: one JSON record a line')
})

test('the database holds no token, key, code or state in clear', async (t) => {
  const built = await build(t)
  const { started, code } = await reachHandoff(built)
  const { body } = await redeem(built, started, code)
  const { openToken } = await import('../../src/flows/tokens.ts')
  const opened = await openToken(built.parts, {
    shopId: built.shop.id, customerId: (body.customer as { id: string }).id, provider: 'instagram', providerUserId: null, actor: 'key:x'
  })
  const tables = await built.parts.database.all("select name from sqlite_master where type = 'table'")
  const rows = await Promise.all(tables.map(({ name }) => built.parts.database.all(`select * from ${String(name)}`)))
  const dump = JSON.stringify(rows)
  t.match(dump, 'ana', 'the dump holds rows')
  for (const secret of [opened?.access_token, built.shop.key, code, started.state, started.verifier, String(body.access_token)]) {
    t.ok(secret !== undefined && secret.length > 20)
    t.notOk(dump.includes(String(secret)))
  }
})
