/** The shapes in which a text could hide in a request. Pure, so that it is tested outside a browser too. */

/** What may stand between the digits of a number, percent-encoded or not. */
const GAP = "(?:[\\s+\\-._/]|%20|%2[BDFbdf]|%C2%A0|\\u00a0)*";

/**
 * Finds `text` as typed in any case, its digits with or without gaps, percent-encoded, in Base64 at each of the three
 * positions it can start at, and in hex.
 * @param {string} text
 * @returns {RegExp | undefined} undefined when there is nothing to look for
 */
export function hiding(text) {
  const typed = text.trim();
  if (typed === "") return undefined;
  const shapes = [literal(typed), literal(encodeURIComponent(typed)), literal(hex(typed)), ...base64(typed)];
  const digits = typed.replace(/[\s.-]/g, "");
  if (/^\d{4,}$/.test(digits)) {
    shapes.push([...digits].join(GAP), literal(hex(digits)), ...base64(digits));
  }
  return new RegExp([...new Set(shapes)].join("|"), "i");
}

/** @param {string} text */
function literal(text) {
  return text.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
}

/** @param {string} text */
function hex(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Base64 depends on what stands before and after. Whatever those are, the characters that hold only bits of `text` are
 * the same, so only these are looked for. Short texts would leave too few to mean anything.
 * @param {string} text
 * @returns {string[]}
 */
function base64(text) {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length < 6) return [];
  return [0, 1, 2].map((before) => {
    const padded = btoa(String.fromCharCode(...new Uint8Array(before), ...bytes));
    const start = Math.ceil((before * 8) / 6);
    const end = Math.floor(((before + bytes.length) * 8) / 6);
    // The URL-safe alphabet writes - and _ for + and /; a form post writes %2B and %2F.
    return literal(padded.slice(start, end)).replace(/\\?\+/g, "(?:\\+|-|%2B)").replace(/\\?\//g, "(?:\\/|_|%2F)");
  });
}
