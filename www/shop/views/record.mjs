/** The demo's window: everybody's orders, and everything that the shop received, for anyone to search. */
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { printable } from "../log.mjs";
import { layout } from "./layout.mjs";
import { ordered } from "./orders.mjs";

/** @typedef {import("../log.mjs").Entry} Entry */
/** @typedef {import("../log.mjs").Log} Log */
/** @typedef {import("../orders.mjs").Order} Order */
/** @typedef {import("../router.mjs").Visit} Visit */

/**
 * @param {Visit} visit
 * @param {readonly Order[]} orders newest first
 * @param {Log} log
 */
export function record(visit, orders, log) {
  const t = STRINGS[visit.language];
  const entries = log.entries();
  const bare = entries.filter((entry) => entry.received.body.length === 0).length;
  return layout(visit, {
    title: t.orders_title,
    scripts: ["record.js"],
    main: html`<main id="main" class="wide">
<div class="hero">
  <h1>${t.orders_title}</h1>
  <p class="problem" id="window-note">${t.window_note}</p>
  <p>${t.orders_text}</p>
</div>
<div class="ledger">
<section aria-labelledby="orders-heading">
  <h2 id="orders-heading">${t.orders_list}</h2>
  <ul id="orders">${orders.map((order) => ordered(visit, order, false))}</ul>
  ${orders.length === 0 && html`<p class="note">${t.no_orders}</p>`}
</section>
<section aria-labelledby="record-heading">
  <h2 id="record-heading">${t.record}</h2>
  <div class="search panel" id="search" hidden>
    <label for="record-search">${t.search}</label>
    <input id="record-search" type="text" autocomplete="off" autocapitalize="off" spellcheck="false"
      aria-describedby="search-hint">
    <p id="search-result" role="status" data-none="${t.found_none}" data-some="${t.found_some}"></p>
    <p class="hint" id="search-hint">${t.search_hint}</p>
  </div>
  <p class="record-head"><span>${t.record_count(entries.length, log.count)}</span>
    <label><input type="checkbox" id="show-all" autocomplete="off"> ${t.show_all(bare)}</label></p>
  <div id="record">${entries.map((entry) => request(visit, entry))}
  </div>
</section>
</div>
</main>`,
  });
}

/**
 * @param {Visit} visit
 * @param {Entry} entry
 */
function request({ language }, { number, at, received: { method, target, head, body, ending } }) {
  const t = STRINGS[language];
  const open = method === "POST" && target === "/api/orders" && html` open`;
  const line = [html`<strong>${printable(Buffer.from(method))}</strong> `, printable(Buffer.from(target, "latin1"))];
  return html`
<details class="request" data-number="${number}" data-ending="${ending}" data-body="${body.length}"${open}>
  <summary><span class="number">${number}</span><code>${line}</code>
    <span class="note">${t.endings[ending]} ${body.length > 0 && html`${body.length} ${t.bytes}`}</span>
    <time class="note" datetime="${at.toISOString()}">${at.toISOString().slice(11, 19)}</time></summary>
  <pre>${printable(head)}${body.length > 0 && html`<strong>${printable(body)}</strong>`}</pre>
</details>`;
}
