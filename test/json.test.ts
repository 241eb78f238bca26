import fc from 'fast-check'
import { test } from 'tap'
import { isObject, JSONError, parseJSON } from '../src/json.ts'

test('what JSON.stringify writes is read as it was', async () => {
  fc.assert(fc.property(fc.jsonValue({ noUnicodeString: false, maxDepth: 6 }), (value) => {
    const text = JSON.stringify(value)
    fc.pre(!text.toLowerCase().includes('__proto__'))
    return JSON.stringify(parseJSON(text, { numbers: 'number' })) === text
  }))
})

test('numbers keep their last digit as text, and are numbers when asked for', async (t) => {
  const text = '{"user_id":17841405793187218,"big":1e400,"small":-0.10}'
  t.strictSame(parseJSON(text, { numbers: 'text' }), { user_id: '17841405793187218', big: '1e400', small: '-0.10' })
  t.strictSame(parseJSON('[1,-2.5,1e3]', { numbers: 'number' }), [1, -2.5, 1000])
})

test('T-77: a repeated member is refused, at any depth and in any spelling', async (t) => {
  for (const text of ['{"a":1,"a":1}', '{"a":1,"b":{"c":1,"c":2}}', '[{"a":1,"a":2}]', '{"a":1,"\\u0061":2}', '{"a":null,"a":{}}', '{"a":{"b":1},"a":{}}', '{"a":{},"a":{"b":1}}', '{"a":[],"a":[]}']) {
    t.throws(() => parseJSON(text, { numbers: 'text' }), { code: 'malformed_json' }, text)
  }
})

test('T-77: a member named __proto__ is refused in every spelling, and no prototype changes', async (t) => {
  for (const text of ['{"__proto__":{"polluted":1}}', '{"a":[{"__proto__" : 1}]}', '{"\\u005f_proto__":1}', '{"\\u005F\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f":{"polluted":1}}']) {
    t.throws(() => parseJSON(text, { numbers: 'text' }), { code: 'malformed_json' }, text)
  }
  t.notOk('polluted' in {})
  t.strictSame(parseJSON('{"a":"__proto__"}', { numbers: 'text' }), { a: '__proto__' })
})

test('T-77: constructor and prototype are plain members', async (t) => {
  const value = parseJSON('{"constructor":{"prototype":{"polluted":1}},"hasOwnProperty":1,"toString":2}', { numbers: 'number' })
  t.ok(isObject(value))
  t.strictSame(Object.keys(Object(value)), ['constructor', 'hasOwnProperty', 'toString'])
  t.notOk('polluted' in {})
})

test('nesting of 32 is read and of 33 is refused; brackets in texts do not count', async (t) => {
  t.doesNotThrow(() => parseJSON('['.repeat(32) + ']'.repeat(32), { numbers: 'text' }))
  t.throws(() => parseJSON('['.repeat(33) + ']'.repeat(33), { numbers: 'text' }), { code: 'malformed_json' })
  t.throws(() => parseJSON('{"a":'.repeat(33) + '1' + '}'.repeat(33), { numbers: 'text' }), { code: 'malformed_json' })
  t.strictSame(parseJSON(JSON.stringify(['"[\\'.repeat(100)]), { numbers: 'text' }), ['"[\\'.repeat(100)])
})

test('T-77: what is not JSON is refused', async (t) => {
  for (const text of ['', ' ', '{', '}', '{"a":1,}', '[1,]', '{a:1}', '{\'a\':1}', '01', '+1', 'NaN', 'Infinity', 'undefined', '"\n"', '"\\x"', '1 2', '{} {}',
    '\ufeff{}', '// c\n1', '"unclosed', 'nul', '.5', '1.', '"\\ud800'.slice(0, 6)]) {
    t.throws(() => parseJSON(text, { numbers: 'text' }), { code: 'malformed_json' }, JSON.stringify(text))
  }
})

test('T-77, T-81: hostile texts are answered at once', async (t) => {
  const started = performance.now()
  for (const text of ['['.repeat(10_000), '{"a":'.repeat(10_000), '"' + '\\'.repeat(99_999), '{"__proto__"' + ' '.repeat(100_000), '"\\u005f'.repeat(15_000), '['.repeat(20) + '"'.repeat(99_999)]) {
    t.throws(() => parseJSON(text, { numbers: 'text' }), { code: 'malformed_json' })
  }
  t.equal(parseJSON('1'.repeat(400), { numbers: 'text' }), '1'.repeat(400))
  t.ok(performance.now() - started < 500)
})

test('whatever the text, the outcome is a value or a JSONError, as with JSON.parse or stricter', async () => {
  fc.assert(fc.property(fc.oneof(fc.string(), fc.array(fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '1', '-', 'e', 'null', '\\', 'a', ' ')).map((parts) => parts.join(''))), (text) => {
    try {
      parseJSON(text, { numbers: 'number' })
    } catch (error) {
      return error instanceof JSONError
    }
    JSON.parse(text)
    return true
  }), { numRuns: 2_000 })
})

test('an object is neither null nor a list', async (t) => {
  t.ok(isObject({}))
  for (const value of [null, [], '', 1, undefined]) t.notOk(isObject(value))
})
