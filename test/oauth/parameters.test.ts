import { test } from 'tap'
import { parseParameters } from '../../src/oauth/parameters.ts'

test('a parameter is its one value; absent, empty and repeated ones have none', async (t) => {
  const parameters = parseParameters('a=1&b=&c=1&c=2&d=x+y%20z&__proto__=p&e=%zz')
  t.same(['a', 'b', 'c', 'd', 'nothing', 'constructor', '__proto__'].map(parameters.get), ['1', undefined, undefined, 'x y z', undefined, undefined, 'p'])
  t.same(['a', 'c'].map(parameters.isRepeated), [false, true])
})

test('only the names that have a meaning may not be repeated', async (t) => {
  const parameters = parseParameters('utm=1&utm=2&state=a')
  t.doesNotThrow(() => parameters.checkUnrepeated(['state']))
  t.throws(() => parameters.checkUnrepeated(['state', 'utm']), { code: 'invalid_request' })
})
