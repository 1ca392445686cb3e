/** The cart. */
import { bill } from "../catalog.mjs";
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { layout, money } from "./layout.mjs";
import { formToken, picture, sums } from "./parts.mjs";

/** @typedef {import("../router.mjs").Visit} Visit */

/** @param {Visit} visit */
export function cart(visit) {
  const t = STRINGS[visit.language];
  return layout(visit, {
    title: t.cart_title,
    main: html`<main id="main" class="narrow">
<h1>${t.cart_title}</h1>
${visit.cart.length > 0 ? full(visit) : empty(t)}
</main>`,
  });
}

/** @param {import("../language.mjs").Strings} t */
function empty(t) {
  return html`<p id="cart-empty">${t.cart_empty}</p>
<p><a class="button" href="/">${t.cart_empty_action}</a></p>`;
}

/** @param {Visit} visit */
function full(visit) {
  const t = STRINGS[visit.language];
  return html`<ul class="cart">${visit.cart.map((line) => row(visit, line))}
</ul>
<div class="cart-end">
  ${sums(visit.language, bill(visit.cart))}
  <a class="button" id="to-checkout" href="/checkout">${t.to_checkout}</a>
  <a href="/">${t.back_to_shop}</a>
</div>`;
}

/**
 * @param {Visit} visit
 * @param {import("../catalog.mjs").Line} line
 */
function row(visit, { product, quantity }) {
  const t = STRINGS[visit.language];
  const { name } = t.products[product.id];
  return html`
<li id="line-${product.id}">
  <span class="thumb">${picture(product, "")}</span>
  <div>
    <h2>${name}</h2>
    <p class="detail">${money(visit.language, product.price)} ${t.each}</p>
    <form class="stepper" method="post" action="/cart/set">
      ${formToken(visit)}
      <input type="hidden" name="product" value="${product.id}">
      <button name="quantity" value="${quantity - 1}" aria-label="${t.fewer(name)}">−</button>
      <output aria-label="${t.quantity}">${quantity}</output>
      <button name="quantity" value="${quantity + 1}" aria-label="${t.more(name)}">+</button>
      <button class="link" name="quantity" value="0" aria-label="${t.remove_named(name)}">${t.remove}</button>
    </form>
  </div>
  <strong class="price">${money(visit.language, product.price * quantity)}</strong>
</li>`;
}
