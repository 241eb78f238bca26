import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { createBrowser } from '../../src/demo/browser.ts'
import { runDemoOnce, startDemo } from '../../src/demo/demo.ts'
import { createLocalAgent } from '../../src/demo/local-network.ts'
import { isObject } from '../../src/json.ts'

const LEAD = {
  external_id: '1',
  provider: 'instagram',
  provider_user_id: '26814093771204518',
  username: 'ana.makes',
  name: 'Ana Ferreira',
  email: 'ana@example.com',
  email_verified: false,
  email_source: 'typed',
  token: { status: 'active' },
  login_count: 1
}

test('the journey ends with a lead that has the account, the typed e-mail address and an active token', async (t) => {
  const lines: string[] = []
  const lead = await runDemoOnce({ log: (line) => { lines.push(line) } })
  t.match(lead, LEAD)
  t.notMatch(lines.join('\n'), /llk_|code=|state=/, 'the log holds no key, code or state')
})

test('the process of the journey exits by itself', async (t) => {
  const demo = new URL('../../src/demo/demo.ts', import.meta.url).href
  const program = `import { runDemoOnce } from ${JSON.stringify(demo)}
console.log(JSON.stringify(await runDemoOnce({ log () {} })))`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { cwd: fileURLToPath(new URL('.', import.meta.url)), stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
  const [output, faults, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  t.equal(code, 0, faults)
  const lead: unknown = JSON.parse(output)
  t.ok(isObject(lead) && lead['username'] === 'ana.makes')
})

test('each of the three has a host name of its own, since cookies ignore the port', async (t) => {
  const lines: string[] = []
  const demo = await startDemo({ port: 0, log: (line) => { lines.push(line) } })
  t.teardown(() => demo.close())
  const hosts = lines.map((line) => new URL(line.split(/\s+/).at(-1) ?? '').hostname)
  t.same(hosts, ['shop.localhost', 'localhost', 'instagram.localhost'])
})

test('an answer that lands in another browser signs nobody in and leaves no lead', async (t) => {
  const demo = await startDemo({ port: 0, log () {} })
  const agent = createLocalAgent()
  t.teardown(async () => {
    await agent.close()
    await demo.close()
  })
  const attacker = createBrowser(agent)
  const consent = await attacker.open(`${demo.shopURL}/auth/start`)
  const victim = createBrowser(agent)
  const request = /name="request" value="([^"]+)"/.exec(consent.body)?.[1] ?? ''
  const page = await victim.submit(new URL('/www/oauth/authorize/decision', consent.url), { request, persona: 'creator', decision: 'allow' })
  t.equal(page.status, 400)
  t.match(page.body, 'This sign-in began in another window or app')
  t.match(page.body, `<a class="button" href="${demo.shopURL}">Back to <bdi>Saltmarsh Pottery</bdi></a>`)
  t.same(await demo.leadlatch.listLeads(), [])
})

test('a port that was asked for and is taken is refused in words', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  await t.rejects(startDemo({ port, log () {} }), { message: `The port ${port} is taken. Choose another, or leave it out to get a free one.` })
})
