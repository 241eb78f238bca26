import fc from 'fast-check'
import { test } from 'tap'
import { parsePastedToken } from '../../src/flows/import-token.ts'

const CASES: ReadonlyArray<[pasted: string, token: string | undefined, why: string]> = [
  ['IGAAx', 'IGAAx', 'as it is'],
  [' IGAAx\r\n', 'IGAAx', 'blanks around it'],
  ['IGAA\n  x\n', 'IGAAx', 'a line that was wrapped'],
  ['"IGAAx"', 'IGAAx', 'quoted'],
  ['“IGAAx”', 'IGAAx', 'quoted by a word processor'],
  ["'`IGAAx`'", 'IGAAx', 'quoted twice'],
  ['\u200bIGAA\u00adx\ufeff', 'IGAAx', 'invisible characters'],
  ['IGAA"x', 'IGAA"x', 'a quote inside is for the provider to judge'],
  ['x'.repeat(4096), 'x'.repeat(4096), 'as long as a token may be'],
  ['x'.repeat(4097), undefined, 'longer'],
  ['', undefined, 'nothing'],
  ['""', undefined, 'quotes alone'],
  ['IGAÄ', undefined, 'a letter that no token has'],
  ['IGAA\u0000', undefined, 'NUL'],
  ['IGAA\u001b[2J', undefined, 'a control sequence'],
  ['IGAA\ud800', undefined, 'half a character']
]

for (const [pasted, token, why] of CASES) {
  test(`a pasted text is read as ${token === undefined ? 'no token' : 'the token'}: ${why}`, async (t) => {
    t.equal(parsePastedToken(pasted), token)
  })
}

test('what is read from a pasted text is printable, bounded and read again as itself', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 5000 }), (pasted) => {
    const token = parsePastedToken(pasted)
    return token === undefined || (/^[\x21-\x7e]{1,4096}$/.test(token) && parsePastedToken(token) === token)
  }))
})
