/** One order: how it stands, and all that the shop knows of the card. */
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { NAMES } from "../profiles.mjs";
import { layout, money, time } from "./layout.mjs";
import { cardHint, formToken, lines, sums } from "./parts.mjs";

/** @typedef {import("../language.mjs").Strings} Strings */
/** @typedef {import("../orders.mjs").Order} Order */
/** @typedef {import("../orders.mjs").Payment} Payment */
/** @typedef {Exclude<Payment, import("../orders.mjs").Open>} Sent */
/** @typedef {import("../router.mjs").Visit} Visit */

/**
 * @param {Visit} visit
 * @param {Order} order
 * @param {Sent} payment the order's
 * @param {boolean} again whether its token can be used once more
 */
export function receipt(visit, order, payment, again) {
  const { language } = visit;
  const t = STRINGS[language];
  const { status } = payment;
  const { total } = order.bill;
  return layout(visit, {
    title: t.receipt_title[status],
    main: html`<main id="main" class="narrow receipt" data-order-id="${order.id}" data-status="${status}">
<p><span class="status" id="order-status" data-status="${status}">${t.status[status]}</span></p>
<h1>${t.receipt_title[status]}</h1>
${payment.status === "declined" ? failure(t, payment) : ""}
<p>${t.receipt_text[status]}</p>
${action(visit, order)}
<section class="panel">
  ${lines(language, order.bill)}
  ${sums(language, order.bill)}
</section>
<div class="columns">
<section class="panel">
  <h2>${t.knows_title}</h2>
  <dl class="facts">
    <div><dt>${t.card}</dt><dd id="order-card">${cardHint(language, payment.card)}</dd></div>
    <div><dt>${t.token}</dt><dd id="order-token"><code>${payment.token}</code></dd></div>
    <div><dt>${t.token_of}</dt><dd id="order-profile" data-profile="${order.profile}">${NAMES[order.profile]}</dd></div>
  </dl>
  ${payment.status === "paid" ? uses(visit, order, payment, again) : ""}
  ${visit.place.at === "shop" && visit.place.window && html`<p><a href="${visit.place.window}/orders">${t.see_record}</a></p>`}
</section>
<section class="panel">
  <h2>${t.order} <code id="order-id">${order.id}</code></h2>
  <dl class="facts">
    <div><dt>${t.placed}</dt><dd>${time(language, order.at)}</dd></div>
    <div><dt>${t.amount}</dt><dd id="order-total" data-amount="${total}">${money(language, total)}</dd></div>
    ${order.customer && html`<div><dt>${t.sent_to}</dt><dd>${address(order.customer)}</dd></div>`}
  </dl>
</section>
</div>
</main>`,
  });
}

/**
 * @param {Strings} t
 * @param {import("../orders.mjs").Declined} payment
 */
function failure(t, { code, message }) {
  const known = Object.hasOwn(t.failures, code)
    ? t.failures[/** @type {keyof Strings["failures"]} */ (code)]
    : undefined;
  return html`<p class="problem" id="failure" data-code="${code}">${known ?? t.failures.other}
  ${code && html`<small><code>${code}</code>${!known && message ? html` ${message}` : ""}</small>`}</p>`;
}

/**
 * What was done with the token so far.
 * @param {Visit} visit
 * @param {Order} order
 * @param {import("../orders.mjs").Paid} payment
 * @param {boolean} again
 */
function uses(visit, { id }, payment, again) {
  const t = STRINGS[visit.language];
  return html`<ol class="uses" id="order-uses">${payment.uses.map(
    ({ kind, detail }) => html`
    <li data-use="${kind}">${t.uses[kind]}${detail && html` <code>${detail}</code>`}</li>`,
  )}
  </ol>
  ${again && html`<form method="post" action="/orders/${id}/again">
    ${formToken(visit)}
    <button class="quiet" id="use-again">${t.use_again}</button>
  </form>`}`;
}

/**
 * @param {Visit} visit
 * @param {Order} order
 */
function action(visit, { id, payment }) {
  const t = STRINGS[visit.language];
  if (payment.status === "pending") {
    return html`<form method="post" action="/orders/${id}/check">
  ${formToken(visit)}
  <button class="button" id="check-again">${t.check_again}</button>
</form>`;
  }
  if (payment.status === "declined") {
    return html`<p><a class="button" id="another-card" href="/checkout?order=${id}">${t.another_card}</a></p>`;
  }
  return "";
}

/** @param {import("../customer.mjs").Customer} customer */
function address({ name, street1, street2, city, state, postal_code, country }) {
  return [name, street1, street2, city, state, postal_code, country].filter(Boolean).join(", ");
}
