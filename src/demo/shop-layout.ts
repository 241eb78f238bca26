import { createHash } from 'node:crypto'
import { html, type Markup } from '../pages/html.ts'

/** The shop's name and its one product. */
export const SHOP_NAME = 'Saltmarsh Pottery'
export const PRODUCT = { name: 'Tide mug', priceCents: 2800 } as const

const STYLE = `
:root{color-scheme:light;--ink:#22302f;--soft:#55625f;--paper:#fbf8f2;--card:#fff;--line:#dfd8ca;--mark:#0f5e59;--on-mark:#fff;--sand:#efe7d8;--alert:#9b1c1c}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:1.0625rem/1.55 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
.demo{margin:0;padding:.4rem 1rem;background:var(--ink);color:#fff;font-size:.85rem;text-align:center}
header,main,footer{max-width:62rem;margin:0 auto;padding:1rem clamp(1rem,4vw,2rem)}
header{display:flex;flex-wrap:wrap;gap:.25rem 1.5rem;align-items:baseline;justify-content:space-between}
header nav{display:flex;gap:1.25rem}
.name{font:600 1.35rem Georgia,"Times New Roman",serif;letter-spacing:.01em;text-decoration:none;color:var(--ink)}
a{color:var(--mark);text-underline-offset:.15em}
h1{margin:.25rem 0 .5rem;font:600 clamp(1.7rem,5vw,2.3rem)/1.15 Georgia,"Times New Roman",serif}
h2{margin:0 0 .5rem;font-size:1.1rem}
.soft{color:var(--soft)}
.small{font-size:.9rem}
.two{display:grid;gap:clamp(1.25rem,4vw,3rem);align-items:start}
@media (min-width:46rem){.two{grid-template-columns:1.1fr 1fr}.two.checkout{grid-template-columns:1.5fr 1fr}}
.picture{border-radius:1.25rem;background:var(--sand);overflow:hidden}
.picture svg{display:block;width:100%;height:auto}
.price{font-size:1.3rem;font-weight:600}
.card{padding:1.25rem;background:var(--card);border:1px solid var(--line);border-radius:1rem}
.card+.card{margin-top:1rem}
.row{display:flex;gap:1rem;align-items:center;justify-content:space-between}
.row .thumb{flex:none;width:4.5rem;border-radius:.75rem;background:var(--sand);overflow:hidden}
.row .thumb svg{display:block;width:100%;height:auto}
.grow{flex:1}
form{margin:0}
label{display:block;margin-top:1rem;font-weight:600}
label small,.hint{display:block;margin:.1rem 0 0;color:var(--soft);font-size:.9rem;font-weight:400}
input,select{width:100%;min-height:3rem;margin-top:.35rem;padding:.5rem .75rem;border:1px solid #7d8884;border-radius:.6rem;background:#fff;color:var(--ink);font:inherit}
select{width:auto}
input[aria-invalid=true]{border:2px solid var(--alert)}
.button,button{display:inline-flex;gap:.6rem;align-items:center;justify-content:center;min-height:3rem;padding:.6rem clamp(.75rem,4vw,1.4rem);border:1px solid var(--mark);border-radius:2rem;background:var(--mark);color:var(--on-mark);font:inherit;font-weight:600;text-decoration:none;cursor:pointer}
.button.wide,button.wide{width:100%;margin-top:1.25rem}
.button.instagram{border-color:#8a2a6b;background:#8a2a6b}
.button svg{flex:none}
button.link{min-height:2.75rem;padding:0 .25rem;border:0;background:none;color:var(--mark);text-decoration:underline;text-underline-offset:.15em}
.button:hover,button:hover{filter:brightness(1.12)}
:focus-visible{outline:3px solid #d97b1f;outline-offset:3px}
.notice{margin:0 0 1rem;padding:.75rem 1rem;border-left:4px solid #d97b1f;border-radius:.25rem .75rem .75rem .25rem;background:#fff4e2}
.person{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}
.face{display:grid;flex:none;place-items:center;width:2.75rem;height:2.75rem;border-radius:50%;background:#8a2a6b;color:#fff;font-weight:700}
.error{margin:.35rem 0 0;color:var(--alert);font-weight:600}
.scroll{margin-top:1rem;overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:1rem}
table{width:100%;border-collapse:collapse;font-size:.95rem}
th,td{padding:.7rem .9rem;border-bottom:1px solid var(--line);text-align:left;white-space:nowrap}
tbody tr:last-child td{border-bottom:0}
th{color:var(--soft);font-size:.85rem}
.tag{padding:.1rem .55rem;border-radius:1rem;background:#dcefe9;color:#0b4b46;font-size:.85rem;font-weight:600}
details{margin-top:1rem}
summary{cursor:pointer}
pre{padding:1rem;border:1px solid var(--line);border-radius:1rem;background:var(--card);font-size:.85rem;overflow-x:auto;overflow-wrap:normal}
footer{margin-top:2rem;border-top:1px solid var(--line);color:var(--soft);font-size:.9rem}
`

/** The Content-Security-Policy of every page of the shop. */
export const SHOP_CSP = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join('; ')

/** Builds a page of the shop. */
export function buildShopPage ({ title, body }: { title: string, body: Markup }): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${html`${title} · ${SHOP_NAME}`.toString()}</title>
<style>${STYLE}</style>
</head>
<body>
${html`<p class="demo">A demo on this computer: nothing is sold, and the Instagram here is an emulator.</p>
<header>
<a class="name" href="/">${SHOP_NAME}</a>
<nav aria-label="Shop"><a href="/">Mugs</a><a href="/cart">Cart</a><a href="/owner">For the owner</a></nav>
</header>
<main>
${body}
</main>
<footer>Thrown by hand, fired twice, dishwasher-safe.</footer>`.toString()}
</body>
</html>
`
}

/** A price in cents as people read it. */
export function formatPrice (cents: number): string {
  return new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' }).format(cents / 100)
}
