import { type Dispatcher, fetch, getSetCookies } from 'undici'

const MAX_REDIRECTS = 10
const TIMEOUT_MS = 30_000

/** The page on which a visit ended. */
export type Visited = { url: URL, status: number, body: string }

/** As much of a browser as a login needs: it keeps cookies by host and follows redirects. */
export type Browser = {
  open: (address: string | URL) => Promise<Visited>
  submit: (address: string | URL, fields: Record<string, string>) => Promise<Visited>
}

/** Builds a browser without cookies. */
export function createBrowser (dispatcher: Dispatcher): Browser {
  const cookies = new Map<string, Map<string, string>>()

  async function visit (address: URL, form: URLSearchParams | null, redirectsLeft: number): Promise<Visited> {
    const jar = cookies.get(address.hostname) ?? new Map<string, string>()
    cookies.set(address.hostname, jar)
    const response = await fetch(address, {
      method: form === null ? 'GET' : 'POST',
      body: form,
      headers: { accept: 'text/html', cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
      redirect: 'manual',
      dispatcher,
      signal: AbortSignal.timeout(TIMEOUT_MS)
    })
    for (const { name, value, maxAge, expires } of getSetCookies(response.headers)) {
      if (maxAge === 0 || (expires !== undefined && Number(expires) <= Date.now())) jar.delete(name)
      else jar.set(name, value)
    }
    const body = await response.text()
    const location = response.headers.get('location')
    if (location === null) return { url: address, status: response.status, body }
    if (redirectsLeft === 0) throw new Error(`There are too many redirects, the last from ${address.origin}${address.pathname}.`)
    return visit(new URL(location, address), null, redirectsLeft - 1)
  }

  return {
    open: (address) => visit(new URL(address), null, MAX_REDIRECTS),
    submit: (address, fields) => visit(new URL(address), new URLSearchParams(fields), MAX_REDIRECTS)
  }
}
