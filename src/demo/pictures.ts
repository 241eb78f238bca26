import { html } from '../pages/html.ts'

/** The product, drawn: a mug with two waves of glaze, on a table. */
export const MUG = html`<svg viewBox="0 0 480 420" role="img" aria-label="A stoneware mug with a sea-green glaze">
<rect width="480" height="420" fill="#efe7d8"/>
<circle cx="372" cy="108" r="54" fill="#f6d9ae"/>
<rect y="312" width="480" height="108" fill="#d9c7a8"/>
<ellipse cx="226" cy="338" rx="136" ry="18" fill="#b9a585"/>
<path d="M312 168h34c38 0 56 24 56 56s-22 58-62 58h-34" fill="none" stroke="#27817a" stroke-width="22"/>
<path d="M120 120h208l-14 192c-2 16-12 24-28 24H162c-16 0-26-8-28-24z" fill="#f7f2e8"/>
<path d="M120 120h208l-7 98c-22 22-46-14-72 6s-44 14-66-4-36-6-56 4z" fill="#2f8f86"/>
<path d="M127 224c20-10 34-22 56-4s40 24 66 4 50 16 72-6l-2 26c-24 20-46-12-70 6s-46 14-66-4-34-8-54 6z" fill="#8cc9bd"/>
<ellipse cx="224" cy="120" rx="104" ry="22" fill="#22736c"/>
<ellipse cx="224" cy="124" rx="88" ry="15" fill="#4a2f21"/>
<path d="M196 86c-10-14 10-20 0-38M236 80c-10-14 10-20 0-38" fill="none" stroke="#c8bba2" stroke-width="6" stroke-linecap="round"/>
</svg>`

/** A camera, the sign on the button of Instagram. */
export const CAMERA = html`<svg width="22" height="22" viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="2"><rect x="3" y="3" width="18" height="18" rx="5"/><circle cx="12" cy="12" r="4.2"/><circle cx="17.4" cy="6.6" r=".9" fill="currentColor"/></svg>`
