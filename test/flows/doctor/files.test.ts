import { chmodSync, writeFileSync } from 'node:fs'
import { test } from 'tap'
import { examineFiles } from '../../../src/flows/doctor/files.ts'
import { collect, faults } from './patient.ts'

const userId = process.geteuid?.()

test('a folder in which others may replace the database is found', { skip: userId === undefined }, async (t) => {
  const folder = t.testdir({})
  writeFileSync(`${folder}/leadlatch.db`, '', { mode: 0o600 })
  for (const [mode, expected] of [[0o700, []], [0o755, []], [0o770, ['warning folder_mode']], [0o777, ['error folder_mode']], [0o1777, []]] as const) {
    chmodSync(folder, mode)
    const { notes, findings } = collect('files')
    examineFiles(notes, { folder, databasePath: `${folder}/leadlatch.db`, secretFiles: [], userId })
    t.strictSame(faults({ findings }), expected, mode.toString(8))
    t.equal(findings.some(({ level }) => level === 'ok'), expected.length === 0)
  }
})

test('files of another user are found by everybody but root', { skip: userId === undefined }, async (t) => {
  const folder = t.testdir({})
  writeFileSync(`${folder}/leadlatch.db`, '', { mode: 0o600 })
  chmodSync(folder, 0o700)
  const { notes, findings } = collect('files')
  examineFiles(notes, { folder, databasePath: `${folder}/leadlatch.db`, secretFiles: [], userId: (userId ?? 0) + 1 })
  t.ok(faults({ findings }).includes('warning file_owner'))
})

test('what is not there is no fault', async (t) => {
  const { notes, findings } = collect('files')
  examineFiles(notes, { folder: '/nowhere', databasePath: '/nowhere/leadlatch.db', secretFiles: ['/nowhere/x'], userId: 1 })
  t.match(findings, [{ level: 'ok' }])
})
