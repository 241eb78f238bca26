/**
 * True for hosts that never leave this machine: `localhost` and names below it (RFC 6761 6.3),
 * 127.0.0.0/8 and `[::1]`.
 * @param hostname as `URL.hostname` spells it, which has made `127.1` and `0x7f.1` into `127.0.0.1`
 */
export function isLoopbackHost (hostname: string): boolean {
  return /^(localhost|[a-z0-9-]+(\.[a-z0-9-]+)*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(hostname)
}

/** True for an https address, or an http one that stays on this machine. */
export function isProtectedURL (url: URL): boolean {
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackHost(url.hostname))
}
