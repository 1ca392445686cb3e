/** The visitor's own orders. */
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { layout, money, time } from "./layout.mjs";
import { cardHint } from "./parts.mjs";

/** @typedef {import("../orders.mjs").Order} Order */
/** @typedef {import("../router.mjs").Visit} Visit */

/**
 * @param {Visit} visit
 * @param {readonly Order[]} orders newest first
 */
export function orders(visit, orders) {
  const t = STRINGS[visit.language];
  return layout(visit, {
    title: t.own_orders_title,
    main: html`<main id="main" class="narrow">
<h1>${t.own_orders_title}</h1>
<ul id="orders">${orders.map((order) => ordered(visit, order, true))}</ul>
${orders.length === 0 && html`<p class="note">${t.no_own_orders}</p>`}
</main>`,
  });
}

/**
 * @param {Visit} visit
 * @param {Order} order
 * @param {boolean} own whether it is the visitor's, who may look at it
 */
export function ordered({ language }, { id, at, bill, payment }, own) {
  if (payment.status === "open") return undefined;
  const t = STRINGS[language];
  return html`
<li class="panel order" data-order-id="${id}" data-status="${payment.status}">
  ${own ? html`<a href="/orders/${id}"><code>${id}</code></a>` : html`<code>${id}</code>`}
  <span class="status" data-status="${payment.status}">${t.status[payment.status]}</span>
  <span>${time(language, at)}</span>
  <strong class="price">${money(language, bill.total)}</strong>
  <span class="order-card">${cardHint(language, payment.card)}</span>
  <code class="token">${payment.token}</code>
</li>`;
}
