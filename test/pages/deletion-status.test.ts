import { test } from 'tap'
import { deletionStatusPage } from '../../src/pages/deletion-status.ts'

const page = deletionStatusPage({ issuedAtMs: Date.UTC(2026, 10, 1, 9, 5, 59), completedAtMs: Date.UTC(2026, 10, 2, 0, 0, 1) })

test('the page tells state, dates and what a shop keeps by law', async (t) => {
  t.match(page, 'State: <strong>completed</strong>')
  t.match(page, 'Requested: <time datetime="2026-11-01T09:05:59.000Z">2026-11-01 09:05 UTC</time>')
  t.match(page, 'Completed: <time datetime="2026-11-02T00:00:01.000Z">2026-11-02 00:00 UTC</time>')
  t.match(page, 'Orders and invoices stay with the shop')
  t.match(page, 'tax law')
})

test('T-67: the page asks robots not to list it, and has no link that would carry its address on', async (t) => {
  t.match(page, '<meta name="robots" content="noindex">')
  t.match(page, '<meta name="referrer" content="no-referrer">')
  t.notMatch(page, /<a\s|https?:|<script|<img/)
})
