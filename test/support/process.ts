import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { createPKCE } from './build.ts'

const BIN = fileURLToPath(new URL('../../bin/leadlatch.js', import.meta.url))

export type Service = { child: ChildProcess, origin: string, log: () => string }

/** A folder with a database, an emulator, and services as processes of their own on it. */
export type Machine = {
  emulator: Emulator
  shop: { id: string, key: string, redirectURI: string }
  publicURL: string
  /** The service at the public address, or with `isReplica` at another port. */
  serve: (options?: { isReplica?: boolean }) => Promise<Service>
}

export async function buildMachine (t: Test, { redirectURI = 'https://shop.example/auth/callback' } = {}): Promise<Machine> {
  const folder = t.testdir({})
  const port = await freePort()
  const publicURL = `http://localhost:${port}`
  const emulator = await startEmulator({ redirectURIs: [`${publicURL}/oauth/callback/instagram`] })
  t.teardown(() => emulator.close())
  const settings = Object.entries(emulator.settings).filter(([name]) => !name.includes('BASIC_DISPLAY'))
  const env = { PATH: process.env.PATH, LEADLATCH_PUBLIC_URL: publicURL, LEADLATCH_RATE_LIMIT: '0', ...Object.fromEntries(settings) }
  const added: unknown = JSON.parse(execFileSync(process.execPath, [BIN, 'shop', 'add', new URL(redirectURI).origin, '--redirect-uri', redirectURI, '--json'], { cwd: folder, env, encoding: 'utf8' }))
  const { username: id, password: key } = new URL(String(Object(added).connection_string ?? Object(added).connection))

  const serve: Machine['serve'] = async ({ isReplica = false } = {}) => {
    const ownPort = isReplica ? await freePort() : port
    const child = spawn(process.execPath, [BIN, 'serve'], { cwd: folder, env: { ...env, LEADLATCH_PORT: String(ownPort) } })
    t.teardown(() => child.kill('SIGKILL'))
    let log = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => { log += text })
    child.stderr.setEncoding('utf8').on('data', (text: string) => { log += text })
    while (!log.includes('listening at')) {
      if (child.exitCode !== null) throw new Error(`The service ended: ${log}`)
      await Promise.race([once(child.stdout, 'data'), once(child, 'close')])
    }
    return { child, origin: `http://127.0.0.1:${ownPort}`, log: () => log }
  }
  return { emulator, shop: { id, key, redirectURI }, publicURL, serve }
}

/** A login over HTTP up to the handoff code, which hop by hop may visit several services. */
export async function reachHandoffOver (machine: Machine, persona: string, [first, second]: readonly [Service, Service]): Promise<{ code: string, verifier: string }> {
  const { verifier, challenge } = createPKCE()
  const { shop, emulator, publicURL } = machine
  const query = new URLSearchParams({
    response_type: 'code', client_id: shop.id, redirect_uri: shop.redirectURI, state: 's', scope: 'profile', code_challenge: challenge, code_challenge_method: 'S256'
  })
  const started = await fetch(`${first.origin}/oauth/authorize?${query}`, { redirect: 'manual' })
  const state = new URL(started.headers.get('location') ?? '').searchParams.get('state') ?? ''
  const cookie = started.headers.getSetCookie().map((text) => text.split(';')[0]).join('; ')
  const providerCode = emulator.control.mintCode(persona, { redirectURI: `${publicURL}/oauth/callback/instagram` })
  const back = await fetch(`${second.origin}/oauth/callback/instagram?${new URLSearchParams({ code: providerCode, state })}`, { redirect: 'manual', headers: { cookie } })
  return { code: new URL(back.headers.get('location') ?? '').searchParams.get('code') ?? '', verifier }
}

/** The shop's call to the token endpoint. */
export function redeemOver (machine: Machine, { code, verifier }: { code: string, verifier: string }, service: Service): Promise<Response> {
  const { id, key, redirectURI } = machine.shop
  return fetch(`${service.origin}/oauth/token`, {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'authorization_code', code, redirect_uri: redirectURI, code_verifier: verifier, client_id: id, client_secret: key })
  })
}

/** Looks a customer up through the REST API. */
export async function findOver (machine: Machine, customerId: string, service: Service): Promise<number> {
  return (await fetch(`${service.origin}/v1/customers/${customerId}`, { headers: { authorization: `Bearer ${machine.shop.key}` } })).status
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
