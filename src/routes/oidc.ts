import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { type AccessToken, findAccessToken } from '../flows/access-tokens.ts'
import type { SigningKeys } from '../flows/signing-keys.ts'
import { OAuthError } from '../oauth/errors.ts'
import { buildMetadata } from '../oauth/metadata.ts'
import type { Parts } from '../parts.ts'
import { findCustomer, listIdentities } from '../store/customers.ts'
import { listAuthorizations } from './authorization-header.ts'
import { formParameters, refuseOtherMethods, takeForms } from './oauth-requests.ts'
import { answerError, buildProfileClaims, OAuthErrorReply } from './token.ts'

const KEY_SET_MAX_AGE_SECONDS = 300

const UserInfo = Type.Object({
  sub: Type.String(),
  name: Type.Optional(Type.String()),
  preferred_username: Type.Optional(Type.String()),
  picture: Type.Optional(Type.String()),
  provider: Type.String(),
  provider_user_id: Type.String()
})

const KeySet = Type.Object({ keys: Type.Array(Type.Object({}, { additionalProperties: true })) })

/** Discovery, key set and userinfo (OpenID Connect Discovery 4, Core 5.3; RFC 8414). */
export async function oidcRoutes (app: FastifyInstance, { parts, signingKeys }: { parts: Parts, signingKeys: SigningKeys }): Promise<void> {
  takeForms(app)
  app.setErrorHandler(answerError)
  const metadata = buildMetadata(parts.config.publicURL)
  const { pathname } = new URL(parts.config.publicURL)
  const wellKnown = ['/.well-known/openid-configuration', '/.well-known/oauth-authorization-server']
  // RFC 8414 3.1 puts an issuer's path behind the well-known name.
  if (pathname !== '/') wellKnown.push(`/.well-known/oauth-authorization-server${pathname}`)
  for (const url of wellKnown) {
    app.get(url, { schema: { hide: true } }, async (_request, reply) => {
      reply.header('cache-control', `public, max-age=${KEY_SET_MAX_AGE_SECONDS}`)
      return metadata
    })
  }

  app.get('/oauth/jwks.json', {
    schema: { operationId: 'getKeySet', summary: 'The public keys that verify id_tokens', response: { 200: KeySet } }
  }, async (_request, reply) => {
    reply.header('cache-control', `public, max-age=${KEY_SET_MAX_AGE_SECONDS}`)
    return { keys: await signingKeys.published() }
  })

  const schema = {
    operationId: 'getUserInfo',
    summary: 'The claims of a login (OpenID Connect Core 5.3)',
    security: [{ accessToken: [] }],
    response: { 200: UserInfo, '4xx': OAuthErrorReply, '5xx': OAuthErrorReply }
  }
  app.get('/oauth/userinfo', { schema }, (request, reply) => answerUserInfo(parts, request, reply, bearerOf(request)))
  app.post('/oauth/userinfo', { schema: { ...schema, hide: true } }, (request, reply) =>
    answerUserInfo(parts, request, reply, bearerOf(request, formParameters(request).get('access_token'))))
  refuseOtherMethods(app, '/oauth/userinfo', ['GET', 'POST'])
}

// One method a request (RFC 6750 2): of two tokens it must not be a guess which one counts.
function bearerOf (request: FastifyRequest, fromForm?: string): string | undefined {
  const [authorization, second] = listAuthorizations(request)
  if (second !== undefined || (authorization !== undefined && fromForm !== undefined)) {
    throw new OAuthError('invalid_request', 'The access token must be sent once.')
  }
  return fromForm ?? /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
}

async function answerUserInfo (parts: Parts, request: FastifyRequest, reply: FastifyReply, bearer: string | undefined): Promise<FastifyReply> {
  reply.header('cache-control', 'no-store')
  if (bearer === undefined) return challenge(reply, 'Bearer realm="leadlatch"')
  const token = await findAccessToken(parts, bearer)
  const claims = token && await readClaims(parts, token)
  if (claims === undefined) return challenge(reply, 'Bearer realm="leadlatch", error="invalid_token"')
  return reply.send(claims)
}

// RFC 6750 3: a request without a token is told of no error, only of what is asked for.
function challenge (reply: FastifyReply, header: string): FastifyReply {
  return reply.code(401).header('www-authenticate', header)
    .send({ error: 'invalid_token', error_description: 'The access token is missing, expired or not valid.' })
}

// An e-mail that somebody typed is never a claim: only a provider's would be (threat T-34).
async function readClaims (parts: Parts, token: AccessToken) {
  const customer = await findCustomer(parts.database, token.shopId, token.customerId)
  const identities = customer === undefined ? [] : await listIdentities(parts.database, customer.id)
  const identity = identities.find((it) => it.provider === token.provider && it.providerUserId === token.providerUserId)
  if (customer === undefined || identity === undefined) return undefined
  return {
    sub: customer.id,
    ...buildProfileClaims(token.scopes, identity),
    provider: identity.provider,
    provider_user_id: identity.providerUserId
  }
}
