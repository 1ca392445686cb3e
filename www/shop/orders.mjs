/**
 * Orders and the states they go through. Kept in memory: a demo forgets when it stops.
 *
 * Each belongs to the session that it was made in, and nobody else can see or change it. Until the checkout form is sent,
 * an order stands in that form only, marked by the server, so that looking at the page costs no memory and one visitor's
 * pages push out nobody's. What was sent is kept: so many a session, so many in all. For a new one, the oldest that was
 * declined makes room, first the session's own; one that is paid or not settled yet never does, and when there are none but
 * those, the new one is refused.
 */
import { randomInt } from "node:crypto";
import * as basket from "./cart.mjs";
import { bill } from "./catalog.mjs";

/** @typedef {import("./catalog.mjs").Bill} Bill */
/** @typedef {import("./customer.mjs").Customer} Customer */
/** @typedef {import("./profiles.mjs").Profile} Profile */
/** @typedef {import("./profiles.mjs").Use} Use */
/** @typedef {import("./session.mjs").Session} Session */
/** @typedef {import("./vault.mjs").CardHint} CardHint */

/**
 * What is known of the money:
 * - `open`: the checkout page was shown, nothing was sent yet;
 * - `pending`: a token came; `attempted` says whether the vault was ever asked to charge it;
 * - `paid` and `declined`: the vault said so. `code` is why, the vault's `failure_code`; empty when it did not say.
 *
 * @typedef {{ status: "open" }} Open
 * @typedef {{ status: "pending", token: string, card: CardHint | null, attempted: boolean }} Pending
 * @typedef {{ status: "paid", token: string, card: CardHint | null, uses: readonly Use[] }} Paid
 * @typedef {{ status: "declined", token: string, card: CardHint | null, code: string, message: string }} Declined
 * @typedef {Open | Pending | Paid | Declined} Payment
 */

/**
 * @typedef {object} Order
 * @property {string} id made when the checkout page is rendered, so that sending the page twice is one order
 * @property {string} session whose it is
 * @property {string} note time and bill, marked: what the checkout form brings back of an order that is kept nowhere yet
 * @property {Date} at
 * @property {Bill} bill as it stood on the page; the cart may change in another tab, this does not
 * @property {Customer | null} customer
 * @property {Profile} profile whose token it is paid with
 * @property {Payment} payment
 */

/** How many orders are kept of one session, and in all. */
const MOST_OF_SESSION = 50;
const MOST = 10_000;

/** Cards that may be tried for one order. */
const MOST_CARDS = 10;

/** How long a checkout page can be sent after it was shown, in milliseconds. */
const LIFETIME = 24 * 60 * 60 * 1000;

/** No letter that reads as a digit, and no vowel to spell words with. */
const ALPHABET = "23456789bcdfghjkmnpqrstvwxz";

export class Orders {
  #sessions;
  /** @type {Map<string, Order>} oldest first */
  #orders = new Map();
  /** @type {Map<string, Order>} every token that came with an order that is kept */
  #tokens = new Map();

  /** @param {import("./session.mjs").Sessions} sessions */
  constructor(sessions) {
    this.#sessions = sessions;
  }

  /**
   * An order for a checkout page. It is kept nowhere before it is sent.
   * @param {Session} session
   * @param {readonly import("./catalog.mjs").Line[]} lines
   * @returns {Order}
   */
  offer(session, lines) {
    return this.#open(session, newId(), `${Date.now().toString(36)}!${basket.format(lines)}`);
  }

  /**
   * An order that was sent before, or the one that a checkout page of this session's has in it.
   * @param {Session} session
   * @param {string | null} id
   * @param {string | null} note
   * @returns {Order | undefined}
   */
  sentOrOffered(session, id, note) {
    const sent = this.get(session, id);
    if (sent || id === null || note === null || this.#orders.has(id)) return sent;
    const [at, cart, mark] = note.split("!");
    if (!this.#sessions.isMark(mark ?? null, session, "order", `${id}!${at}!${cart}`)) return undefined;
    return Date.now() - parseInt(at, 36) > LIFETIME ? undefined : this.#open(session, id, `${at}!${cart}`);
  }

  /**
   * Keeps an order that was sent.
   * @param {Order} order
   * @returns {boolean} whether there is room for it
   */
  keep(order) {
    if (this.#orders.get(order.id) === order) return true;
    const all = [...this.#orders.values()];
    const own = all.filter(({ session }) => session === order.session);
    for (const [orders, most] of /** @type {const} */ ([[own, MOST_OF_SESSION], [all, MOST]])) {
      if (orders.length < most) continue;
      const oldest = orders.find(({ payment }) => payment.status === "declined");
      if (!oldest) return false;
      this.#forget(oldest);
    }
    this.#orders.set(order.id, order);
    return true;
  }

  /**
   * Takes a token for an order: each pays one only, and so many are tried for one.
   * @param {Order} order
   * @param {string} token
   * @returns {"taken" | "of_another" | "too_many"}
   */
  claim(order, token) {
    if (this.#tokens.has(token)) return "of_another";
    if ([...this.#tokens.values()].filter((owner) => owner === order).length >= MOST_CARDS) return "too_many";
    this.#tokens.set(token, order);
    return "taken";
  }

  /**
   * An order of this session's that was sent.
   * @param {Session} session
   * @param {string | null | undefined} id
   * @returns {Order | undefined}
   */
  get(session, id) {
    const order = this.#orders.get(id ?? "");
    return order?.session === session.id ? order : undefined;
  }

  /**
   * This session's orders, newest first.
   * @param {Session} session
   */
  of(session) {
    return this.everybodys().filter((order) => order.session === session.id);
  }

  /** Every session's orders, newest first: for the demo's window, for no page of the shop's. */
  everybodys() {
    return [...this.#orders.values()].toReversed();
  }

  /**
   * @param {Session} session
   * @param {string} id
   * @param {string} text time and cart; the time with letters, as thirteen digits would look like a card's number
   * @returns {Order}
   */
  #open(session, id, text) {
    const [at, cart] = text.split("!");
    return {
      id,
      session: session.id,
      note: `${text}!${this.#sessions.mark(session, "order", `${id}!${text}`)}`,
      at: new Date(parseInt(at, 36)),
      bill: bill(basket.parse(cart)),
      customer: null,
      profile: "cardseal",
      payment: { status: "open" },
    };
  }

  /** @param {Order} order */
  #forget(order) {
    this.#orders.delete(order.id);
    for (const [token, owner] of this.#tokens) if (owner === order) this.#tokens.delete(token);
  }
}

function newId() {
  return Array.from({ length: 10 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}
