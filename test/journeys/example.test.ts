import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { buildMachine, freePort } from '../support/process.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/shop.js', import.meta.url))

function cookieOf (response: Response): string {
  return response.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ')
}

test('the example shop signs a person in', { timeout: 60_000 }, async (t) => {
  const shopURL = `http://localhost:${await freePort()}`
  const machine = await buildMachine(t, { redirectURI: `${shopURL}/auth/callback` })
  const service = await machine.serve()
  const { id, key } = machine.shop
  const shop = spawn(process.execPath, [EXAMPLE], {
    env: { PATH: process.env.PATH, SHOP_URL: shopURL, LEADLATCH_CONNECTION: machine.publicURL.replace('://', `://${id}:${key}@`) }
  })
  t.teardown(() => shop.kill('SIGKILL'))
  await once(shop.stdout, 'data')

  machine.emulator.control.set({ instant: 'creator' })
  const go = (url: string, cookie = '') => fetch(url, { redirect: 'manual', headers: cookie === '' ? {} : { cookie } })
  const begun = await go(`${shopURL}/login`)
  const started = await go(begun.headers.get('location') ?? '')
  const allowed = await go(started.headers.get('location') ?? '')
  const back = await go(allowed.headers.get('location') ?? '', cookieOf(started))
  const stolen = await go(back.headers.get('location') ?? '')
  t.equal(stolen.status, 400, 'another browser is refused before the code is spent')
  const finished = await go(back.headers.get('location') ?? '', cookieOf(begun))
  t.match(await finished.text(), /^Hello @ana\.makes, customer cus_/)
  t.ok(service.log().includes('a login succeeded'))
})
