import type { Dispatcher } from 'undici'
import type { Config } from '../../config.ts'
import { isObject, JSONError, parseJSON } from '../../json.ts'
import { isLoopbackHost } from '../../loopback.ts'
import { examineClock } from './clock.ts'
import type { Notes } from './finding.ts'
import { probe } from './probe.ts'

// What TLS clients call a certificate that they do not accept.
const CERTIFICATE_CODES = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/
// Nobody speaks TLS there.
const PLAIN_CODES = /ERR_SSL|EPROTO/

/** Examines whether browsers and shops find us at the public URL. */
export async function examinePublicURL (notes: Notes, config: Config, options: { dispatcher: Dispatcher, now: () => number }): Promise<void> {
  const { publicURL } = config
  const answer = await probe(options.dispatcher, `${publicURL}/.well-known/openid-configuration`, options.now)
  if (!answer.isAnswered) return noteSilence(notes, publicURL, answer.code)
  examineClock(notes, answer.aheadMs, 'the server at the public URL')
  if ([502, 503, 504].includes(answer.status)) {
    return notes.warn('public_url_down', `A proxy answers at ${publicURL} (${answer.status}), and nobody behind it.`, `Start Leadlatch, or have the proxy ask http://${config.host}:${config.port}.`)
  }
  const issuer = answer.status === 200 ? readIssuer(answer.body) : undefined
  if (issuer === publicURL) return notes.ok('public_url', `Leadlatch answers at ${publicURL} as the same issuer.`)
  if (issuer !== undefined) {
    return notes.fail('public_url_issuer', `At ${publicURL} a service answers that calls itself ${issuer}.`, 'Set LEADLATCH_PUBLIC_URL to one and the same address in every process, restart, and see that the proxy does not lead elsewhere.')
  }
  notes.fail('public_url_foreign', `At ${publicURL} something answers (${answer.status}) that is not Leadlatch.`, 'Have the proxy pass this host and path to Leadlatch without a redirect; the path may be stripped or left.')
}

function noteSilence (notes: Notes, publicURL: string, code: string): void {
  if (CERTIFICATE_CODES.test(code)) {
    return notes.fail('public_url_certificate', `The certificate at ${publicURL} is not accepted (${code}).`, 'Renew it, send its whole chain, and see that it names this host: shops refuse to talk to it as well.')
  }
  if (PLAIN_CODES.test(code)) {
    return notes.fail('public_url_plain', `Nobody speaks TLS at ${publicURL} (${code}).`, 'Leadlatch itself speaks http only: put a proxy with a certificate in front, and point the public URL at that.')
  }
  if (code === 'ENOTFOUND') return notes.fail('public_url_unknown', `There is no host of the name in ${publicURL}.`, 'Make the DNS entry, or correct LEADLATCH_PUBLIC_URL.')
  notes.warn('public_url_down', `Nobody answers at ${publicURL} from this machine (${code}).`, 'Start Leadlatch and the proxy. If other machines do reach it, the network does not lead back to itself, and nothing is wrong.')
}

/** Examines whether the proxy is trusted. Leadlatch speaks no TLS itself: behind an https address there is one. */
export function examineProxy (notes: Notes, { publicURL, trustProxy, rateLimit }: Config): void {
  const { protocol, hostname } = new URL(publicURL)
  if (protocol !== 'https:' || isLoopbackHost(hostname)) return
  if (trustProxy.length > 0) return notes.ok('proxy', 'The forwarded headers of a proxy count.')
  notes.warn('proxy_untrusted', `All traffic comes from the proxy that ends TLS, and LEADLATCH_TRUST_PROXY does not name it${
    rateLimit > 0 ? `: all shoppers share one limit of ${rateLimit} requests a minute` : ''}.`, 'Set LEADLATCH_TRUST_PROXY to the address from which the proxy reaches Leadlatch, such as 127.0.0.1.')
}

function readIssuer (body: string): string | undefined {
  try {
    const metadata = parseJSON(body, { numbers: 'number' })
    return isObject(metadata) && typeof metadata.issuer === 'string' ? metadata.issuer.slice(0, 200) : undefined
  } catch (error) {
    if (error instanceof JSONError) return undefined
    throw error
  }
}
