/** What every page has around it. */
import { count } from "../cart.mjs";
import { CURRENCY } from "../catalog.mjs";
import { html } from "../html.mjs";
import { LANGUAGES, STRINGS } from "../language.mjs";

/** @typedef {import("../html.mjs").Html} Html */
/** @typedef {import("../router.mjs").Visit} Visit */
/** @typedef {import("../language.mjs").Language} Language */

/**
 * @param {Visit} visit
 * @param {{ title: string, main: Html, scripts?: readonly string[] }} content `main` is a main element; scripts are
 *   files of static/
 */
export function layout(visit, { title, main, scripts = [] }) {
  const t = STRINGS[visit.language];
  return html`<!doctype html>
<html lang="${visit.language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} · ${t.shop}</title>
<link rel="icon" href="/static/hanko.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/shop.css">
${scripts.map((script) => html`<script type="module" src="/static/${script}"></script>`)}
</head>
<body>
<a class="skip" href="#main">${t.skip}</a>
<header class="top">
  <a class="brand" href="/"><img src="/static/hanko.svg" alt="" width="36" height="36"><span>${t.shop}</span></a>
  ${visit.place.at === "shop" ? shopNav(visit, visit.place.window) : windowNav(t, visit.place.wires)}
</header>
${main}
<footer class="bottom">
  <p>${t.footer}</p>
  <nav aria-label="${t.languages}">${LANGUAGES.map((language) => languageLink(visit, language))}</nav>
</footer>
</body>
</html>
`;
}

/**
 * @param {Visit} visit
 * @param {string | null} window the address of the demo's, where one is open
 */
function shopNav(visit, window) {
  const t = STRINGS[visit.language];
  const inCart = count(visit.cart);
  return html`<nav>
    <a href="/">${t.nav}</a>
    <a href="/orders" id="nav-orders">${t.nav_orders}</a>
    ${window && html`<a href="${window}/orders" id="nav-window">${t.nav_window}</a>`}
    <a href="/cart" id="nav-cart" aria-label="${t.nav_cart}, ${t.cart_count(inCart)}">${t.nav_cart}
      <span class="count" id="cart-count">${inCart}</span></a>
  </nav>`;
}

/**
 * @param {import("../language.mjs").Strings} t
 * @param {boolean} wires whether there is somebody to tell what went over the wires
 */
function windowNav(t, wires) {
  return html`<nav>
    <a href="/orders" id="nav-record">${t.nav_window}</a>
    ${wires && html`<a href="/wires" id="nav-wires">${t.nav_wires}</a>`}
  </nav>`;
}

/**
 * @param {Visit} visit
 * @param {Language} language
 */
function languageLink(visit, language) {
  // A page that answers a form post cannot be asked for again.
  const again = visit.received.method === "GET";
  const query = new URLSearchParams(again ? visit.query : "");
  query.set("lang", language);
  const current = language === visit.language && html` aria-current="true"`;
  const address = `${again ? "" : "/"}?${query}`;
  return html`<a href="${address}" lang="${language}" hreflang="${language}"${current}>${STRINGS[language].name}</a>`;
}

/**
 * @param {Language} language
 * @param {number} amount
 */
export function money(language, amount) {
  return new Intl.NumberFormat(language, { style: "currency", currency: CURRENCY }).format(amount);
}

/**
 * @param {Language} language
 * @param {Date} at
 */
export function time(language, at) {
  const text = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(at);
  return html`<time datetime="${at.toISOString()}">${text}</time>`;
}
