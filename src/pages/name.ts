import { cutText } from '../text.ts'
import { html, type Markup } from './html.ts'

const MAX_LENGTH = 80

/**
 * A name from outside as a page shows it: cut, and isolated, so that its direction marks turn no
 * other text around.
 */
export function formatName (name: string): Markup {
  const short = cutText(name, MAX_LENGTH)
  return html`<bdi>${short.length < name.length ? `${short}…` : short}</bdi>`
}
