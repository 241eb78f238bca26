import { readFileSync } from 'node:fs'
import { Validator } from '@seriousme/openapi-schema-validator'
import { test } from 'tap'
import { buildApp } from '../../src/app.ts'
import { buildParts, buildRest } from '../support/rest.ts'

async function describe (t: Parameters<typeof buildParts>[0]) {
  const parts = await buildParts(t)
  const { routes } = await buildRest(t, parts)
  const app = await buildApp({ parts })
  t.teardown(() => app.close())
  const response = await app.inject('/openapi.json')
  return { response, routes, description: response.json() }
}

test('the description is valid OpenAPI 3.1', async (t) => {
  const { response, description } = await describe(t)
  t.equal(response.statusCode, 200)
  t.match(response.headers['content-type'], 'application/json')
  const validator = new Validator()
  const result = await validator.validate(description)
  t.ok(result.valid, JSON.stringify(result))
  t.equal(validator.version, '3.1')
})

test('docs/openapi.json is the description that the service gives', async (t) => {
  const { description } = await describe(t)
  const committed: unknown = JSON.parse(readFileSync(new URL('../../docs/openapi.json', import.meta.url), 'utf8'))
  t.strictSame(committed, description, 'run "node test/support/write-openapi.ts" and commit docs/openapi.json')
})

test('every route is described with its scope and each of its errors as a problem document', async (t) => {
  const { description, routes } = await describe(t)
  for (const { method, url, scope } of routes.filter((route) => route.method !== 'HEAD')) {
    const operation = description.paths[url.replaceAll(/:(\w+)/g, '{$1}')]?.[method.toLowerCase()]
    t.ok(operation?.operationId && operation.summary, `${method} ${url}`)
    if (scope !== undefined) t.strictSame(operation.security, [{ apiKey: scope === 'any' ? [] : [scope] }], url)
    for (const status of url.startsWith('/v1/') ? ['400', '401', '500', '503'] : []) {
      t.strictSame(Object.keys(operation.responses[status].content), ['application/problem+json'], `${url} ${status}`)
    }
  }
})
