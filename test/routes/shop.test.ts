import { test } from 'tap'
import type { Provider } from '../../src/providers/provider.ts'
import { readVersion } from '../../src/version.ts'
import { buildParts, buildRest, seedShop } from '../support/rest.ts'

test('any key learns its shop, the providers that are on, its own scopes and the version', async (t) => {
  const parts = await buildParts(t)
  const provider: Provider = {
    id: 'instagram',
    label: 'Instagram',
    appId: '1',
    issuer: null,
    buildAuthorizationURL: () => '',
    exchangeCode: () => { throw new Error('not asked') },
    fetchProfile: () => { throw new Error('not asked') },
    exchangeLongLived: null,
    refresh: null,
    refreshableAfterMs: 0
  }
  const { app } = await buildRest(t, { ...parts, providers: new Map([[provider.id, provider]]) })
  const { shopId, headers } = await seedShop(parts, { scopes: ['tokens:write'] })
  const response = await app.inject({ url: '/v1/shop', headers })
  t.equal(response.statusCode, 200)
  t.strictSame(response.json(), {
    id: shopId, name: 'shop.example', url: 'https://shop.example', providers: ['instagram'], scopes: ['tokens:write'], version: readVersion()
  })
})
