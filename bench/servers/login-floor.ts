import { createCipheriv, createDecipheriv, createSecretKey, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Pool } from 'undici'
import { listen, readSetting, readSettings } from '../support/in-child.ts'
import { createLoginWriter, type Profile } from '../support/login-writes.ts'

// The floor of a login: bare node:http with the same three provider calls, as many sealed texts and the
// same two durable commits. It checks nothing and logs nothing.

const settings = readSettings()
const shopId = readSetting(settings, 'shopId')
const redirectURI = readSetting(settings, 'redirectURI')
const provider = new Pool(readSetting(settings, 'provider'))
const writes = createLoginWriter(readSetting(settings, 'path'), { isGrouped: settings['grouped'] === 'true' })
const key = createSecretKey(randomBytes(32))

listen(createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  if (url.pathname === '/oauth/authorize') return begin(response, url.searchParams)
  if (url.pathname === '/oauth/callback/instagram') return answer(request, response, url.searchParams)
  readForm(request).then((form) => redeem(response, form)).catch(() => response.writeHead(500).end())
}))

function begin (response: ServerResponse, query: URLSearchParams): void {
  const id = randomBytes(16).toString('base64url')
  const state = seal([id, shopId, 'instagram', String(Date.now())])
  const flow = seal([id, shopId, redirectURI, query.get('state') ?? '', query.get('code_challenge') ?? '', query.get('scope') ?? ''])
  response.writeHead(303, {
    'set-cookie': `__Host-leadlatch-flow-${id}=${flow}; Max-Age=600; Path=/; HttpOnly; Secure; SameSite=Lax`,
    location: `https://www.instagram.com/oauth/authorize?client_id=1&response_type=code&state=${state}`
  }).end()
}

function answer (request: IncomingMessage, response: ServerResponse, query: URLSearchParams): void {
  const [id = ''] = unseal(query.get('state') ?? '')
  const cookie = request.headers.cookie ?? ''
  const flow = unseal(cookie.slice(cookie.indexOf('=') + 1))
  if (flow[0] !== id) throw new Error('the cookie is of another flow')
  const code = seal([query.get('code') ?? '', String(Date.now()), ...flow])
  response.writeHead(303, { location: `${redirectURI}?code=${code}&state=${flow[3] ?? ''}` }).end()
}

async function redeem (response: ServerResponse, form: URLSearchParams): Promise<void> {
  const [authorizationCode = '', , id = '', , , , , scope = ''] = unseal(form.get('code') ?? '')
  await writes.claim(id, shopId)
  const short = await call<{ access_token: string }>('/oauth/access_token', new URLSearchParams({
    client_id: '1', client_secret: 'secret', grant_type: 'authorization_code', redirect_uri: redirectURI, code: authorizationCode
  }).toString())
  const profile = await call<Profile>(`/me?fields=id,user_id,username,name,account_type,profile_picture_url&access_token=${short.access_token}`)
  const long = await call<{ access_token: string, expires_in: number }>(
    `/access_token?grant_type=ig_exchange_token&client_secret=secret&access_token=${short.access_token}`)
  const expiresAtMs = Date.now() + long.expires_in * 1000
  const { customerId, isCreated } = await writes.saveLogin({ shopId, profile, sealedToken: seal([long.access_token]), expiresAtMs })
  const body = JSON.stringify({
    access_token: seal([shopId, customerId, id, 'instagram', profile.id, scope, String(Date.now() + 300_000)]),
    token_type: 'Bearer',
    expires_in: 300,
    scope,
    customer: {
      id: customerId,
      identities: [{
        provider: 'instagram',
        provider_user_id: profile.id,
        provider_account_id: profile.user_id,
        username: profile.username,
        name: profile.name,
        picture_url: profile.profile_picture_url,
        account_type: profile.account_type
      }],
      created: isCreated
    }
  })
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
}

async function call<Reply> (path: string, form?: string): Promise<Reply> {
  const { body } = await provider.request(form === undefined
    ? { method: 'GET', path }
    : { method: 'POST', path, body: form, headers: { 'content-type': 'application/x-www-form-urlencoded' } })
  return await body.json() as Reply
}

async function readForm (request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return new URLSearchParams(Buffer.concat(chunks).toString())
}

function seal (fields: readonly string[]): string {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  return Buffer.concat([nonce, cipher.update(fields.join('\n'), 'utf8'), cipher.final(), cipher.getAuthTag()]).toString('base64url')
}

function unseal (sealed: string): string[] {
  const body = Buffer.from(sealed, 'base64url')
  const decipher = createDecipheriv('aes-256-gcm', key, body.subarray(0, 12))
  decipher.setAuthTag(body.subarray(-16))
  return (decipher.update(body.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')).split('\n')
}
