/** Orders and the states they go through. Kept in memory: a demo forgets when it stops. */
import { randomInt } from "node:crypto";

/** @typedef {import("./catalog.mjs").Bill} Bill */
/** @typedef {import("./customer.mjs").Customer} Customer */
/** @typedef {import("./profiles.mjs").Profile} Profile */
/** @typedef {import("./profiles.mjs").Use} Use */
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
 * @property {Date} at
 * @property {Bill} bill as it stood on the page; the cart may change in another tab, this does not
 * @property {Customer | null} customer
 * @property {Profile} profile whose token it is paid with
 * @property {Payment} payment
 */

/** Checkout pages that may be open at a time; the oldest is forgotten for a new one. */
const MOST_OPEN = 1000;

/** No letter that reads as a digit, and no vowel to spell words with. */
const ALPHABET = "23456789bcdfghjkmnpqrstvwxz";

export class Orders {
  /** @type {Map<string, Order>} oldest first */
  #orders = new Map();

  /**
   * @param {Bill} bill
   * @returns {Order}
   */
  open(bill) {
    const open = [...this.#orders.values()].filter((order) => order.payment.status === "open");
    if (open.length >= MOST_OPEN) this.#orders.delete(open[0].id);
    /** @type {Order} */
    const order = { id: newId(), at: new Date(), bill, customer: null, profile: "cardseal", payment: { status: "open" } };
    this.#orders.set(order.id, order);
    return order;
  }

  /**
   * @param {string | null | undefined} id
   * @returns {Order | undefined}
   */
  get(id) {
    return this.#orders.get(id ?? "");
  }

  /** Every order that was sent, newest first. */
  sent() {
    return [...this.#orders.values()].filter((order) => order.payment.status !== "open").toReversed();
  }
}

function newId() {
  return Array.from({ length: 10 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}
