import { writeFileSync } from 'node:fs'
import { test } from 'tap'
import { examineProgram } from '../../../src/flows/doctor/program.ts'
import { collect, examineIn, faults, found } from './patient.ts'

test('T-72: the doctor tells where each setting comes from, and never a value', async (t) => {
  const folder = t.testdir({ metrics: 'hunter2\n' })
  const report = await examineIn(t, folder, {
    settings: { LEADLATCH_LOG_LEVEL: 'warn' },
    envFile: { LEADLATCH_RATE_LIMIT: '77', LEADLATCH_LOG_LEVEL: 'trace', LEADLATCH_METRICS_TOKEN_FILE: `${folder}/metrics` }
  })
  const sources = new Map(report.settings.map(({ name, source, isFile }) => [name, `${source}${isFile ? ' file' : ''}`]))
  t.equal(sources.get('LEADLATCH_LOG_LEVEL'), 'environment')
  t.equal(sources.get('LEADLATCH_RATE_LIMIT'), '.env')
  t.equal(sources.get('LEADLATCH_METRICS_TOKEN'), '.env file')
  t.equal(sources.get('LEADLATCH_PORT'), 'default')
  t.strictSame(faults(report, 'settings'), [])
  t.notMatch(JSON.stringify(report), /hunter2|\b77\b|trace/)
})

test('each wrong setting is a finding of its own, and hides nothing of the others', async (t) => {
  const report = await examineIn(t, t.testdir({}), {
    settings: {
      LEADLATCH_PORT: 'eighty',
      LEADLATCH_INSTAGRAM_CLIENT_ID: '42',
      LEADLATCH_INSTAGRAM_CLIENT_SECRET: 'hunter2',
      LEADLATCH_INSTAGRAM_SCOPE: 'user_profile',
      LEADLATCH_INSTAGRAM_AUTHORIZE_URL: 'https://api.instagram.com/oauth/authorize',
      LEADLATCH_METRICS_TOKEN_FILE: '/nowhere/hunter2'
    }
  })
  const wrong = found(report, 'wrong_setting').map(({ what }) => what)
  t.equal(wrong.length, 4, wrong.join('\n'))
  for (const name of ['LEADLATCH_PORT', 'LEADLATCH_INSTAGRAM_SCOPE', 'LEADLATCH_INSTAGRAM_AUTHORIZE_URL', 'LEADLATCH_METRICS_TOKEN_FILE']) {
    t.ok(wrong.some((what) => what.startsWith(`${name} must`)), name)
  }
  t.ok(wrong.some((what) => /retired.*user_profile/.test(what)))
  t.notMatch(JSON.stringify(report), 'hunter2')
  t.match(found(report, 'database_missing'), [{ level: 'warning' }], 'the database is looked for all the same')
})

test('X and X_FILE at once, unknown, unused and hidden settings are found', async (t) => {
  const report = await examineIn(t, t.testdir({ token: 'x' }), {
    settings: { LEADLATCH_METRICS_TOKEN: 'x', LEADLATCH_METRICS_TOKEN_FILE: 'token', LEADLATCH_PROT: '1', LEADLATCH_RETENTION_DAYS: '9', LEADLATCH_LOG_LEVEL: '' },
    envFile: { LEADLATCH_LOG_LEVEL: 'warn', LEADLATCH_HOST: '' }
  })
  t.match(found(report, 'wrong_setting'), [{ level: 'error', what: 'LEADLATCH_METRICS_TOKEN and LEADLATCH_METRICS_TOKEN_FILE must not both be set.' }])
  t.match(found(report, 'unknown_setting'), [{ level: 'warning', what: /LEADLATCH_PROT/, cure: /spelling/ }])
  t.match(found(report, 'hidden_setting'), [{ level: 'warning', what: /LEADLATCH_LOG_LEVEL is empty in the environment/ }])
})

test('a wrong database setting stops only what needs it', async (t) => {
  const report = await examineIn(t, t.testdir({}), { settings: { DATABASE_URL: 'mysql:x' } })
  t.match(found(report, 'wrong_setting'), [{ what: /^DATABASE_URL/ }])
  t.match(found(report, 'database_unknown'), [{ level: 'warning' }])
  t.equal(found(report, 'public_url_down').length, 1)
})

test('T-72: a .env that is not to be trusted is an error, and is not read', async (t) => {
  const report = await examineIn(t, t.testdir({}), { envFileFault: 'The settings file /x/.env belongs to another user.' })
  t.match(found(report, 'env_file'), [{ level: 'error', what: /another user/ }])
})

test('an old Node is an error that names the oldest that will do', async (t) => {
  for (const [version, level] of [['24.12.0', 'ok'], ['26.0.0', 'ok'], ['24.11.9', 'error'], ['22.20.0', 'error']] as const) {
    const { notes, findings } = collect('program')
    examineProgram(notes, '0.1.0', version)
    t.match(findings, [{ code: 'node_version', level, what: new RegExp(version) }])
  }
})

test('T-70: secret files that others may read are named with their cure', { skip: process.platform === 'win32' }, async (t) => {
  const folder = t.testdir({})
  writeFileSync(`${folder}/.env`, '', { mode: 0o644 })
  writeFileSync(`${folder}/secret`, 'x', { mode: 0o640 })
  writeFileSync(`${folder}/leadlatch.db`, '', { mode: 0o600 })
  writeFileSync(`${folder}/leadlatch.key`, '', { mode: 0o604 })
  const report = await examineIn(t, folder, { settings: { LEADLATCH_METRICS_TOKEN_FILE: `${folder}/secret` } })
  t.strictSame(found(report, 'file_mode').map(({ cure }) => cure), ['.env', 'secret', 'leadlatch.key'].map((name) => `Run: chmod 600 ${folder}/${name}`))
})
