/** What went over each wire: a card blacked out where somebody could have read it, a lock where nobody could. */
import { html } from "../html.mjs";
import { STRINGS } from "../language.mjs";
import { printable } from "../log.mjs";
import { NAMES } from "../profiles.mjs";
import { layout } from "./layout.mjs";

/** @typedef {import("../language.mjs").Strings} Strings */
/** @typedef {import("../router.mjs").Visit} Visit */
/** @typedef {import("../wires.mjs").Piece} Piece */
/** @typedef {import("../wires.mjs").Wire} Wire */

/**
 * @param {Visit} visit
 * @param {readonly Wire[]} wires newest first
 */
export function wires(visit, wires) {
  const t = STRINGS[visit.language];
  return layout(visit, {
    title: t.wires_title,
    main: html`<main id="main" class="wide">
<div class="hero">
  <h1>${t.wires_title}</h1>
  <p>${t.wires_text}</p>
  <p class="legend"><span>${black(t, 4)} ${t.wire_black_note}</span> <span>${sealed(t, null)} ${t.wire_sealed_note}</span></p>
</div>
<ul id="wires">${wires.map((wire) => row(t, wire))}</ul>
${wires.length === 0 && html`<p class="note">${t.no_wires}</p>`}
</main>`,
  });
}

/**
 * @param {Strings} t
 * @param {Wire} wire
 */
function row(t, { from, to, method, path, status, request, answer }) {
  return html`
<li class="wire panel" data-from="${from}" data-to="${to}">
  <p class="wire-head"><strong>${party(t, from)} → ${party(t, to)}</strong>
    <code>${shown(method)} ${shown(path)}</code> <span class="note">${status ?? "—"}</span></p>
  ${request.length > 0 && html`<pre>${request.map((piece) => body(t, piece))}</pre>`}
  ${answer.length > 0 && html`<pre class="answer">${answer.map((piece) => body(t, piece))}</pre>`}
</li>`;
}

/**
 * @param {Strings} t
 * @param {string} name
 */
function party(t, name) {
  if (Object.hasOwn(t.parties, name)) return t.parties[/** @type {keyof Strings["parties"]} */ (name)];
  return Object.hasOwn(NAMES, name) ? NAMES[/** @type {keyof typeof NAMES} */ (name)] : shown(name);
}

/**
 * @param {Strings} t
 * @param {Piece} piece
 */
function body(t, piece) {
  if ("text" in piece) return shown(piece.text);
  return "black" in piece ? black(t, piece.black) : sealed(t, piece.sealed);
}

/**
 * @param {Strings} t
 * @param {number} length
 */
function black(t, length) {
  return html`<span class="black" role="img" aria-label="${t.wire_black(length)}">${"█".repeat(Math.min(length, 19))}</span>`;
}

/**
 * @param {Strings} t
 * @param {number | null} length
 */
function sealed(t, length) {
  const text = length === null ? t.wire_lock : t.wire_sealed(length);
  return html`<span class="sealed"><span aria-hidden="true">🔒 </span>${text}</span>`;
}

/** @param {string} text */
function shown(text) {
  return printable(Buffer.from(text));
}
