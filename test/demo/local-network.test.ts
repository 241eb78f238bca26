import { once } from 'node:events'
import { createServer } from 'node:http'
import { test } from 'tap'
import { fetch } from 'undici'
import { createLocalAgent, findFreePort, isFree } from '../../src/demo/local-network.ts'

test('a name below localhost is reached without the system’s resolver, another host is not', async (t) => {
  const server = createServer((request, response) => response.end(request.headers.host)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const agent = createLocalAgent()
  t.teardown(async () => {
    await agent.close()
    server.close()
  })
  const address = server.address()
  const port = typeof address === 'object' && address !== null ? address.port : 0
  const response = await fetch(`http://some.shop.localhost:${port}/`, { dispatcher: agent })
  t.equal(await response.text(), `some.shop.localhost:${port}`)
  await t.rejects(fetch('http://graph.instagram.com/', { dispatcher: agent }), { cause: { message: 'The demo calls this machine only, not graph.instagram.com.' } })
})

test('a port that is taken is passed over', async (t) => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => { server.close() })
  const address = server.address()
  const taken = typeof address === 'object' && address !== null ? address.port : 0
  const free = await findFreePort(0)
  t.equal(await isFree(taken), false)
  t.equal(await findFreePort(taken, free), free)
  t.not(await findFreePort(taken), taken)
})
