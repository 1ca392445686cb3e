/** HTML from templates that escape by themselves: html`<p>${text}</p>`. */

/** Text that is HTML already. */
export class Html {
  #text;

  /** @param {string} text */
  constructor(text) {
    this.#text = text;
  }

  toString() {
    return this.#text;
  }
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/**
 * What a template takes: text and numbers are escaped, arrays joined, null, undefined and false leave nothing.
 * @typedef {Html | string | number | null | undefined | false} Single
 * @typedef {Single | readonly Single[]} Value
 */

/**
 * @param {TemplateStringsArray} strings
 * @param {...Value} values attribute values belong in double quotes
 */
export function html(strings, ...values) {
  return new Html(String.raw({ raw: strings }, ...values.map(render)));
}

/**
 * @param {Value} value
 * @returns {string}
 */
function render(value) {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Html) return value.toString();
  if (typeof value === "object") return value.map(render).join("");
  return String(value).replace(/[&<>"']/g, (character) => ENTITIES[/** @type {keyof ENTITIES} */ (character)]);
}
