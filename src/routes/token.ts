import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { ACCESS_TOKEN_LIFE_SECONDS, buildAccessToken } from '../flows/access-tokens.ts'
import { type AuthenticatedKey, authenticateKey } from '../flows/api-keys.ts'
import { findCustomerView } from '../flows/customers.ts'
import { type Redemption, redeem } from '../flows/redeem.ts'
import type { SigningKeys } from '../flows/signing-keys.ts'
import { parseClientCredentials } from '../oauth/client-credentials.ts'
import { OAuthError, type OAuthErrorCode } from '../oauth/errors.ts'
import { signIdToken } from '../oauth/id-token.ts'
import type { Parameters } from '../oauth/parameters.ts'
import type { Parts } from '../parts.ts'
import type { Profile } from '../providers/provider.ts'
import { findShop } from '../store/shops.ts'
import { listAuthorizations } from './authorization-header.ts'
import { BUSY_RETRY_SECONDS, formParameters, isStoreBusy, refuseOtherMethods, takeForms } from './oauth-requests.ts'
import { peerOf } from './peer.ts'
import { Customer } from './schemas.ts'

const NAMES = [
  'grant_type', 'code', 'redirect_uri', 'code_verifier', 'client_id', 'client_secret', 'source_page', 'source_campaign',
  'customer_id'
]

const TokenReply = Type.Object({
  access_token: Type.String(),
  token_type: Type.Literal('Bearer'),
  expires_in: Type.Integer(),
  scope: Type.String(),
  id_token: Type.Optional(Type.String()),
  customer: Type.Object({ ...Customer.properties, created: Type.Boolean() })
})

/** RFC 6749 5.2. */
export const OAuthErrorReply = Type.Object({ error: Type.String(), error_description: Type.String() })

/** The token endpoint (RFC 6749 3.2): where a shop's server redeems a handoff code. */
export async function tokenRoutes (app: FastifyInstance, { parts, signingKeys }: { parts: Parts, signingKeys: SigningKeys }): Promise<void> {
  takeForms(app)
  app.setErrorHandler(answerError)
  const countFailure = failureLimit(app, parts)

  app.post('/oauth/token', {
    schema: {
      operationId: 'redeemCode',
      summary: 'Redeem a handoff code (RFC 6749 4.1.3)',
      security: [{ client: [] }],
      consumes: ['application/x-www-form-urlencoded'],
      response: { 200: TokenReply, '4xx': OAuthErrorReply, '5xx': OAuthErrorReply }
    }
  }, async (request, reply) => {
    const parameters = formParameters(request)
    parameters.checkUnrepeated(NAMES)
    const key = await authenticateClient(parts, request, parameters, countFailure)
    if (!key.scopes.includes('login')) throw new OAuthError('unauthorized_client', 'This API key has not the scope "login".')
    checkGrantType(parameters.get('grant_type'))
    // Ignored, it would make a second customer of one person.
    if (parameters.get('customer_id') !== undefined) throw new OAuthError('invalid_request', 'Attaching an identity by customer_id is not in this version.')
    const redemption = await redeem(parts, key, parameters, request.log)
    request.log.info({ shop: key.shopId, key: key.id, customer: redemption.customerId, isCreated: redemption.isCreated }, 'a login succeeded')
    reply.headers({ 'cache-control': 'no-store', pragma: 'no-cache' })
    return buildReply(parts, signingKeys, redemption)
  })
  refuseOtherMethods(app, '/oauth/token', ['POST'])
}

const ERROR_STATUSES = new Map<OAuthErrorCode, number>([['invalid_client', 401], ['server_error', 500], ['temporarily_unavailable', 503]])

type CountFailure = (request: FastifyRequest, clientId: string) => Promise<void>

async function authenticateClient (parts: Parts, request: FastifyRequest, parameters: Parameters, countFailure: CountFailure): Promise<AuthenticatedKey> {
  const { clientId, clientSecret } = parseClientCredentials(singleAuthorization(request), parameters)
  const key = await authenticateKey(parts.database, clientSecret)
  if (key !== undefined && key.shopId === clientId) return key
  // Counted only now: a right key is never refused for the failures of others.
  await countFailure(request, clientId)
  throw new OAuthError('invalid_client', 'The client is unknown or its API key is wrong or revoked.')
}

function singleAuthorization (request: FastifyRequest): string | undefined {
  const [authorization, second] = listAuthorizations(request)
  if (second !== undefined) throw new OAuthError('invalid_request', 'The client must authenticate by one method only.')
  return authorization
}

function failureLimit (app: FastifyInstance, { config }: Parts): CountFailure {
  const check = app.createRateLimit({
    max: config.rateLimit,
    timeWindow: 60_000,
    keyGenerator: (request) => `${peerOf(request)} ${failedClients.get(request) ?? ''}`
  })
  const failedClients = new WeakMap<FastifyRequest, string>()
  return async (request, clientId) => {
    if (config.rateLimit === 0) return
    failedClients.set(request, clientId.slice(0, 64))
    const limit = await check(request)
    if (!limit.isAllowed && limit.isExceeded) throw new TooManyFailures(limit.ttlInSeconds)
  }
}

class TooManyFailures extends Error {
  readonly statusCode = 429
  readonly retryAfterSeconds: number

  constructor (retryAfterSeconds: number) {
    super('Too many failed client authentications.')
    this.retryAfterSeconds = retryAfterSeconds
  }
}

function checkGrantType (grantType: string | undefined): void {
  if (grantType === undefined) throw new OAuthError('invalid_request', 'The parameter grant_type is missing.')
  if (grantType !== 'authorization_code') throw new OAuthError('unsupported_grant_type', 'The grant_type must be "authorization_code".')
}

async function buildReply (parts: Parts, signingKeys: SigningKeys, { flow, customerId, isCreated, profile }: Redemption) {
  const { id: flowId, shopId, provider, scopes } = flow
  const expiresAtMs = parts.now() + ACCESS_TOKEN_LIFE_SECONDS * 1000
  const customer = await findCustomerView(parts, shopId, customerId)
  // Erased in the moment since it was written: there is nobody to sign in.
  if (customer === undefined) throw new OAuthError('invalid_grant', 'The customer was erased.')
  return {
    access_token: buildAccessToken(parts, { shopId, customerId, flowId, provider, providerUserId: profile.userId, scopes, expiresAtMs }),
    token_type: 'Bearer' as const,
    expires_in: ACCESS_TOKEN_LIFE_SECONDS,
    scope: scopes.join(' '),
    ...(scopes.includes('openid') && { id_token: await buildIdToken(parts, signingKeys, { flow, customerId, profile }) }),
    customer: { ...customer, created: isCreated }
  }
}

// Only made when it is asked for: the signature costs more than all the rest of a login.
async function buildIdToken (parts: Parts, signingKeys: SigningKeys, { flow, customerId, profile }: Omit<Redemption, 'isCreated'>): Promise<string> {
  const shop = await findShop(parts.database, flow.shopId)
  return signIdToken(await signingKeys.current(shop?.idTokenAlg ?? 'RS256'), {
    issuer: parts.config.publicURL,
    audience: flow.shopId,
    nowMs: parts.now(),
    claims: {
      sub: customerId,
      ...(flow.nonce !== null && { nonce: flow.nonce }),
      ...buildProfileClaims(flow.scopes, profile),
      provider: flow.provider,
      provider_user_id: profile.userId
    }
  })
}

/** The claims of the scope `profile` (OpenID Connect Core 5.4); absent values are left out. */
export function buildProfileClaims (scopes: readonly string[], profile: Pick<Profile, 'name' | 'username' | 'pictureURL'>) {
  if (!scopes.includes('profile')) return {}
  return {
    ...(profile.name !== null && { name: profile.name }),
    ...(profile.username !== null && { preferred_username: profile.username }),
    ...(profile.pictureURL !== null && { picture: profile.pictureURL })
  }
}

/** Answers in the form of RFC 6749 5.2, whatever went wrong. */
export function answerError (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('cache-control', 'no-store')
  if (error instanceof OAuthError) return answerOAuthError(error, request, reply)
  if (error instanceof TooManyFailures) {
    reply.code(429).header('retry-after', error.retryAfterSeconds)
    return reply.send({ error: 'invalid_client', error_description: error.message })
  }
  const status = error instanceof Error && 'statusCode' in error ? Number(error.statusCode) : 500
  if (status >= 400 && status < 500) {
    return reply.code(status).send({ error: 'invalid_request', error_description: 'The request must be a form of moderate size.' })
  }
  request.log.error({ err: error }, 'the token endpoint failed')
  if (isStoreBusy(error)) {
    return reply.code(503).header('retry-after', BUSY_RETRY_SECONDS)
      .send({ error: 'temporarily_unavailable', error_description: 'The service is busy; what was asked was not done.' })
  }
  return reply.code(500).send({ error: 'server_error', error_description: 'The service has a fault; its log has the cause.' })
}

function answerOAuthError (error: OAuthError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const status = ERROR_STATUSES.get(error.code) ?? 400
  if (status === 401) reply.header('www-authenticate', 'Basic realm="leadlatch", charset="UTF-8"')
  if (error.retryAfterSeconds !== null) reply.header('retry-after', error.retryAfterSeconds)
  request.log.info({ error: error.code }, 'a token request was refused')
  return reply.code(status).send({ error: error.code, error_description: error.description })
}
