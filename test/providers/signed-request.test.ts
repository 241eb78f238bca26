import { createHmac } from 'node:crypto'
import { test } from 'tap'
import { signPayload } from '../../src/emulator/signed-request.ts'
import { parseSignedRequest, type Signer, SignedRequestError } from '../../src/providers/signed-request.ts'

const NOW_MS = Date.UTC(2026, 10, 1)
const SECRET = 'ig-app-secret-for-tests'
const VECTOR_1 = {
  signature: 'Mf_s6nTb38UYqioBmPqu0Ewm9souPZB9I2fIGwV729U',
  payload: 'eyJ1c2VyX2lkIjoiMCIsImFsZ29yaXRobSI6IkhNQUMtU0hBMjU2IiwiaXNzdWVkX2F0IjoxNjI0MjQ0MTU2fQ'
}
const VECTOR_2 = 'mSw3fcJlzRSp0RjdPNHZvY_sO-_TFju33Gz5MAAZgIs.eyJ1c2VyX2lkIjoiMTc4NDE0NTcyMDUzOTE0MzciLCJhbGdvcml0aG0iOiJITUFDLVNIQTI1NiIsImlzc3VlZF9hdCI6MTcwMDAwMDAwMH0'

const instagram = (...secrets: string[]): Signer => ({ provider: 'instagram', appId: 'app-1', secrets })

function parse (text: string, signers: readonly Signer[] = [instagram(SECRET)]) {
  return parseSignedRequest(text, { signers, nowMs: NOW_MS })
}

function codeOf (text: string, signers?: readonly Signer[]): string {
  try {
    parse(text, signers)
    return 'taken'
  } catch (error) {
    return error instanceof SignedRequestError ? error.code : String(error)
  }
}

function sign (payload: string, options: { padded?: boolean, secret?: string } = {}): string {
  return signPayload(payload, options.secret ?? SECRET, { padded: options.padded ?? false })
}

test('T-65: both known vectors are taken, with their ids and times', async (t) => {
  t.match(parse(`${VECTOR_1.signature}.${VECTOR_1.payload}`, [instagram('key')]), { userId: '0', issuedAtSeconds: 1624244156 })
  t.match(parse(VECTOR_2), { userId: '17841457205391437', issuedAtSeconds: 1700000000, apps: [{ provider: 'instagram', appId: 'app-1' }] })
})

test('T-65: a signature over the decoded or the newly padded payload is refused', async (t) => {
  const wrong = ['l67FD1tWZ4lPbJTpNLzjPSmbpvLPw0YNzwswgNnGwr0', 'N0an0cW7vDgS8CDoK-D82tS76k6sUvTbqsNFZGT6hOg']
  for (const signature of wrong) t.equal(codeOf(`${signature}.${VECTOR_1.payload}`, [instagram('key')]), 'not_signed')
  t.equal(codeOf(`${VECTOR_1.signature}.${VECTOR_1.payload}==`, [instagram('key')]), 'not_signed', 'padding that was not signed')
})

test('T-65: no signature, another secret, or one for which there is no app, is refused', async (t) => {
  t.equal(codeOf(`.${VECTOR_1.payload}`, [instagram('key')]), 'malformed')
  t.equal(codeOf(VECTOR_1.payload, [instagram('key')]), 'malformed')
  t.equal(codeOf(VECTOR_2, [instagram('key')]), 'not_signed')
  t.equal(codeOf(VECTOR_2, [instagram()]), 'not_signed')
  t.equal(codeOf(VECTOR_2, []), 'not_signed')
  const sha1 = createHmac('sha1', SECRET).update(VECTOR_2.split('.')[1] ?? '').digest('base64url')
  t.equal(codeOf(`${sha1}.${VECTOR_2.split('.')[1]}`), 'not_signed')
})

test('T-65: cut off anywhere or changed in any character, a request is refused', async (t) => {
  for (let length = 0; length < VECTOR_2.length; length++) t.not(codeOf(VECTOR_2.slice(0, length)), 'taken', `${length}`)
  for (let i = 0; i < VECTOR_2.length; i++) {
    for (const character of ['A', 'B', '_', '.', '=', '+', ' ', '\0', 'é']) {
      if (VECTOR_2[i] === character) continue
      t.not(codeOf(VECTOR_2.slice(0, i) + character + VECTOR_2.slice(i + 1)), 'taken', `${JSON.stringify(character)} at ${i}`)
    }
  }
  // 's' and 't' differ in bits that the signature does not use.
  t.not(codeOf(VECTOR_2.replace('gIs.', 'gIt.')), 'taken')
  for (const text of ['', '.', '..', 'a.b.c', `${VECTOR_2}.`, ` ${VECTOR_2}`, `${VECTOR_2}\n`, 'a'.repeat(1_000_000) + '.' + 'b'.repeat(1_000_000)]) {
    t.equal(codeOf(text), 'malformed')
  }
})

test('T-65: a signed payload that names another algorithm, or none, is refused', async (t) => {
  for (const algorithm of ['none', 'HMAC-SHA1', 'hmac-sha256', 'AES-256-CBC HMAC-SHA256', '']) {
    t.equal(codeOf(sign(`{"user_id":"1","algorithm":"${algorithm}","issued_at":1700000000}`)), 'wrong_algorithm', algorithm)
  }
  for (const member of ['', '"algorithm":null,', '"algorithm":["HMAC-SHA256"],']) {
    t.equal(codeOf(sign(`{"user_id":"1",${member}"issued_at":1700000000}`)), 'wrong_algorithm', member)
  }
})

test('T-65: a signed payload with a repeated, missing or wrong member is refused', async (t) => {
  const rest = '"algorithm":"HMAC-SHA256","issued_at":1700000000'
  const cases: ReadonlyArray<[payload: string, why: string]> = [
    [`{"user_id":"1","user_id":"2",${rest}}`, 'two ids'],
    [`{"user_id":"1","user_id":"1",${rest}}`, 'one id twice'],
    [`{"user_id":"1","user_\\u0069d":"2",${rest}}`, 'two ids in two spellings'],
    [`{"user_id":"1",${rest},"issued_at":1800000000}`, 'two times'],
    [`{"user_id":"1",${rest},"__proto__":{}}`, 'a poisoned member'],
    [`{${rest}}`, 'no id'],
    [`{"user_id":null,${rest}}`, 'no id but null'],
    [`{"user_id":{"id":"1"},${rest}}`, 'an id within an object'],
    [`{"user_id":["1"],${rest}}`, 'an id within a list'],
    [`{"user_id":"",${rest}}`, 'an empty id'],
    [`{"user_id":1e3,${rest}}`, 'an id in another notation'],
    [`{"user_id":-1,${rest}}`, 'a negative id'],
    [`{"user_id":"1%",${rest}}`, 'an id with a wildcard'],
    [`{"user_id":"${'1'.repeat(65)}",${rest}}`, 'an endless id'],
    ['{"user_id":"1","algorithm":"HMAC-SHA256"}', 'no time'],
    ['{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":null}', 'no time but null'],
    ['{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":0}', 'time zero'],
    ['{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":1.5}', 'half a second'],
    ['{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":1e99}', 'a time without end'],
    ['{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":true}', 'no number'],
    ['[]', 'a list'], ['null', 'null'], ['"1"', 'a text'], ['{', 'no JSON'], ['', 'nothing'], ['['.repeat(3000), 'depth']
  ]
  for (const [payload, why] of cases) t.equal(codeOf(sign(payload)), 'malformed', why)
  const bytes = Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')
  t.equal(codeOf(`${createHmac('sha256', SECRET).update(bytes).digest('base64url')}.${bytes}`), 'malformed', 'no UTF-8')
})

test('an id is taken as text or as a bare number above 2^53, exact to the last digit', async (t) => {
  for (const id of ['17841457205391437', '27640875392278831', '27640875392278830']) {
    for (const written of [id, `"${id}"`]) {
      t.equal(parse(sign(`{"user_id":${written},"algorithm":"HMAC-SHA256","issued_at":1700000000}`)).userId, id)
    }
  }
})

test('padding is taken where it was signed', async (t) => {
  const payload = '{"user_id":"12","algorithm":"HMAC-SHA256","issued_at":1700000000}'
  const padded = sign(payload, { padded: true })
  t.match(padded, /^[\w-]{43}=\.[\w-]+=+$/)
  t.equal(parse(padded).userId, '12')
  t.equal(codeOf(padded.replace(/=+$/, '')), 'not_signed')
  t.equal(parse(padded.replace('=.', '.')).userId, '12', "the signature's own padding says nothing")
})

test('expires may be there or not, and a request that arrives late is a request', async (t) => {
  for (const expires of ['', ',"expires":0', ',"expires":1700003600', ',"expires":2000000000']) {
    t.equal(codeOf(sign(`{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":1700000000${expires}}`)), 'taken', expires)
  }
})

test('a time ahead of ours is taken as far as clocks differ', async (t) => {
  const at = (seconds: number) => codeOf(sign(`{"user_id":"1","algorithm":"HMAC-SHA256","issued_at":${NOW_MS / 1000 + seconds}}`))
  t.equal(at(300), 'taken')
  t.equal(at(301), 'not_yet_issued')
})

test('T-66: only the apps whose secret verified are named', async (t) => {
  const other: Signer = { provider: 'instagram-basic-display', appId: 'app-2', secrets: ['other', SECRET] }
  t.same(parse(VECTOR_2, [instagram('a', 'b'), other]).apps, [{ provider: 'instagram-basic-display', appId: 'app-2' }])
  t.same(parse(VECTOR_2, [instagram('a', SECRET, SECRET), { ...other, secrets: ['c'] }]).apps, [{ provider: 'instagram', appId: 'app-1' }])
  t.equal(parse(VECTOR_2, [instagram(SECRET), other]).apps.length, 2, 'two products of one Meta app share its secret')
})

test('the fingerprint is that of what is said, whatever its spelling, and tells no id without the secret', async (t) => {
  const say = (id: string, issuedAt: number, options = {}) => parse(sign(`{"user_id":${id},"algorithm":"HMAC-SHA256","issued_at":${issuedAt}}`, options)).fingerprint
  const fingerprint = say('"12"', 1_700_000_000)
  t.match(fingerprint, /^[\w-]{43}$/)
  t.equal(say('12', 1_700_000_000, { padded: true }), fingerprint)
  t.equal(parse(sign('{"issued_at":1700000000,"expires":1,"user_id":"12","algorithm":"HMAC-SHA256"}')).fingerprint, fingerprint)
  t.not(say('"13"', 1_700_000_000), fingerprint)
  t.not(say('"12"', 1_700_000_001), fingerprint)
  const elsewhere = parse(sign('{"user_id":"12","algorithm":"HMAC-SHA256","issued_at":1700000000}', { secret: 'x' }), [instagram('x')])
  t.not(elsewhere.fingerprint, fingerprint)
})

test('an error holds nothing of the request', async (t) => {
  for (const text of [VECTOR_2, sign('{"user_id":"990011","algorithm":"x","issued_at":1}'), sign('{"user_id":"990011","user_id":"990011"}')]) {
    try {
      parse(text, [instagram('key', SECRET.slice(1)), ...(text === VECTOR_2 ? [] : [instagram(SECRET)])])
      t.fail('it was taken')
    } catch (error) {
      t.ok(error instanceof SignedRequestError)
      t.notMatch(String(error instanceof Error && error.message), /990011|17841457205391437|secret-for/)
    }
  }
})
