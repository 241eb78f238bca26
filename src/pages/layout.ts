import { createHash } from 'node:crypto'
import { html, type Markup } from './html.ts'
import { texts } from './texts.ts'

/** A page: its heading is its title as well, so neither holds a name from outside. */
export type Page = { heading: string, body: Markup }

/** The colours of the pages, by day and by night; texts keep a contrast of 4.5 to what is behind them. */
export const PALETTES = {
  light: { text: '#1c1a22', soft: '#5b5766', ground: '#f4f2f7', card: '#ffffff', line: '#d9d4e0', mark: '#5b2a86', onMark: '#ffffff', panel: '#f3edf9' },
  dark: { text: '#f3f0f7', soft: '#b9b2c6', ground: '#131117', card: '#1f1b26', line: '#484152', mark: '#d3b4f2', onMark: '#2a1140', panel: '#2b2435' }
} as const

// Names and addresses come from outside: they break anywhere, so that a long one cannot widen a phone's page.
const STYLE = `
:root{color-scheme:light dark;${formatPalette(PALETTES.light)}}
@media (prefers-color-scheme:dark){:root{${formatPalette(PALETTES.dark)}}}
*{box-sizing:border-box}
body{margin:0;padding:1rem;background:var(--ground);color:var(--text);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
main{max-width:32rem;margin:min(8vh,4rem) auto 0;padding:clamp(1.25rem,5vw,2.25rem);background:var(--card);border:1px solid var(--line);border-radius:1rem}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25;text-wrap:balance}
h2{margin:1.75rem 0 .25rem;font-size:1.0625rem}
p{margin:.5rem 0}
.soft{color:var(--soft)}
.panel{margin-top:1.5rem;padding:.25rem 1rem .75rem;background:var(--panel);border-radius:.75rem}
.panel h2{margin-top:.75rem}
ul{margin:1.25rem 0 0;padding:0;list-style:none}
ol{margin:1rem 0 0;padding-left:1.5rem}
li+li{margin-top:.75rem}
a{color:var(--mark);text-underline-offset:.15em}
a.choice,a.button{display:block;min-height:3rem;padding:.75rem 1.1rem;border:1px solid var(--mark);border-radius:.75rem;font-weight:600;text-decoration:none}
a.choice small{display:block;color:var(--soft);font-size:.9rem;font-weight:400}
a.button{margin-top:1.5rem;background:var(--mark);color:var(--on-mark);text-align:center}
form{margin-top:1.5rem}
label{font-weight:600}
textarea{display:block;width:100%;margin-top:.5rem;padding:.75rem;border:1px solid var(--soft);border-radius:.5rem;background:var(--card);color:var(--text);font:1rem/1.5 ui-monospace,SFMono-Regular,Consolas,monospace;resize:vertical}
button{display:block;width:100%;min-height:3rem;margin-top:1rem;padding:.75rem 1.1rem;border:1px solid var(--mark);border-radius:.75rem;background:var(--mark);color:var(--on-mark);font:inherit;font-weight:600;cursor:pointer}
.alert{border-left:.35rem solid var(--mark)}
a.choice:hover,a.button:hover{text-decoration:underline}
:focus-visible{outline:3px solid var(--mark);outline-offset:3px}
code{font:.95rem/1.5 ui-monospace,SFMono-Regular,Consolas,monospace}
code.copy{display:block;margin-top:.75rem;padding:.75rem;border:1px dashed var(--soft);border-radius:.5rem;background:var(--card);-webkit-user-select:all;user-select:all}
footer{max-width:32rem;margin:1rem auto;padding:0 .25rem;color:var(--soft);font-size:.875rem;text-align:center}
@media (forced-colors:active){a.button,button,.panel{border:2px solid}}
`

/** The one inline style, as a source of a Content-Security-Policy. */
export const STYLE_SOURCE = `'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`

/** Builds a whole page: no script, nothing from elsewhere, and robots are asked not to list it. */
export function buildPage ({ heading, body }: Page): string {
  return `<!doctype html>
<html lang="${texts.language}" dir="${texts.direction}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta name="referrer" content="no-referrer">
<title>${html`${heading} · ${texts.product}`.toString()}</title>
<style>${STYLE}</style>
</head>
<body>
${html`<main>
<h1>${heading}</h1>
${body}
</main>
<footer>${texts.footer}</footer>`.toString()}
</body>
</html>
`
}

function formatPalette (palette: Readonly<Record<string, string>>): string {
  return Object.entries(palette).map(([name, colour]) => `--${name === 'onMark' ? 'on-mark' : name}:${colour}`).join(';')
}
