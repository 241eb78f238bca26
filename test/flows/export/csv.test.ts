import fc from 'fast-check'
import papaparse from 'papaparse'
import { test } from 'tap'
import { CSV_COLUMNS, CSV_HEADER, defuse, formatCSVLine, undoDefuse } from '../../../src/flows/export/csv.ts'
import type { LeadRecord } from '../../../src/store/leads.ts'
import { cleanText } from '../../../src/text.ts'

const LEAD: LeadRecord = {
  id: 'cus_1',
  externalId: '7',
  provider: 'instagram',
  providerUserId: '17841400000000831',
  username: 'ana',
  name: 'Ana',
  pictureURL: 'https://cdn.example/a.jpg',
  accountType: 'BUSINESS',
  email: 'ana@mail.example',
  isEmailVerified: true,
  emailSource: 'typed',
  phone: '1',
  token: { obtainedAtMs: 0, expiresAtMs: null, revokedAtMs: null },
  sourcePage: '/p',
  sourceCampaign: 'c',
  firstSeenAtMs: 0,
  lastLoginAtMs: 1,
  loginCount: 2,
  updatedAtMs: 3
}

function readBack (csv: string): string[][] {
  const { data, errors } = papaparse.parse<string[]>(csv, { delimiter: ',', newline: '\r\n' })
  if (errors.length > 0) throw new Error(JSON.stringify(errors))
  return data
}

test('a line has the documented columns, with empty cells for what is absent', async (t) => {
  const [header = [], full = [], empty = []] = readBack(CSV_HEADER + formatCSVLine(LEAD, 10) + formatCSVLine({
    ...LEAD, externalId: null, username: null, name: '', email: null, isEmailVerified: false, emailSource: null, phone: null, token: null, lastLoginAtMs: null
  }, 10))
  t.strictSame(header, [...CSV_COLUMNS])
  t.strictSame(full, ['cus_1', '7', 'instagram', '17841400000000831', 'ana', 'Ana', 'https://cdn.example/a.jpg', 'BUSINESS',
    'ana@mail.example', 'true', 'typed', '1', '{}', 'active', '', '/p', 'c', '0', '', '1970-01-01T00:00:00.000Z',
    '1970-01-01T00:00:00.001Z', '2', '1970-01-01T00:00:00.003Z'])
  t.strictSame(empty.slice(0, 6), ['cus_1', '', 'instagram', '17841400000000831', '', ''])
  t.strictSame(empty.slice(8, 15), ['', 'false', '', '', '{}', 'none', ''])
})

const FORMULAS = ['=1+1', '+43 660 1', '-1', '@SUM(A1)', '\t=1', '\r=1', '\n=1', '\tx', '\rx', '\nx', '＝1', '＋1', '－1', '＠a', ' =1', '  \u00a0=1',
  '"=1', '\'=1', '\'\'=1', '"\'"=1', '\u200b=1', '\ufeff=1', '=cmd|\' /C calc\'!A0', '“=1”', '−1', '﹦1']

for (const formula of FORMULAS) {
  test(`T-53: the cell ${JSON.stringify(formula)} is defused and can be undone`, async (t) => {
    const cell = readBack(formatCSVLine({ ...LEAD, name: formula }, 0))[0]?.[5] ?? ''
    t.ok(cell.startsWith("'"))
    t.equal(undoDefuse(cell), formula)
  })
}

for (const inner of ['Eve;=1+1;x', 'a\t@SUM(A1)', 'a; "=1', 'a;;-1', 'a;\'=1', ';=1', 'x;\t=1;']) {
  test(`T-53: ${JSON.stringify(inner)} is inert where a spreadsheet splits at semicolons or tabs`, async (t) => {
    const cell = readBack(formatCSVLine({ ...LEAD, name: inner }, 0))[0]?.[5] ?? ''
    for (const part of cell.split(/[;\t]/)) t.notMatch(part, /^[\s"]*[=+\-@]/)
    t.equal(undoDefuse(cell), inner)
  })
}

for (const plain of ['Ana', 'O\'Hara', '\'tis', '"Ana"', 'a=b', '1-2', ' Ana', '¡Ana!', '漢字', '😀=']) {
  test(`T-53: the cell ${JSON.stringify(plain)} is left as it is`, async (t) => {
    t.equal(readBack(formatCSVLine({ ...LEAD, name: plain }, 0))[0]?.[5], plain)
    t.equal(undoDefuse(plain), plain)
  })
}

test('T-53: whatever the texts, a reader finds the same cells in the same columns, none begins like a formula, and all can be undone', async (t) => {
  const hostile = fc.string({ unit: fc.oneof(fc.constantFrom(...'=+-@\t\r\n\'",; ＝＋－＠\u00a0\u200ba1'), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 })), maxLength: 12 })
  fc.assert(fc.property(fc.array(hostile.map(cleanText), { minLength: 9, maxLength: 9 }), (texts) => {
    const [externalId = '', username = '', name = '', pictureURL = '', accountType = '', email = '', phone = '', sourcePage = '', sourceCampaign = ''] = texts
    const rows = readBack(CSV_HEADER + formatCSVLine({ ...LEAD, externalId, username, name, pictureURL, accountType, email, phone, sourcePage, sourceCampaign }, 0) + formatCSVLine(LEAD, 0))
    const cells = [1, 4, 5, 6, 7, 8, 11, 15, 16].map((column) => rows[1]?.[column] ?? '')
    return rows.length === 4 && rows[1]?.length === CSV_COLUMNS.length && rows[2]?.[0] === 'cus_1' &&
      cells.every((cell, i) => !/^[\s"]*[=+\-@\t\r\n＝＋－＠]/.test(cell) && undoDefuse(cell) === texts[i])
  }), { numRuns: 2000 })
  t.pass('held for 2000 rows')
})

test('T-53: texts that already look defused are told apart from what was', async (t) => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom('\'', '=', ' ', '"', 'a', '\t'), maxLength: 8 }), (text) => undoDefuse(defuse(text)) === text))
  t.pass('held')
})

test('T-81: 100 kB of hostile text passes through a cell in less than 50 ms', async (t) => {
  for (const unit of [' ', '\'', '"', '\t', '\u200b', 'a"']) {
    const startMs = performance.now()
    formatCSVLine({ ...LEAD, name: unit.repeat(100_000) }, 0)
    t.ok(performance.now() - startMs < 50, JSON.stringify(unit))
  }
})
