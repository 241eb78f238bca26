import { createHash } from 'node:crypto'
import type { Answer } from './answer.ts'

/** A page: its title, its body as HTML that is already escaped, and its width. */
export type Page = { title: string, body: string, status?: number, isWide?: boolean }

const style = `
:root{color-scheme:light dark;--text:#1b1b1f;--soft:#5a5a66;--card:#fff;--ground:#f2f2f5;--line:#cfcfd6;--mark:#0a58ca;--on-mark:#fff;--banner:#fff1c2;--on-banner:#4a3600}
@media (prefers-color-scheme:dark){:root{--text:#f0f0f4;--soft:#b4b4c0;--card:#1d1d22;--ground:#111114;--line:#45454f;--mark:#8ab8ff;--on-mark:#08203f;--banner:#4a3a08;--on-banner:#ffeeb8}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--text);font:1rem/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
.banner{margin:0;padding:.6rem 1rem;background:var(--banner);color:var(--on-banner);text-align:center}
main{width:calc(100% - 1.5rem);max-width:28rem;margin:1.5rem auto;padding:1.5rem;background:var(--card);border:1px solid var(--line);border-radius:.8rem}
main.wide{max-width:70rem}
h1{margin:0 0 .5rem;font-size:1.35rem;line-height:1.25}
h2{margin:2rem 0 .5rem;font-size:1.1rem}
p{margin:.5rem 0}
.soft{color:var(--soft)}
fieldset{margin:1rem 0;padding:0;border:0}
legend{padding:0;font-weight:600}
.choice{display:flex;gap:.75rem;align-items:center;min-height:3rem;margin:.5rem 0;padding:.5rem .75rem;border:1px solid var(--line);border-radius:.6rem;cursor:pointer}
.choice:has(:checked){border-color:var(--mark);box-shadow:inset 0 0 0 1px var(--mark)}
.choice small{display:block;color:var(--soft)}
button{min-height:2.75rem;padding:.5rem 1.1rem;border:1px solid var(--mark);border-radius:.6rem;background:var(--card);color:var(--mark);font:inherit;font-weight:600;cursor:pointer}
button.first{background:var(--mark);color:var(--on-mark)}
.actions{display:flex;gap:.75rem}
.actions button{flex:1}
:focus-visible{outline:3px solid var(--mark);outline-offset:2px}
input,select{min-height:2.5rem;max-width:100%;padding:.3rem .5rem;border:1px solid var(--soft);border-radius:.4rem;background:var(--card);color:var(--text);font:inherit}
input[type=radio],input[type=checkbox]{min-height:0;width:1.2rem;height:1.2rem;flex:none;accent-color:var(--mark)}
.row{display:flex;flex-wrap:wrap;gap:.75rem;align-items:end;margin:.75rem 0}
.field{display:grid;gap:.2rem;max-width:100%}
.scroll{overflow-x:auto}
table{width:100%;border-collapse:collapse;overflow-wrap:break-word}
th,td{padding:.4rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
th{white-space:nowrap}
pre{margin:.5rem 0;padding:.75rem;border:1px solid var(--line);border-radius:.6rem;overflow-x:auto;overflow-wrap:normal}
`

// No form-action: Chromium applies it to the redirect that follows a post, which leaves this origin.
const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`,
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-store',
  'content-security-policy': contentSecurityPolicy,
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
}

/** Builds a page's reply: no script, nothing from elsewhere, and a banner that says what this is. */
export function pageAnswer ({ title, body, status = 200, isWide = false }: Page): Answer {
  return {
    status,
    headers,
    body: `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHTML(title)} · Instagram emulator</title>
<style>${style}</style>
</head>
<body>
<p class="banner" role="note"><strong>Emulator.</strong> This is not Instagram. Nothing here is a real account.</p>
<main${isWide ? ' class="wide"' : ''}>
<h1>${escapeHTML(title)}</h1>
${body}
</main>
</body>
</html>
`,
  }
}

/** Builds a page with one message, for the dead ends that never return to the app. */
export function messageAnswer (title: string, message: string, status = 400): Answer {
  return pageAnswer({ title, body: `<p>${escapeHTML(message)}</p>`, status })
}

/** The page for addresses that no longer exist, and for the retired authorization host. */
export function unavailableAnswer (status = 404): Answer {
  return messageAnswer("Sorry, this page isn't available.", 'The link you followed may be broken, or the page may have been removed.', status)
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

/** Escapes text for HTML, in content and in quoted attributes. */
export function escapeHTML (text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? '')
}
