/**
 * Who a request is from, and what only this server can have written into a page of theirs.
 *
 * A session is a random cookie and nothing that the server keeps, so that a flood of visits leaves nothing behind. A mark
 * binds a text to a session: a form's mark shows that the form comes from a page that this server gave to this session.
 */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { cookie } from "./received.mjs";

/** 256 random bits in base64url. */
const SESSION = /^[\w-]{43}$/;

/** `fresh`: the visitor does not have its cookie yet. @typedef {{ id: string, fresh: boolean }} Session */

export class Sessions {
  #key = randomBytes(32);
  #cookie;

  /** @param {boolean} secure whether shoppers come by HTTPS: then no other host can set the cookie (RFC 6265bis 4.1.3.2) */
  constructor(secure) {
    this.#cookie = secure ? "__Host-shop_session" : "shop_session";
  }

  /** The cookie's name. */
  get cookie() {
    return this.#cookie;
  }

  /**
   * The session that a request belongs to, or a new one.
   * @param {import("./received.mjs").Received} received
   * @returns {Session}
   */
  of(received) {
    const id = cookie(received, this.#cookie);
    if (id !== undefined && SESSION.test(id)) return { id, fresh: false };
    return { id: randomBytes(32).toString("base64url"), fresh: true };
  }

  /**
   * @param {Session} session
   * @param {"form" | "order"} purpose a mark for one is none for another
   * @param {string} text
   */
  mark({ id }, purpose, text) {
    return createHmac("sha256", this.#key).update(`${purpose}\n${id}\n${text}`).digest("base64url");
  }

  /**
   * In a time that does not depend on how much of a mark is right.
   * @param {string | null} mark
   * @param {Session} session
   * @param {"form" | "order"} purpose
   * @param {string} text
   */
  isMark(mark, session, purpose, text) {
    const [given, right] = [Buffer.from(mark ?? ""), Buffer.from(this.mark(session, purpose, text))];
    return given.length === right.length && timingSafeEqual(given, right);
  }
}
