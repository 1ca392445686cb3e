/** What went over each wire, as the vendors' stand-ins tell it: they have taken the cards out. */

/**
 * A piece of a body: a text, or how many characters of a card or of a seal stood there.
 * @typedef {{ text: string } | { black: number } | { sealed: number }} Piece
 */

/**
 * @typedef {object} Wire
 * @property {number} number
 * @property {string} from
 * @property {string} to
 * @property {string} method
 * @property {string} path
 * @property {number | null} status
 * @property {readonly Piece[]} request
 * @property {readonly Piece[]} answer
 */

/** How long the stand-ins may take, in milliseconds. */
const PATIENCE = 5_000;

/** How many are shown. */
const MOST = 60;

/**
 * The newest, newest first; none where nobody tells.
 * @param {string | undefined} address
 * @returns {Promise<readonly Wire[]>}
 */
export async function wires(address) {
  if (address === undefined) return [];
  try {
    const response = await fetch(`${address}/wires`, { signal: AbortSignal.timeout(PATIENCE), redirect: "error" });
    /** @type {unknown} */
    const told = await response.json();
    return Array.isArray(told) ? told.filter(isWire).slice(-MOST).toReversed() : [];
  } catch {
    return [];
  }
}

/**
 * @param {any} wire
 * @returns {wire is Wire}
 */
function isWire(wire) {
  return (
    [wire?.from, wire?.to, wire?.method, wire?.path].every((text) => typeof text === "string") &&
    [wire.request, wire.answer].every((body) => Array.isArray(body) && body.every(isPiece))
  );
}

/** @param {any} piece */
function isPiece(piece) {
  return typeof piece?.text === "string" || Number.isInteger(piece?.black) || Number.isInteger(piece?.sealed);
}
