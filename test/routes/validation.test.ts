import { test } from 'tap'
import { buildParts, buildRest, seedLogin, seedShop } from '../support/rest.ts'

async function build (t: Parameters<typeof buildParts>[0]) {
  const parts = await buildParts(t)
  const { app } = await buildRest(t, parts)
  const { shopId, headers } = await seedShop(parts)
  const id = await seedLogin(parts, shopId)
  return (payload: string | Buffer, contentType?: string) => app.inject({
    method: 'PATCH', url: `/v1/customers/${id}`, headers: { ...headers, ...(contentType !== undefined && { 'content-type': contentType }) }, payload
  })
}

for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON']) {
  test(`a body of the type ${type} is taken`, async (t) => {
    t.equal((await (await build(t))('{"phone":"1"}', type)).statusCode, 200)
  })
}

const OTHER_TYPES = [undefined, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/json;', 'application/json; ',
  'application/json\t; charset=utf-8', 'application/json;charset=utf-16', 'application/json; x=y', 'application/jsonx', 'application/json, text/plain',
  'application/merge-patch+json', 'text/json', 'application/ json', '*/*']

for (const type of OTHER_TYPES) {
  test(`T-30: a body of the type ${JSON.stringify(type)} is refused with 415`, async (t) => {
    const response = await (await build(t))('{"phone":"1"}', type)
    t.equal(response.statusCode, 415)
    t.match(response.json(), { code: 'unsupported_media_type' })
  })
}

const BAD_JSON: ReadonlyArray<[name: string, body: string | Buffer]> = [
  ['__proto__', '{"__proto__":{"phone":"1"}}'],
  ['__proto__ in escapes', '{"\\u005f_proto__":{"phone":"1"}}'],
  ['constructor', '{"constructor":{"prototype":{"polluted":true}}}'],
  ['a repeated member', '{"phone":"1","phone":"2"}'],
  ['depth 10,000', '['.repeat(10_000) + ']'.repeat(10_000)],
  ['a number of 400 digits', `{"phone":${'9'.repeat(400)}}`],
  ['a byte order mark', '\ufeff{"phone":"1"}'],
  ['bad UTF-8', Buffer.from([0x7b, 0x22, 0x70, 0x68, 0x6f, 0x6e, 0x65, 0x22, 0x3a, 0x22, 0xc3, 0x28, 0x22, 0x7d])],
  ['half of it', '{"phone":'],
  ['a comma at the end', '{"phone":"1",}'],
  ['two documents', '{} {}'],
  ['an array', '[]'],
  ['a text', '"x"'],
  ['null', 'null']
]

for (const [name, body] of BAD_JSON) {
  test(`T-77: a body with ${name} is refused with 400 and pollutes nothing`, async (t) => {
    const response = await (await build(t))(body, 'application/json')
    t.equal(response.statusCode, 400)
    t.match(response.headers['content-type'], 'application/problem+json')
    t.equal(Object.hasOwn(Object.prototype, 'polluted'), false)
    t.equal(Object.hasOwn(Object.prototype, 'phone'), false)
  })
}

test('an empty body is refused with 400', async (t) => {
  t.equal((await (await build(t))('', 'application/json')).statusCode, 400)
})

test('T-78: a body beyond the limit is refused with 413', async (t) => {
  const response = await (await build(t))(JSON.stringify({ name: 'x'.repeat(2_000_000) }), 'application/json')
  t.equal(response.statusCode, 413)
  t.match(response.json(), { code: 'too_large' })
})
