import fc from 'fast-check'
import { test } from 'tap'
import { cleanText, cutText, emailKey, hasControlCharacter, searchKey, searchRange } from '../src/text.ts'

const anyText = fc.string({ unit: 'binary' })

test('NUL and lone surrogates become U+FFFD, and nothing else changes', async (t) => {
  t.equal(cleanText('a\0b\ud800c\udc00d👍é'), 'a\ufffdb\ufffdc\ufffdd👍é')
  fc.assert(fc.property(fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) }), (text) => {
    const cleaned = cleanText(text)
    return cleaned.isWellFormed() && !cleaned.includes('\0') && cleaned.length === text.length && cleanText(cleaned) === cleaned
  }))
})

test('a cut text has at most so many characters, is a beginning, and no character is halved', async (t) => {
  t.equal(cutText('👍👍👍', 2), '👍👍')
  t.equal(cutText('a👍', 1), 'a')
  t.equal(cutText('abc', 3), 'abc')
  fc.assert(fc.property(anyText.map(cleanText), fc.nat(20), (text, length) => {
    const cut = cutText(text, length)
    return Array.from(cut).length <= length && text.startsWith(cut) && cut.isWellFormed() &&
      (cut === text || Array.from(cut).length === length)
  }))
})

test('search keys are alike for spellings that differ in case or composition', async (t) => {
  for (const [left, right] of [['ANA', 'ana'], ['É', 'e\u0301'], ['Straße', 'STRAßE'], ['ΟΔΟΣ', 'οδος'], ['ΟΔΟΣ', 'οδοσ']] as const) {
    t.equal(searchKey(left), searchKey(right), `${left} ${right}`)
  }
  t.not(searchKey('ana'), searchKey('anna'))
  t.equal(Array.from(searchKey('👍'.repeat(300))).length, 100)
})

test('a search by the beginning of a text finds the text, in byte order', async () => {
  const bytes = (text: string) => Buffer.from(text)
  const isWithin = (key: string, { from, to }: { from: string, to: string }) =>
    Buffer.compare(bytes(from), bytes(key)) <= 0 && Buffer.compare(bytes(key), bytes(to)) < 0
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'aZßΣσςéΩ_%\\ 👍日') }), fc.nat(10), (text, length) =>
    isWithin(searchKey(text), searchRange(cutText(text, length)))))
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'ab%_') }), fc.string({ unit: fc.constantFrom(...'ab%_'), minLength: 1 }), (text, search) =>
    isWithin(searchKey(text), searchRange(search)) === text.startsWith(search)))
})

test('e-mail addresses are compared whole, without regard to case', async (t) => {
  t.equal(emailKey('Ana@Example.COM'), 'ana@example.com')
  t.not(emailKey('mıke@example.org'), emailKey('mike@example.org'), 'a dotless i is another letter')
  t.equal(emailKey(`${'a'.repeat(150)}@x.example`).length, 160)
})

test('control characters are found, others are not', async (t) => {
  for (const text of ['\0', 'a\tb', 'a\r\n', '\u001b[2J', '\u007f']) t.ok(hasControlCharacter(text), JSON.stringify(text))
  for (const text of ['', ' ', 'ana', 'é👍', '\u0080']) t.notOk(hasControlCharacter(text), JSON.stringify(text))
})
