import { test } from 'tap'
import { joinFragments } from '../../src/store/fragments.ts'

test('the values of all pieces are numbered in their order', async (t) => {
  t.strictSame(joinFragments([['select ? as a', 1], ['where x in (?, ?)', 'b', null], ['limit ?', 4]]), {
    sql: 'select $1 as a where x in ($2, $3) limit $4', values: [1, 'b', null, 4]
  })
})

test('a value that looks like a place for one stays a value', async (t) => {
  t.strictSame(joinFragments([['x = ?', '? $1'], ['y = ?', '?']]), { sql: 'x = $1 y = $2', values: ['? $1', '?'] })
})
