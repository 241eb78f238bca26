import SQLite from 'better-sqlite3'
import { Pool } from 'undici'
import { readSetting, readSettings } from '../support/in-child.ts'
import { announceRun } from '../support/refresh-run.ts'

// The floor of a refresh: a pool, so many calls at once, and one durable UPDATE each. No lease, no key, no
// limits: a second process beside it would refresh everything twice, and a bad token would stop it.

type Row = { id: string, access_token: string }

const settings = readSettings()
const atOnce = Number(readSetting(settings, 'concurrency'))
const graph = new URL(readSetting(settings, 'graphURL'))
const pool = new Pool(graph.origin, { connections: atOnce })
const connection = new SQLite(readSetting(settings, 'path'))
connection.pragma('journal_mode = WAL')
connection.pragma('synchronous = FULL')
const makeDue = connection.prepare('update tokens set due_at_ms = ?')
const listDue = connection.prepare<[number], Row>('select identity_id as id, access_token from tokens where due_at_ms <= ?')
const save = connection.prepare('update tokens set access_token = ?, obtained_at_ms = ?, expires_at_ms = ?, due_at_ms = ? where identity_id = ?')
const saveAll = connection.transaction((works: ReadonlyArray<() => void>) => { for (const work of works) work() }).immediate
const isGrouped = settings['grouped'] === 'true'
let waiting: Array<() => void> = []
let saved: Promise<void> | undefined
let aheadMs = 0

announceRun({
  reset: async (ahead) => {
    aheadMs = ahead
    makeDue.run(Date.now() + aheadMs)
  },
  run: async () => {
    const due = listDue.all(Date.now() + aheadMs)
    let next = 0
    await Promise.all(Array.from({ length: atOnce }, async () => {
      for (let row = due[next++]; row !== undefined; row = due[next++]) await refresh(row)
    }))
  }
})

async function refresh ({ id, access_token: token }: Row): Promise<void> {
  const { body } = await pool.request({ method: 'GET', path: `${graph.pathname}/refresh_access_token?grant_type=ig_refresh_token&access_token=${token}` })
  const reply = await body.json() as { access_token: string, expires_in: number }
  const nowMs = Date.now() + aheadMs
  const write = () => { save.run(reply.access_token, nowMs, nowMs + reply.expires_in * 1000, nowMs + reply.expires_in * 600, id) }
  if (!isGrouped) return write()
  waiting.push(write)
  saved ??= new Promise((resolve) => {
    setImmediate(() => {
      const works = waiting
      waiting = []
      saved = undefined
      saveAll(works)
      resolve()
    })
  })
  await saved
}
