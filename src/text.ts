const SEARCH_KEY_LENGTH = 100

// The last code point: in byte order no text that begins with a prefix sorts behind prefix + this.
const LAST_CODE_POINT = '\u{10ffff}'

/** Replaces what a text column or JSON cannot carry, NUL and lone surrogates, by U+FFFD. */
export function cleanText (text: string): string {
  return text.toWellFormed().replaceAll('\0', '\uFFFD')
}

/** The first `length` characters (code points, so that no character is cut in half). */
export function cutText (text: string, length: number): string {
  return text.length <= length ? text : Array.from(text.slice(0, length * 2)).slice(0, length).join('')
}

/** The form in which texts are compared without regard to case: NFC, lower case, the first 100 characters. */
export function searchKey (text: string): string {
  // Lower case turns a sigma at the end of a word into another letter: a beginning would not find the whole.
  return cutText(text.normalize('NFC').toLowerCase().replaceAll('ς', 'σ'), SEARCH_KEY_LENGTH)
}

/** The range of search keys that begin with this text: `from <= key < to`, in byte order. */
export function searchRange (text: string): { from: string, to: string } {
  const from = searchKey(text)
  return { from, to: from + LAST_CODE_POINT }
}

/** The form in which e-mail addresses are compared; the whole address, unlike {@link searchKey}. */
export function emailKey (email: string): string {
  return email.normalize('NFC').toLowerCase()
}

/** True when the text holds a C0 control character or DEL: it has no place in a URL or an OAuth value. */
export function hasControlCharacter (text: string): boolean {
  // eslint-disable-next-line no-control-regex
  return /[\u0000-\u001f\u007f]/.test(text)
}
