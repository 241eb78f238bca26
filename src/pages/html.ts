/** HTML that is already escaped. Only {@link html} makes it, so text cannot pass for it. */
export class Markup {
  readonly #text: string

  private constructor (text: string) {
    this.#text = text
  }

  /** Joins a template's own parts, which are ours, with values that are escaped. */
  static fromTemplate (parts: readonly string[], values: readonly Interpolation[]): Markup {
    return new Markup(parts.map((part, index) => (index === 0 ? '' : render(values[index - 1])) + part).join(''))
  }

  toString (): string {
    return this.#text
  }
}

/** What a template takes; a list is joined, nothing is left out, all else is escaped. */
export type Interpolation = string | number | Markup | null | undefined | false | readonly Interpolation[]

/**
 * Builds HTML from a template. Every interpolated text is escaped, for content and for quoted
 * attributes; an attribute's value therefore always stands in double quotes.
 */
export function html (parts: TemplateStringsArray, ...values: Interpolation[]): Markup {
  return Markup.fromTemplate(parts, values)
}

/** Escapes text for HTML content and quoted attributes. */
export function escapeHTML (text: string): string {
  return text.replace(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '')
}

/** True for an address that a link may lead to: http or https, or a path of our own. No `javascript:`. */
export function isWebAddress (address: string): boolean {
  const url = URL.parse(address, 'https://path.invalid')
  return url !== null && (url.protocol === 'https:' || url.protocol === 'http:')
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;', '`': '&#96;'
}

function render (value: Interpolation): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Markup) return value.toString()
  if (typeof value === 'string') return escapeHTML(value)
  if (typeof value === 'number') return String(value)
  return value.map(render).join('')
}
