import { createServer } from 'node:http'
import { listen } from './in-child.ts'

/** What a contestant of the refresh bench does: everything that is due at this time. */
export type RefreshRun = {
  /** Makes all tokens due, with a clock that is so far ahead. */
  reset: (aheadMs: number) => Promise<void>
  /** Refreshes them all. */
  run: () => Promise<void>
}

/** Lets the bench reset and start a run over HTTP; the answer to `/run` is how long it took. */
export function announceRun ({ reset, run }: RefreshRun): void {
  listen(createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost')
    const startedMs = performance.now()
    const work = pathname === '/run' ? run() : reset(Number(searchParams.get('ahead')))
    work.then(
      () => response.end(JSON.stringify({ elapsedMs: performance.now() - startedMs })),
      (error: unknown) => {
        console.error(error)
        response.writeHead(500).end()
      }
    )
  }))
}
