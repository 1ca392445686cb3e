/** The checkout page: an ordinary form, with an empty element where the widget puts its card fields. */
import { COUNTRIES, RULES } from "../customer.mjs";
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { NAMES } from "../profiles.mjs";
import { layout, money } from "./layout.mjs";
import { formToken, lines, sums } from "./parts.mjs";

/** @typedef {import("../config.mjs").Config} Config */
/** @typedef {import("../customer.mjs").Customer} Customer */
/** @typedef {import("../customer.mjs").Field} Field */
/** @typedef {import("../language.mjs").Strings} Strings */
/** @typedef {import("../orders.mjs").Order} Order */
/** @typedef {import("../router.mjs").Visit} Visit */

/** @type {Record<Field, string>} */
const AUTOCOMPLETE = {
  email: "email",
  name: "name",
  phone_number: "tel",
  country: "country",
  postal_code: "postal-code",
  state: "address-level1",
  city: "address-level2",
  street1: "address-line1",
  street2: "address-line2",
};

/** @type {Partial<Record<Field, string>>} */
const TYPE = { email: "email", phone_number: "tel" };

/**
 * Published test cards, one for each outcome.
 * @type {readonly { number: string, outcome: keyof Strings["outcomes"] }[]}
 */
const TEST_CARDS = [
  { number: "4242 4242 4242 4242", outcome: "successful" },
  { number: "3530 1113 3330 0000", outcome: "successful" },
  { number: "4111 1111 1114 0011", outcome: "insufficient_fund" },
  { number: "4111 1111 1113 0012", outcome: "stolen_or_lost_card" },
  { number: "4111 1111 1112 0013", outcome: "failed_processing" },
  { number: "4111 1111 1111 0014", outcome: "payment_rejected" },
];

/**
 * @param {Visit} visit
 * @param {Config} config
 * @param {Order} order
 * @param {Customer} customer
 * @param {readonly Field[]} [wrong] the fields to correct
 * @param {"no_token" | null} [missing]
 */
export function checkout(visit, config, order, customer, wrong = [], missing = null) {
  const { language } = visit;
  const t = STRINGS[language];
  const total = money(language, order.bill.total);
  const account = /** @type {import("../config.mjs").Account} */ (config.accounts.get(order.profile));
  const complaint = wrong.length > 0 ? t.wrong_fields : missing && t[missing];
  /** @param {Field} name */
  const input = (name) => field(t, name, customer, wrong);
  return layout(visit, {
    title: t.checkout_title,
    scripts: ["page.js", "checkout.js"],
    main: html`<main id="main" class="checkout">
<h1>${t.checkout_title}</h1>
<aside class="summary" aria-label="${t.summary}">
  <details id="summary" open>
    <summary><span>${t.summary}</span><strong class="price">${total}</strong></summary>
    ${lines(language, order.bill)}
    ${sums(language, order.bill)}
  </details>
</aside>
<form id="checkout" method="post" action="/api/orders"
  data-public-key="${account.publicKey}" data-vault="${config.vault}" data-mode="${config.mode}" data-locale="${language}" data-profile="${order.profile}"
  data-check-card="${t.check_card}" data-try-again="${t.try_again}" data-cannot-pay="${t.cannot_pay}">
  ${formToken(visit)}
  <input type="hidden" name="order_note" value="${order.note}">
  <input type="hidden" name="order_id" value="${order.id}">
  <input type="hidden" name="profile" value="${order.profile}">
  <input type="hidden" name="card_token" autocomplete="off">
  ${complaint && html`<p class="problem" id="form-problem" role="alert">${complaint}</p>`}
  <fieldset>
    <legend>${t.contact}</legend>
    ${input("email")}
  </fieldset>
  <fieldset>
    <legend>${t.address}</legend>
    ${input("name")}
    ${countryField(visit, customer, wrong)}
    <div class="pair">${input("postal_code")}${input("state")}</div>
    ${input("city")}
    ${input("street1")}
    ${input("street2")}
    ${input("phone_number")}
  </fieldset>
  <fieldset>
    <legend>${t.payment}</legend>
    ${profiles(t, config, order)}
    <p class="hint">${t.card_note[whereTo(order.profile)]}</p>
    <div id="card" data-loading="${t.card_loading}"></div>
    <noscript><p class="problem">${t.card_no_script}</p></noscript>
    <p class="problem" id="payment-problem" role="alert" data-not-loaded="${t.card_not_loaded}"></p>
    <button class="button" id="pay" disabled>${t.pay(total)}</button>
  </fieldset>
  ${account.publicKey.startsWith("pkey_test_") ? testCards(t) : ""}
</form>
</main>`,
  });
}

/**
 * Where a card goes, and how.
 * @param {import("../profiles.mjs").Profile} profile
 */
function whereTo(profile) {
  if (profile === "omise") return "omise";
  return profile.startsWith("thales") ? "thales" : "vault";
}

/**
 * Whose token the card becomes, where there is a choice.
 * @param {Strings} t
 * @param {Config} config
 * @param {Order} order
 */
function profiles(t, { accounts }, { id, profile, payment }) {
  if (accounts.size < 2) return "";
  // Only an order that was sent is known by its id.
  const sent = payment.status === "open" ? "" : html`order=${id}&amp;`;
  return html`<nav class="profiles" id="profiles" aria-label="${t.token_of}"><span>${t.token_of}</span>${[
    ...accounts.keys(),
  ].map(
    (name) => html`
    <a href="/checkout?${sent}profile=${name}"${name === profile && html` aria-current="true"`}>${NAMES[name]}</a>`,
  )}
  </nav>`;
}

/**
 * @param {Strings} t
 * @param {Field} name
 * @param {Customer} customer
 * @param {readonly Field[]} wrong
 */
function field(t, name, customer, wrong) {
  const rule = RULES.find((each) => each.name === name);
  const optional = !rule?.required && html` <span class="optional">(${t.optional})</span>`;
  return html`<p class="field">
  <label for="${name}">${t.fields[name]}${optional}</label>
  <input id="${name}" name="${name}" type="${TYPE[name] ?? "text"}" value="${customer[name]}" maxlength="${rule?.most}"
    autocomplete="${AUTOCOMPLETE[name]}"${rule?.required && html` required`}${invalid(name, wrong)}>
  ${correction(t, name, wrong)}
</p>`;
}

/**
 * @param {Visit} visit
 * @param {Customer} customer
 * @param {readonly Field[]} wrong
 */
function countryField({ language }, customer, wrong) {
  const t = STRINGS[language];
  const names = new Intl.DisplayNames(language, { type: "region" });
  const chosen = customer.country || { en: "", ja: "JP", th: "TH" }[language];
  return html`<p class="field">
  <label for="country">${t.fields.country}</label>
  <select id="country" name="country" autocomplete="country" required${invalid("country", wrong)}>
    <option value="">${t.choose}</option>
    ${COUNTRIES.map(
      (code) => html`<option value="${code}"${code === chosen && html` selected`}>${names.of(code)}</option>`,
    )}
  </select>
  ${correction(t, "country", wrong)}
</p>`;
}

/**
 * @param {Field} name
 * @param {readonly Field[]} wrong
 */
function invalid(name, wrong) {
  return wrong.includes(name) ? html` aria-invalid="true" aria-describedby="${name}-wrong"` : "";
}

/**
 * @param {Strings} t
 * @param {Field} name
 * @param {readonly Field[]} wrong
 */
function correction(t, name, wrong) {
  return wrong.includes(name) ? html`<span class="correction" id="${name}-wrong">${t.wrong[name]}</span>` : "";
}

/** @param {Strings} t */
function testCards(t) {
  return html`<details id="test-cards">
  <summary>${t.test_cards}</summary>
  <p class="hint">${t.test_cards_note}</p>
  <ul>${TEST_CARDS.map(
    ({ number, outcome }) => html`
    <li><code>${number}</code><span>${t.outcomes[outcome]}</span>
      <button type="button" class="link" data-copy="${number}" data-copied="${t.copied}"
        aria-label="${t.copy_named(number)}">${t.copy}</button></li>`,
  )}
  </ul>
</details>`;
}
