const productionHosts = /(^|\.)(instagram|cdninstagram|facebook|fbcdn|fb|meta|threads|whatsapp)\.(com|net|me)\.?$/i

/** Where the emulator listens and under which name it is reached. */
export type Address = { host: string, publicHost: string, allowPublic: boolean }

/**
 * Refuses addresses on which an emulator does harm: a production name, under which its pages would
 * pass for the real thing, and an interface that strangers can reach, since it prints its secrets.
 *
 * @throws TypeError naming the address that was refused.
 */
export function checkAddress ({ host, publicHost, allowPublic }: Address): void {
  for (const name of [host, publicHost]) {
    if (productionHosts.test(name)) {
      throw new TypeError(`The emulator does not run under the production host name ${name}`)
    }
  }
  if (!allowPublic && !isLoopback(host)) {
    throw new TypeError(`The emulator listens on loopback only, not on ${host}, unless allowPublic is set`)
  }
}

/** Whether a host is this machine only. Names below `localhost` are loopback by RFC 6761 6.3. */
export function isLoopback (host: string): boolean {
  return /^(127(\.\d{1,3}){3}|::1|\[::1\]|localhost|[a-z0-9.-]+\.localhost)$/i.test(host)
}

/** Builds an origin, with the brackets that an IPv6 address needs. */
export function formatOrigin (host: string, port: number): string {
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}

/**
 * The host for calls between servers. Browsers know that names below `localhost` are loopback, but
 * most system resolvers do not, so those calls go to the address itself.
 */
export function backChannelHost ({ host, publicHost }: Address): string {
  return /\.localhost$/i.test(publicHost) ? host : publicHost
}
