import { randomBytes } from 'node:crypto'
import { type Vault, VaultError } from '../vault.ts'

/** How long a shopper may take from the shop's button to the provider's answer. */
export const FLOW_LIFE_MS = 10 * 60_000

/** How long the shop has to redeem a handoff code. */
export const HANDOFF_LIFE_MS = 60_000

/** How far replicas' clocks may differ. What claims to be made later than that was made by a clock gone wrong. */
export const MAX_SKEW_MS = 60_000

/** True when something that was made at `madeAtMs` may still be used: in time, and not from the future. */
export function isWithinLife (madeAtMs: number, lifeMs: number, nowMs: number): boolean {
  return nowMs - madeAtMs <= lifeMs && madeAtMs - nowMs <= MAX_SKEW_MS
}

/** The longest authorization code that we take from a provider. */
export const MAX_AUTHORIZATION_CODE_LENGTH = 4096

/** A pending authorization. It lives sealed in the browser's flow cookie; nothing of it is stored. */
export type Flow = {
  id: string
  shopId: string
  provider: string
  /** The app that the shopper was sent to; another one configured since then ends the flow. */
  providerAppId: string
  redirectURI: string
  state: string | null
  codeChallenge: string | null
  nonce: string | null
  scopes: string[]
  startedAtMs: number
}

/** What our own state says, without the cookie: which flow, and for whom. */
export type FlowState = Pick<Flow, 'id' | 'shopId' | 'provider' | 'startedAtMs'>

/** A handoff code's content: the flow, and the provider's code that waits to be exchanged. */
export type Handoff = { flow: Flow, authorizationCode: string, issuedAtMs: number }

/** 128 random bits in base64url. */
export function buildFlowId (): string {
  return randomBytes(16).toString('base64url')
}

/** Seals a flow under its id: the text opens in no other flow's cookie. */
export function sealFlow (vault: Vault, flow: Flow): string {
  return vault.seal('flow', flow.id, join(fieldsOf(flow)))
}

export function unsealFlow (vault: Vault, id: string, sealed: string): Flow | undefined {
  const fields = open(() => vault.unseal('flow', id, sealed))
  return fields === undefined ? undefined : flowOf(id, fields)
}

/** The `state` of our request to the provider. */
export function sealState (vault: Vault, { id, shopId, provider, startedAtMs }: FlowState): string {
  return vault.seal('state', '', join([id, shopId, provider, String(startedAtMs)]))
}

export function unsealState (vault: Vault, sealed: string): FlowState | undefined {
  const [id, shopId, provider, startedAtMs] = open(() => vault.unseal('state', '', sealed)) ?? []
  if (id === undefined || shopId === undefined || provider === undefined) return undefined
  return { id, shopId, provider, startedAtMs: Number(startedAtMs) }
}

/** The handoff code: the whole flow, sealed, so that nothing is stored until it is redeemed. */
export function sealHandoff (vault: Vault, { flow, authorizationCode, issuedAtMs }: Handoff): string {
  // The shop repeats its state to itself; the code needs not carry it.
  const fields = fieldsOf({ ...flow, state: null })
  return vault.seal('handoff', '', join([flow.id, authorizationCode, String(issuedAtMs), ...fields]))
}

export function unsealHandoff (vault: Vault, sealed: string): Handoff | undefined {
  const [id, authorizationCode, issuedAtMs, ...fields] = open(() => vault.unseal('handoff', '', sealed)) ?? []
  if (id === undefined || authorizationCode === undefined) return undefined
  return { flow: flowOf(id, fields), authorizationCode, issuedAtMs: Number(issuedAtMs) }
}

function fieldsOf (flow: Flow): string[] {
  return [
    flow.shopId, flow.provider, flow.providerAppId, flow.redirectURI, flow.scopes.join(' '), String(flow.startedAtMs),
    flow.codeChallenge ?? '', flow.nonce ?? '', flow.state ?? ''
  ]
}

function flowOf (id: string, fields: readonly string[]): Flow {
  const [shopId = '', provider = '', providerAppId = '', redirectURI = '', scopes = '', startedAtMs, ...optional] = fields
  const [codeChallenge = '', nonce = '', state = ''] = optional
  return {
    id,
    shopId,
    provider,
    providerAppId,
    redirectURI,
    scopes: scopes.split(' ').filter(Boolean),
    startedAtMs: Number(startedAtMs),
    codeChallenge: codeChallenge || null,
    nonce: nonce || null,
    state: state || null
  }
}

// Lines rather than JSON: no field holds a control character, and the longest flow must fit a cookie.
function join (fields: readonly string[]): string {
  return fields.join('\n')
}

function open (unseal: () => string): string[] | undefined {
  try {
    return unseal().split('\n')
  } catch (error) {
    if (error instanceof VaultError) return undefined
    throw error
  }
}
