/** The products. */
import { PRODUCTS } from "../catalog.mjs";
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { layout, money } from "./layout.mjs";
import { formToken, picture } from "./parts.mjs";

/** @typedef {import("../router.mjs").Visit} Visit */

/** @param {Visit} visit */
export function home(visit) {
  const t = STRINGS[visit.language];
  return layout(visit, {
    title: t.motto,
    main: html`<main id="main" class="wide">
<div class="hero">
  <h1>${t.home_title}</h1>
  <p>${t.home_text}</p>
</div>
<ul class="products">${PRODUCTS.map((each) => card(visit, each))}
</ul>
<p class="note">${t.tax_included}</p>
</main>`,
  });
}

/**
 * @param {Visit} visit
 * @param {import("../catalog.mjs").Product} product
 */
function card(visit, { id, price }) {
  const t = STRINGS[visit.language];
  const { name, detail, alt } = t.products[id];
  const inCart = visit.cart.find((line) => line.product.id === id);
  return html`
<li class="product" id="${id}">
  ${picture({ id, price }, alt)}
  <h2>${name}</h2>
  <p class="detail">${detail}</p>
  <form method="post" action="/cart/add">
    ${formToken(visit)}
    <span class="price">${money(visit.language, price)}</span>
    <button class="quiet" id="add-${id}" name="product" value="${id}"
      aria-label="${t.add_named(name)}">${t.add}</button>
  </form>
  ${inCart && html`<p class="in-cart">${t.in_cart(inCart.quantity)} <a href="/cart">${t.view_cart}</a></p>`}
</li>`;
}
