import { startEmulator, type Emulator, type EmulatorOptions } from '../../../src/emulator/emulator.ts'

export const redirectURI = 'http://127.0.0.1:9/callback'
export const hourMs = 3_600_000

type Test = { teardown (end: () => Promise<void>): void }
type FlavourName = 'instagram' | 'basicDisplay'

export async function start (t: Test, options: EmulatorOptions = {}): Promise<Emulator> {
  const emulator = await startEmulator({ redirectURIs: [redirectURI], ...options })
  t.teardown(() => emulator.close())
  return emulator
}

export function authorizeURL (emulator: Emulator, changes: Record<string, string> = {}, flavour: FlavourName = 'instagram'): string {
  const isInstagram = flavour === 'instagram'
  const url = new URL(`${emulator.url}/${isInstagram ? 'www' : 'api'}/oauth/authorize`)
  url.search = new URLSearchParams({
    client_id: emulator.apps[flavour].clientId,
    redirect_uri: redirectURI,
    response_type: 'code',
    scope: isInstagram ? 'instagram_business_basic' : 'user_profile,user_media',
    ...changes,
  }).toString()
  return url.href
}

export async function get (url: string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(url, { redirect: 'manual', headers })
}

export async function post (url: string, fields: Record<string, string>, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(url, { method: 'POST', redirect: 'manual', body: new URLSearchParams(fields), headers })
}

export async function readJSON (response: Response): Promise<unknown> {
  const value: unknown = JSON.parse(await response.text())
  return value
}

export function requestId (html: string): string {
  return /name="request" value="([^"]+)"/.exec(html)?.[1] ?? ''
}

export async function decide (emulator: Emulator, persona: string, decision: 'allow' | 'cancel', changes: Record<string, string> = {}, flavour: FlavourName = 'instagram'): Promise<Response> {
  const page = await get(authorizeURL(emulator, changes, flavour))
  const request = requestId(await page.text())
  return await post(`${emulator.url}/www/oauth/authorize/decision`, { request, persona, decision })
}

export function tokenFields (emulator: Emulator, code: string, flavour: FlavourName = 'instagram'): Record<string, string> {
  const { clientId, clientSecret } = emulator.apps[flavour]
  return { client_id: clientId, client_secret: clientSecret, grant_type: 'authorization_code', redirect_uri: redirectURI, code }
}

export async function redeem (emulator: Emulator, code: string, changes: Record<string, string> = {}, flavour: FlavourName = 'instagram'): Promise<Response> {
  return await post(`${emulator.url}/api/oauth/access_token`, { ...tokenFields(emulator, code, flavour), ...changes })
}

export function mintCode (emulator: Emulator, persona = 'creator', flavour: FlavourName = 'instagram'): string {
  return emulator.control.mintCode(persona, { redirectURI, flavour })
}

export function graphURL (emulator: Emulator, path: string, query: Record<string, string>): string {
  return `${emulator.url}/graph/${path}?${new URLSearchParams(query).toString()}`
}
