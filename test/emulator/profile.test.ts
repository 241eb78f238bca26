import t from 'tap'
import type { Emulator } from '../../src/emulator/emulator.ts'
import { get, graphURL, readJSON, start } from './support/emulator.ts'

const instagramFields = 'id,user_id,username,name,account_type,profile_picture_url'

type FlavourName = 'instagram' | 'basicDisplay'

async function profile (emulator: Emulator, persona: string, fields = instagramFields, flavour: FlavourName = 'instagram'): Promise<unknown> {
  const token = emulator.control.mintToken(persona, { kind: 'short', flavour })
  return await readJSON(await get(graphURL(emulator, 'me', { fields, access_token: token })))
}

t.test('ids are strings, exact to the last digit', async (t) => {
  const emulator = await start(t)
  t.match(await profile(emulator, 'hugeid'), { id: '27640875392278831', user_id: '17841457205391437' })
  t.match(await profile(emulator, 'neighbour'), { id: '27640875392278830', user_id: '17841457205391436' })
})

t.test('the profile has the fields that were asked, and always the id', async (t) => {
  const emulator = await start(t)
  t.strictSame(await profile(emulator, 'creator', 'username'), { id: '26814093771204518', username: 'ana.makes' })
  const token = emulator.control.mintToken('creator', { kind: 'short' })
  t.strictSame(await readJSON(await get(graphURL(emulator, 'me', { access_token: token }))), { id: '26814093771204518' })
})

t.test('an unknown field fails the whole call with code 100', async (t) => {
  const emulator = await start(t)
  t.match(await profile(emulator, 'creator', 'id,email'), { error: { code: 100, message: 'Tried accessing nonexisting field (email)' } })
  t.match(await profile(emulator, 'creator', 'id,constructor'), { error: { code: 100 } })
})

t.test('Basic Display knows four fields and one id', async (t) => {
  const emulator = await start(t)
  t.strictSame(await profile(emulator, 'personal', 'id,username,account_type,media_count', 'basicDisplay'), {
    id: '17841400991827364', username: 'just.jo', account_type: 'PERSONAL', media_count: 12,
  })
  t.match(await profile(emulator, 'personal', 'id,name', 'basicDisplay'), { error: { code: 100 } })
})

t.test('account types are those of the personas', async (t) => {
  const emulator = await start(t)
  t.match(await profile(emulator, 'creator'), { account_type: 'MEDIA_CREATOR' })
  t.match(await profile(emulator, 'business'), { account_type: 'BUSINESS' })
})

t.test('a missing name and picture are left out', async (t) => {
  const emulator = await start(t)
  t.strictSame(await profile(emulator, 'noname'), {
    id: '24907715630582211', user_id: '17841430925517703', username: 'q_7731', account_type: 'MEDIA_CREATOR',
  })
})

t.test('emoji, right-to-left and hostile names arrive unchanged', async (t) => {
  const emulator = await start(t)
  t.match(await profile(emulator, 'emoji'), { name: '🌸 نور الهدى 👩‍🎨 Noor' })
  t.match(await profile(emulator, 'hostile'), { name: '=HYPERLINK("https://evil.test")"><img src=x onerror=alert(1)>\n\'quoted\', "twice"' })
})

t.test('a username can change, and be taken by another id', async (t) => {
  const emulator = await start(t)
  emulator.control.savePersona({ id: 'creator', username: 'ana.moved' })
  emulator.control.savePersona({ id: 'successor', username: 'ana.makes' })
  t.match(await profile(emulator, 'creator'), { id: '26814093771204518', username: 'ana.moved' })
  const successor = emulator.control.persona('successor')
  t.match(await profile(emulator, 'successor'), { id: successor.appScopedId, username: 'ana.makes' })
  t.not(successor.appScopedId, '26814093771204518')
})
