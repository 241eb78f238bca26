import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'
import { PAGE_CSP_DIRECTIVES } from '../pages/security.ts'

const TWO_YEARS_SECONDS = 63_072_000

/**
 * The security headers of every answer, as Helmet sets them. They are the same for each request, so
 * Helmet is asked once: asking it anew cost more than all other headers together.
 */
export function buildSecurityHeaders (publicURL: string): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  helmet({
    contentSecurityPolicy: { useDefaults: false, directives: PAGE_CSP_DIRECTIVES },
    referrerPolicy: { policy: 'no-referrer' },
    frameguard: { action: 'deny' },
    strictTransportSecurity: publicURL.startsWith('https:') && { maxAge: TWO_YEARS_SECONDS, includeSubDomains: false }
  })(request, response, () => {})
  return Object.fromEntries(Object.entries(response.getHeaders()).map(([name, value]) => [name, String(value)]))
}
