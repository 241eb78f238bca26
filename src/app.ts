import { randomUUID } from 'node:crypto'
import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import Fastify, { type FastifyInstance, type FastifyServerOptions, LogController } from 'fastify'
import { createSigningKeys } from './flows/signing-keys.ts'
import type { Parts } from './parts.ts'
import { authorizeRoutes } from './routes/authorize.ts'
import { answerClientError } from './routes/client-error.ts'
import { guideRoutes } from './routes/guide.ts'
import { metaRoutes } from './routes/meta.ts'
import { oidcRoutes } from './routes/oidc.ts'
import { describeRoutes } from './routes/openapi.ts'
import { answerError, problem } from './routes/problem.ts'
import { rest } from './routes/rest.ts'
import { buildSecurityHeaders } from './routes/security-headers.ts'
import { tokenRoutes } from './routes/token.ts'

const BODY_LIMIT_BYTES = 64 * 1024
// Browsers send every cookie of the host, other people's too; a full jar must not end a login.
const MAX_HEADER_BYTES = 128 * 1024
const HEADERS_TIMEOUT_MS = 10_000
// Node looks for requests past their time only so often; its own interval is 30 seconds.
const TIMEOUT_CHECK_MS = 2000
const REQUEST_TIMEOUT_MS = 20_000

export type AppOptions = {
  parts: Parts
  logger?: FastifyServerOptions['logger']
}

/**
 * Builds the service as one Fastify app: outside plugins, then hooks, then routes. It reads no
 * environment and opens no port.
 */
export async function buildApp ({ parts, logger = false }: AppOptions): Promise<FastifyInstance> {
  const { config } = parts
  const app: FastifyInstance = Fastify({
    logger,
    // The standard request log holds the URL, and with it codes and states.
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: () => randomUUID(),
    requestIdHeader: false,
    trustProxy: config.trustProxy.length > 0 ? [...config.trustProxy] : false,
    bodyLimit: BODY_LIMIT_BYTES,
    requestTimeout: REQUEST_TIMEOUT_MS,
    http: { maxHeaderSize: MAX_HEADER_BYTES, headersTimeout: HEADERS_TIMEOUT_MS, connectionsCheckingInterval: TIMEOUT_CHECK_MS },
    exposeHeadRoutes: false,
    forceCloseConnections: 'idle',
    routerOptions: { maxParamLength: MAX_HEADER_BYTES },
    clientErrorHandler: (error, socket) => answerClientError(app.log, error, socket),
    frameworkErrors: (error, request, reply) => { void answerError(error, request, reply) },
    rewriteUrl: stripPath(config.publicURL)
  })

  await app.register(cookie)
  await app.register(rateLimit, { global: false })
  await app.register(problem)
  await app.register(describeRoutes, { parts })

  const securityHeaders = buildSecurityHeaders(config.publicURL)
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(securityHeaders)
    done()
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    const seconds = reply.elapsedTime / 1000
    parts.metrics.requests.observe({ method: request.method, route, status: reply.statusCode }, seconds)
    request.log.info({ method: request.method, route, status: reply.statusCode, ms: Math.round(reply.elapsedTime) }, 'request completed')
  })

  // A connection that answers its last request while the service closes would be kept alive otherwise,
  // and closing would wait for it.
  let isClosing = false
  app.addHook('preClose', async () => { isClosing = true })
  app.addHook('onSend', async (_request, reply) => {
    if (isClosing) reply.header('connection', 'close')
  })

  const signingKeys = createSigningKeys(parts)
  await app.register(authorizeRoutes, { parts })
  await app.register(tokenRoutes, { parts, signingKeys })
  await app.register(oidcRoutes, { parts, signingKeys })
  await app.register(metaRoutes, { parts })
  await app.register(guideRoutes, { parts })
  await app.register(rest, { parts })
  return app
}

// The public URL may have a path; the proxy in front may strip it or leave it (contract, section 3).
function stripPath (publicURL: string): (request: { url?: string | undefined }) => string {
  const { pathname } = new URL(publicURL)
  return ({ url = '/' }) => pathname !== '/' && url.startsWith(`${pathname}/`) ? url.slice(pathname.length) : url
}
