/** The record of all that the shop received. Nothing is left out, masked or added: it is there to be searched. */
import { isUtf8 } from "node:buffer";
import { closeSync, openSync, writeSync } from "node:fs";

/** @typedef {import("./received.mjs").Received} Received */
/** @typedef {{ number: number, at: Date, received: Received }} Entry */

/** How much is kept for the page; the file keeps all. */
const KEPT_ENTRIES = 500;
const KEPT_BYTES = 4 * 1024 * 1024;

export class Log {
  /** @type {Entry[]} oldest first */
  #entries = [];
  #bytes = 0;
  #count = 0;
  /** @type {number | undefined} */
  #file;

  /** @param {string} [path] appended to; made, readable by its owner only, when it is new */
  constructor(path) {
    if (path !== undefined) this.#file = openSync(path, "a", 0o600);
  }

  /** @param {Received} received */
  add(received) {
    const entry = { number: ++this.#count, at: new Date(), received };
    this.#entries.push(entry);
    this.#bytes += size(entry);
    while (this.#entries.length > KEPT_ENTRIES || this.#bytes > KEPT_BYTES) {
      const [oldest] = this.#entries.splice(0, 1);
      this.#bytes -= size(oldest);
    }
    // Written before the request is answered, so whoever has the answer finds the request in the file.
    if (this.#file !== undefined) writeSync(this.#file, transcript(entry));
  }

  /** Newest first. */
  entries() {
    return this.#entries.toReversed();
  }

  /** How many requests came since the start, those no longer kept included. */
  get count() {
    return this.#count;
  }

  close() {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }
}

/** @param {Entry} entry */
function size({ received }) {
  return received.head.length + received.body.length;
}

/**
 * One entry of the file: a line with its number, time, lengths and ending, then the bytes as they came. The lengths
 * tell where an entry ends, whatever its body holds.
 * @param {Entry} entry
 */
function transcript({ number, at, received: { head, body, ending } }) {
  const title = `== ${number} ${at.toISOString()} head=${head.length} body=${body.length} ${ending}\n`;
  return Buffer.concat([Buffer.from(title), head, body, Buffer.from("\n")]);
}

/**
 * Bytes as text that shows all of them: what is not UTF-8, control characters, and characters that reorder the text
 * around them appear as escapes.
 * @param {Buffer} bytes
 */
export function printable(bytes) {
  const text = isUtf8(bytes) ? bytes.toString("utf8") : bytes.toString("latin1").replace(/[\x80-\xff]/g, escaped);
  return text.replace(/\r\n/g, "\n").replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, escaped);
}

/** @param {string} character */
function escaped(character) {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u{${code.toString(16)}}`;
}
