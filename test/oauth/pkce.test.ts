import fc from 'fast-check'
import { createHash } from 'node:crypto'
import { test } from 'tap'
import { isCodeChallenge, verifyCodeVerifier } from '../../src/oauth/pkce.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~'

test('the example of RFC 7636 appendix B holds', async (t) => {
  t.ok(verifyCodeVerifier('dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM'))
})

test('a verifier matches its own challenge and no other', async (t) => {
  const verifiers = fc.array(fc.constantFrom(...ALPHABET), { minLength: 43, maxLength: 128 }).map((letters) => letters.join(''))
  fc.assert(fc.property(verifiers, verifiers, (verifier, other) => {
    const challenge = createHash('sha256').update(verifier).digest('base64url')
    return isCodeChallenge(challenge) && verifyCodeVerifier(verifier, challenge) && verifyCodeVerifier(other, challenge) === (other === verifier)
  }))
  t.pass()
})

test('T-05: malformed verifiers and challenges never match', async (t) => {
  const plain = 'a'.repeat(43)
  for (const [verifier, challenge] of [[plain, plain], ['', ''], ['short', createHash('sha256').update('short').digest('base64url')], [`${plain}+`, plain], [plain, `${plain}=`]]) {
    t.notOk(verifyCodeVerifier(String(verifier), String(challenge)))
  }
})
