import { STYLE_SOURCE } from './layout.ts'

/**
 * What a browser may do with a page of ours: show it. No script, no picture, no frame, no form; the
 * one style is named by its hash. In the shape that Helmet takes as `directives`.
 */
export const PAGE_CSP_DIRECTIVES = {
  'default-src': ["'none'"],
  'style-src': [STYLE_SOURCE],
  'base-uri': ["'none'"],
  'form-action': ["'none'"],
  'frame-ancestors': ["'none'"]
}

/** Directives as the value of a `Content-Security-Policy` header, as Helmet writes it. */
export function formatCSP (directives: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(directives).map(([directive, sources]) => [directive, ...sources].join(' ')).join(';')
}
