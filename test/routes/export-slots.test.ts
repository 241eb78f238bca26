import { test } from 'tap'
import { createExportSlots } from '../../src/routes/export-slots.ts'

test('T-54: a slot given back twice makes room for one', async (t) => {
  const slots = createExportSlots()
  const [release] = Array.from({ length: 4 }, () => slots.take('shop_1'))
  t.throws(() => slots.take('shop_1'), { code: 'too_many_exports' })
  release?.()
  release?.()
  slots.take('shop_1')
  t.throws(() => slots.take('shop_1'), { code: 'too_many_exports' })
  slots.take('shop_2')
})
