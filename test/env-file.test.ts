import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type Test } from 'tap'
import { addEnvFile } from '../src/env-file.ts'

const userId = process.geteuid?.()

function folderWith (t: Test, text: string): string {
  return t.testdir({ '.env': text })
}

test('a .env stands under the real environment', async (t) => {
  const folder = folderWith(t, 'A=file\nB="from file"\n# C=no\nexport D=4\n')
  t.strictSame({ ...addEnvFile({ A: 'real', Z: '1' }, folder, userId) }, { A: 'real', B: 'from file', D: '4', Z: '1' })
})

test('a real setting that is empty hides the one in the file', async (t) => {
  t.equal(addEnvFile({ A: '' }, folderWith(t, 'A=file'), userId).A, '')
})

test('without a .env the environment stays as it is', async (t) => {
  t.strictSame(addEnvFile({ A: '1' }, t.testdir({}), userId), { A: '1' })
})

test('T-72: a .env that is a link to another folder is refused', async (t) => {
  const folder = t.testdir({ inner: {}, 'other.env': 'LEADLATCH_PUBLIC_URL=https://evil.test' })
  symlinkSync('../other.env', join(folder, 'inner', '.env'))
  t.throws(() => addEnvFile({}, join(folder, 'inner'), userId), { code: 'invalid_settings', message: /link to another folder/ })
})

test('a .env that is a link within its folder is read', async (t) => {
  const folder = t.testdir({ 'production.env': 'A=1', '.env': t.fixture('symlink', 'production.env') })
  t.equal(addEnvFile({}, folder, userId).A, '1')
})

test('a .env that is a link to nowhere is not taken for an absent one', async (t) => {
  const folder = t.testdir({ '.env': t.fixture('symlink', 'nowhere') })
  t.throws(() => addEnvFile({}, folder, userId), { code: 'invalid_settings', message: /cannot be read/ })
})

test('T-72: a .env that every user may change is refused', async (t) => {
  const folder = folderWith(t, 'A=1')
  chmodSync(join(folder, '.env'), 0o646)
  t.throws(() => addEnvFile({}, folder, userId), { code: 'invalid_settings', message: /chmod o-w/ })
})

test('T-72: a .env of another user is refused, one of root is not', async (t) => {
  const folder = folderWith(t, 'A=1')
  // Whoever is not root owns the file and reads it as somebody else; root can give it away.
  const reader = (userId ?? 0) + 4711
  if (userId === 0) {
    t.equal(addEnvFile({}, folder, reader).A, '1')
    chownSync(join(folder, '.env'), 4712, 4712)
  }
  t.throws(() => addEnvFile({}, folder, reader), { code: 'invalid_settings', message: /another user/ })
})

test('a .env that is no plain file, or far too large, is refused', async (t) => {
  const folder = t.testdir({})
  mkdirSync(join(folder, '.env'))
  t.throws(() => addEnvFile({}, folder, userId), { code: 'invalid_settings', message: /plain file/ })
  const large = t.testdir({ large: {} })
  writeFileSync(join(large, '.env'), 'A'.repeat(1_048_577))
  t.throws(() => addEnvFile({}, large, userId), { code: 'invalid_settings', message: /1 MiB/ })
})
