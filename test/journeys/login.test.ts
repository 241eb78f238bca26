import { test } from 'tap'
import { build } from '../support/build.ts'
import { approvedURL, logIn, parametersOf, reachHandoff, redeem, start, visit } from '../support/journey.ts'

test('a login goes from the shop to the provider, back, and ends in a customer', async (t) => {
  const built = await build(t)
  const started = await start(built)
  t.equal(started.response.statusCode, 303)
  const location = new URL(String(started.response.headers.location))
  t.equal(location.origin + location.pathname, `${built.emulator.url}/www/oauth/authorize`)
  t.equal(location.searchParams.get('redirect_uri'), 'https://login.example/oauth/callback/instagram')
  t.equal(location.searchParams.get('scope'), 'instagram_business_basic')

  const callback = await visit(built, started.browser, approvedURL(built, started))
  t.equal(callback.statusCode, 303)
  const answer = parametersOf(callback)
  t.equal(answer.get('state'), 'shop-state')
  t.equal(answer.get('iss'), 'https://login.example')
  t.ok(String(callback.headers.location).endsWith('#'), 'a fragment of our own')
  t.equal(built.emulator.control.count('token'), 0, 'the provider is not asked before the shop has checked its own state')

  const { status, body, headers } = await redeem(built, started, answer.get('code') ?? '')
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.match(body, {
    token_type: 'Bearer',
    expires_in: 300,
    scope: 'openid profile email',
    customer: { created: true, email: null, identities: [{ provider: 'instagram', token: { status: 'active' } }] }
  })
  t.same(built.emulator.control.calls().map(({ endpoint }) => endpoint), ['token', 'me', 'exchange'])
})

test('the same person signs in again as the same customer', async (t) => {
  const built = await build(t)
  const first = await logIn(built)
  const second = await logIn(built)
  t.match(second.body, { customer: { created: false, identities: [{ login_count: 2 }] } })
  t.same((second.body.customer as { id: string }).id, (first.body.customer as { id: string }).id)
})

test('a denial becomes access_denied at the shop, any other provider error server_error', async (t) => {
  const built = await build(t)
  const started = await start(built)
  const denied = '/oauth/callback/instagram?error=access_denied&error_reason=user_denied&error_description=The+user+denied'
  t.match(Object.fromEntries(parametersOf(await visit(built, started.browser, `${denied}&state=${started.state}`))), {
    error: 'access_denied', state: 'shop-state', iss: 'https://login.example'
  })
  const hostile = '/oauth/callback/instagram?error=%3Cimg%3E&error_description=evil'
  const response = await visit(built, started.browser, `${hostile}&state=${started.state}`)
  t.equal(parametersOf(response).get('error'), 'server_error')
  t.notMatch(response.headers.location, /img|evil/, 'T-22: the text of the provider is not passed on')
})

test('a callback repeated in the same browser redirects again, and the flow is claimed once', async (t) => {
  const built = await build(t)
  const { started, code } = await reachHandoff(built)
  const again = await visit(built, started.browser, approvedURL(built, started))
  t.equal(again.statusCode, 303)
  t.equal((await redeem(built, started, code)).status, 200)
  const second = await redeem(built, started, parametersOf(again).get('code') ?? '')
  t.match(second, { status: 400, body: { error: 'invalid_grant' } })
  t.equal(built.emulator.control.count('token'), 1, 'T-19: one provider exchange')
})

test('the retired Basic Display protocol logs in, with its cancel answer and its rejected code', async (t) => {
  const built = await build(t, { flavours: ['basicDisplay'] })
  const provider = 'instagram-basic-display'
  const started = await start(built)
  const window = new URL(String(started.response.headers.location))
  t.same([window.origin + window.pathname, window.searchParams.get('scope')], [`${built.emulator.url}/api/oauth/authorize`, 'user_profile,user_media'])
  const cancelled = await visit(built, started.browser, `/oauth/callback/${provider}?${new URLSearchParams({
    error: 'access_denied', error_reason: 'user_denied', error_description: 'The user denied your request', state: started.state
  })}`)
  t.equal(parametersOf(cancelled).get('error'), 'access_denied')

  const url = approvedURL(built, started, 'personal', provider)
  const code = parametersOf(await visit(built, started.browser, url)).get('code') ?? ''
  t.match(await redeem(built, started, code), {
    status: 200, body: { customer: { identities: [{ provider, username: built.emulator.control.persona('personal').username, token: { status: 'active' } }] } }
  })

  const again = await start(built)
  const used = url.replace(/state=.*/, `state=${again.state}`)
  const second = parametersOf(await visit(built, again.browser, used)).get('code') ?? ''
  t.match(await redeem(built, again, second), { status: 400, body: { error: 'invalid_grant' } }, 'a code of the provider that was used')
})

test('one person at both protocols is two identities, for their ids are apart', async (t) => {
  const built = await build(t, { flavours: ['instagram', 'basicDisplay'] })
  const current = await logIn(built, { parameters: { provider: 'instagram' } })
  const started = await start(built, { parameters: { provider: 'instagram-basic-display' } })
  const code = parametersOf(await visit(built, started.browser, approvedURL(built, started, 'creator', 'instagram-basic-display'))).get('code') ?? ''
  const retired = await redeem(built, started, code)
  t.equal(retired.status, 200)
  t.not((retired.body.customer as { id: string }).id, (current.body.customer as { id: string }).id)
})

test('updated_at moves forward at a login although the clock was set back', async (t) => {
  const built = await build(t)
  const updatedAt = ({ body }: Awaited<ReturnType<typeof logIn>>) => String((body.customer as { updated_at: string }).updated_at)
  const before = updatedAt(await logIn(built))
  built.clock.advance(-60_000)
  t.ok(updatedAt(await logIn(built)) > before)
})
