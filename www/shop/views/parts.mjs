/** Pieces that more than one page shows. */
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { money } from "./layout.mjs";

/** @typedef {import("../catalog.mjs").Bill} Bill */
/** @typedef {import("../catalog.mjs").Product} Product */
/** @typedef {import("../language.mjs").Language} Language */
/** @typedef {import("../vault.mjs").CardHint} CardHint */

/**
 * What every form has in it: another site's page does not know it.
 * @param {import("../router.mjs").Visit} visit
 */
export function formToken({ formToken: mark }) {
  return html`<input type="hidden" name="form_token" value="${mark}">`;
}

/**
 * @param {Product} product
 * @param {string} alt empty where the name stands beside it
 */
export function picture(product, alt) {
  return html`<img class="picture" src="/static/products/${product.id}.svg" alt="${alt}" width="480" height="480">`;
}

/**
 * @param {Language} language
 * @param {Bill} bill
 */
export function lines(language, { lines }) {
  const t = STRINGS[language];
  return html`<ul class="lines">${lines.map(
    ({ product, quantity }) => html`
  <li>
    <span class="thumb">${picture(product, "")}<span class="badge">${quantity}</span></span>
    <span>${t.products[product.id].name}<span class="visually-hidden"> × ${quantity}</span></span>
    <span class="price">${money(language, product.price * quantity)}</span>
  </li>`,
  )}
</ul>`;
}

/**
 * @param {Language} language
 * @param {Bill} bill
 */
export function sums(language, { goods, shipping, total }) {
  const t = STRINGS[language];
  return html`<dl class="sums">
  <div><dt>${t.goods}</dt><dd>${money(language, goods)}</dd></div>
  <div><dt>${t.shipping}</dt><dd>${shipping === 0 ? t.free : money(language, shipping)}</dd></div>
  <div class="total"><dt>${t.total}</dt><dd id="total" data-amount="${total}">${money(language, total)}</dd></div>
</dl>`;
}

/**
 * @param {Language} language
 * @param {CardHint | null} card
 */
export function cardHint(language, card) {
  const t = STRINGS[language];
  return card ? html`${card.brand} <span class="digits">${t.ending(card.lastDigits)}</span>` : t.card_unknown;
}
