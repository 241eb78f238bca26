import { test } from 'tap'
import { member, parse, runIn } from './edge.ts'

const environment = { LEADLATCH_INSTAGRAM_CLIENT_ID: '990602627938098', LEADLATCH_INSTAGRAM_CLIENT_SECRET: 'secret' }

test('token guide prints a link of 32 random bytes, good for half an hour, and records it', async (t) => {
  const folder = t.testdir({})
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  const made = await runIn(folder, ['token', 'guide', shopId, 'instagram', '--json'], { environment })
  t.strictSame(parse(made), { shop_id: shopId, provider: 'instagram', link: member(made, 'link'), expires_at: '2026-11-01T00:30:00.000Z' })
  t.match(member(made, 'link'), /^https:\/\/login\.example\/guide\/[\w-]{43}$/)
  const other = await runIn(folder, ['token', 'guide', shopId, 'instagram'], { environment })
  t.match(other, { status: 0, stdout: /^Link: {7}https:\/\/login\.example\/guide\/[\w-]{43}\nGood until: 2026-11-01T00:30:00\.000Z, for one token\n\nThe link is a secret\./ })
  t.notMatch(other.stdout, member(made, 'link'))
  t.equal((await runIn(folder, ['audit', '--json'])).stdout.match(/"actor": "cli",\s+"action": "token.guide_made"/g)?.length, 2)
})

test('token guide refuses a shop and a provider that do not exist, and settings without a public URL', async (t) => {
  const folder = t.testdir({})
  const shopId = member(await runIn(folder, ['shop', 'add', 'https://shop.example', '--json']), 'id')
  t.match(await runIn(folder, ['token', 'guide', 'shop_x', 'instagram'], { environment }), { status: 1, stdout: '', stderr: /no shop "shop_x"/ })
  t.match(await runIn(folder, ['token', 'guide', shopId, 'google'], { environment }), { status: 1, stderr: /"google" is not configured\. Configured: instagram\./ })
  t.match(await runIn(folder, ['token', 'guide', shopId, 'instagram']), { status: 1, stderr: /None is; set LEADLATCH_INSTAGRAM_CLIENT_ID/ })
  t.match(await runIn(folder, ['token', 'guide', shopId]), { status: 2, stderr: /missing required argument 'provider'/ })
})
