/** The visitor's language: asked for, remembered, or the browser's. */
import en from "./strings/en.mjs";
import ja from "./strings/ja.mjs";
import th from "./strings/th.mjs";

/** @typedef {import("./strings/en.mjs").Strings} Strings */
/** @typedef {"en" | "ja" | "th"} Language */

export const COOKIE = "shop_lang";

/** @type {Record<Language, Strings>} */
export const STRINGS = { en, ja, th };

/** @type {readonly Language[]} */
export const LANGUAGES = ["en", "ja", "th"];

/**
 * @param {string | null | undefined} text
 * @returns {Language | undefined}
 */
export function language(text) {
  return LANGUAGES.find((each) => each === text);
}

/**
 * The first language of an Accept-Language header that the shop speaks. Browsers list them in order.
 * @param {string | undefined} header
 * @returns {Language}
 */
export function accepted(header) {
  for (const range of (header ?? "").split(",")) {
    const found = language(range.trim().slice(0, 2).toLowerCase());
    if (found) return found;
  }
  return "en";
}
