import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Type } from 'typebox'
import { API_KEY_SCOPES } from '../flows/api-keys.ts'
import type { Parts } from '../parts.ts'
import { findShop } from '../store/shops.ts'
import { keyOf } from './bearer.ts'
import { notFound } from './problem.ts'
import { problems, shared, ShopState } from './schemas.ts'

/** What a "Test connection" button reads. */
export const shopRoutes: FastifyPluginAsyncTypebox<{ parts: Parts }> = async (app, { parts }) => {
  app.get('/v1/shop', {
    config: { scope: 'any' },
    schema: {
      operationId: 'getShop',
      summary: 'The shop of this key, its providers, the scopes of the key',
      querystring: Type.Object({}, { additionalProperties: false }),
      response: { 200: shared(ShopState), ...problems(400, 401, 404) }
    }
  }, async (request) => {
    const key = keyOf(request)
    const shop = await findShop(parts.database, key.shopId)
    if (shop === undefined) throw notFound()
    return {
      id: shop.id,
      name: shop.name,
      url: shop.url,
      providers: [...parts.providers.keys()],
      scopes: API_KEY_SCOPES.filter((scope) => key.scopes.includes(scope)),
      version: parts.version
    }
  })
}
