import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { createVault, type Purpose, VaultError, type VaultKey } from '../src/vault.ts'

const PURPOSES: readonly Purpose[] = ['flow', 'state', 'handoff', 'cursor', 'access-token', 'token', 'signing-key', 'check']

const key = (id: string): VaultKey => ({ id, bytes: randomBytes(32) })
const vault = createVault([key('k1')])
const plain = fc.string({ unit: 'binary', maxLength: 200 }).map((text) => text.toWellFormed())

function codeOf (unseal: () => string): string {
  try {
    unseal()
  } catch (error) {
    if (error instanceof VaultError) return error.code
    throw error
  }
  return 'opened'
}

test('what was sealed opens again under its purpose and context, whatever it is', async () => {
  fc.assert(fc.property(fc.constantFrom(...PURPOSES), plain, plain, (purpose, context, text) =>
    vault.unseal(purpose, context, vault.seal(purpose, context, text)) === text))
})

test('T-59: a sealed text moved to another row, column or shop does not open', async () => {
  fc.assert(fc.property(plain, plain, plain, (here, there, text) => {
    fc.pre(here !== there)
    return codeOf(() => vault.unseal('token', there, vault.seal('token', here, text))) === 'not_authentic'
  }))
})

test('T-59, T-60: a sealed text opens for its own purpose only', async (t) => {
  for (const purpose of PURPOSES) {
    const sealed = vault.seal(purpose, 'row', 'secret')
    for (const other of PURPOSES) {
      t.equal(codeOf(() => vault.unseal(other, 'row', sealed)), other === purpose ? 'opened' : 'not_authentic', `${purpose} as ${other}`)
    }
  }
})

test('T-59: a sealed text does not open under another key\'s name, even if the bytes are the same', async (t) => {
  const bytes = randomBytes(32)
  const both = createVault([{ id: 'a', bytes }, { id: 'b', bytes }])
  const sealed = both.seal('token', 'row', 'x')
  t.equal(codeOf(() => both.unseal('token', 'row', sealed.replace('1.a.', '1.b.'))), 'not_authentic')
})

test('T-60: no nonce repeats in 100,000 texts', async (t) => {
  const nonces = new Set(Array.from({ length: 100_000 }, () => vault.seal('token', 'row', '').split('.')[2]?.slice(0, 16)))
  t.equal(nonces.size, 100_000)
})

test('T-60: equal texts look different', async (t) => {
  t.not(vault.seal('token', 'row', 'same'), vault.seal('token', 'row', 'same'))
})

test('T-61: any changed, missing or added character keeps a text shut', async () => {
  const sealed = vault.seal('token', 'row', 'a secret of some length')
  const refuses = (text: string) => codeOf(() => vault.unseal('token', 'row', text)) !== 'opened'
  fc.assert(fc.property(fc.nat(sealed.length - 1), fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n'), (at, character) => {
    fc.pre(sealed[at] !== character)
    return refuses(sealed.slice(0, at) + character + sealed.slice(at + 1)) &&
      refuses(sealed.slice(0, at) + sealed.slice(at + 1)) && refuses(sealed.slice(0, at) + character + sealed.slice(at)) &&
      refuses(sealed.slice(0, at)) && refuses(sealed + character)
  }))
})

test('T-61: any changed bit keeps a text shut', async (t) => {
  const sealed = vault.seal('token', 'row', 'secret')
  const head = sealed.slice(0, sealed.lastIndexOf('.') + 1)
  const body = Buffer.from(sealed.slice(head.length), 'base64url')
  for (let bit = 0; bit < body.length * 8; bit++) {
    const changed = Buffer.from(body)
    changed.writeUInt8(changed.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
    if (codeOf(() => vault.unseal('token', 'row', head + changed.toString('base64url'))) !== 'not_authentic') t.fail(`bit ${bit}`)
  }
})

test('T-61: plain text, other formats, an unknown key and a short tag are refused, never read as plain', async (t) => {
  const sealed = vault.seal('token', 'row', 'secret')
  const [, , body = ''] = sealed.split('.')
  const cases: Array<[text: string, code: string]> = [
    ['', 'malformed'],
    ['secret', 'malformed'],
    ['IGAAxxxx.yyyy.zzzz', 'malformed'],
    ['1.k1.', 'malformed'],
    ['1.k1', 'malformed'],
    [`0.k1.${body}`, 'malformed'],
    [`2.k1.${body}`, 'malformed'],
    [`1.k1.${body}.x`, 'malformed'],
    [`1.k1.${body.slice(0, 20)}`, 'malformed'],
    [`1.k1.${Buffer.alloc(27).toString('base64url')}`, 'malformed'],
    [`1.k1.${body}=`, 'malformed'],
    [`1.k1. ${body}`, 'malformed'],
    [`1.k2.${body}`, 'unknown_key'],
    [`1..${body}`, 'unknown_key'],
    [`1.__proto__.${body}`, 'unknown_key'],
    [`1.k1.${Buffer.alloc(28).toString('base64url')}`, 'not_authentic'],
    [`1.k1.${Buffer.from(body, 'base64url').subarray(0, -4).toString('base64url')}`, 'not_authentic']
  ]
  for (const [text, code] of cases) t.equal(codeOf(() => vault.unseal('token', 'row', text)), code, JSON.stringify(text))
})

test('no text from outside makes anything but a VaultError', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => codeOf(() => vault.unseal('token', 'row', text)) !== 'opened'))
})

test('new texts are sealed under the newest key and old ones still open', async (t) => {
  const [older, newer] = [key('older'), key('newer')]
  const sealed = createVault([older]).seal('token', 'row', 'secret')
  const rotated = createVault([newer, older])
  t.equal(rotated.newestKeyId, 'newer')
  t.strictSame(rotated.keyIds, ['newer', 'older'])
  t.equal(rotated.unseal('token', 'row', sealed), 'secret')
  t.match(rotated.seal('token', 'row', 'secret'), /^1\.newer\./)
  t.equal(codeOf(() => createVault([newer]).unseal('token', 'row', sealed)), 'unknown_key')
})

test('a vault without a key is none', async (t) => {
  t.throws(() => createVault([]), { code: 'unknown_key' })
})

test('an error names neither the text nor what it is for', async (t) => {
  const sealed = vault.seal('token', 'context-of-ana', 'secret')
  try {
    vault.unseal('token', 'other', sealed)
    t.fail('it opened')
  } catch (error) {
    t.notMatch(error instanceof Error ? `${error.message} ${error.stack}` : '', new RegExp(`secret|ana|${sealed.slice(5, 25)}`))
  }
})

test('T-81: a megabyte of nonsense is refused at once', async (t) => {
  const started = performance.now()
  for (const text of ['.'.repeat(1e6), `1.k1.${'A'.repeat(1e6)}`, `1.${'k'.repeat(1e6)}.A`]) t.not(codeOf(() => vault.unseal('token', 'row', text)), 'opened')
  t.ok(performance.now() - started < 500)
})
