/**
 * Takes an order from a token to an outcome, and never charges it twice.
 *
 * Two facts make that possible. The vault charges a token once at most, so asking again with the same token is safe.
 * And `GET /tokens/{id}` says whether a token was used, so an answer that got lost can be looked up. While an outcome
 * is unknown the order takes no other token.
 */

import { CURRENCY } from "./catalog.mjs";

/** @typedef {import("./orders.mjs").Order} Order */
/** @typedef {import("./orders.mjs").Pending} Pending */
/** @typedef {import("./profiles.mjs").Channel} Channel */

export class Payments {
  #channels;
  #orders;
  #retryDelays;
  /** @type {Map<Order, Promise<void>>} at most one conversation with the vault for an order */
  #underway = new Map();
  /** @type {Map<Order, NodeJS.Timeout>} */
  #retries = new Map();
  #closed = false;

  /**
   * @param {ReadonlyMap<import("./profiles.mjs").Profile, Channel>} channels
   * @param {import("./orders.mjs").Orders} orders who says which order a token is for
   * @param {readonly number[]} retryDelays milliseconds
   */
  constructor(channels, orders, retryDelays) {
    this.#channels = channels;
    this.#orders = orders;
    this.#retryDelays = retryDelays;
  }

  /**
   * Pays an open or declined order. Anything else (the same form sent twice, a page from the browser's history)
   * changes nothing: the order keeps the payment it has, as it does when too many cards were tried. Waits for the outcome, or for the first failure to get one.
   * @param {Order} order
   * @param {string} token
   */
  async pay(order, token) {
    const { payment } = order;
    const again = payment.status === "declined" && payment.token === token;
    if (payment.status === "open" || (payment.status === "declined" && !again)) {
      const claim = this.#orders.claim(order, token);
      if (claim === "of_another") {
        decline(order, { token, card: null }, "used_token", "The token was sent with another order.");
      }
      if (claim !== "taken") return;
      order.payment = { status: "pending", token, card: null, attempted: false };
    }
    await this.settle(order);
  }

  /**
   * Finds out how a pending order ended; later on by itself when the vault does not say.
   * @param {Order} order
   * @param {number} [retry] which of the retry delays comes next
   */
  async settle(order, retry = 0) {
    let underway = this.#underway.get(order);
    if (!underway) {
      underway = this.#ask(order).finally(() => this.#underway.delete(order));
      this.#underway.set(order, underway);
    }
    await underway;
    if (order.payment.status === "pending") this.#later(order, retry);
  }

  /**
   * Uses the token of a paid order once more, where it can be: for the same again.
   * @param {Order} order
   */
  async again(order) {
    const { payment, bill } = order;
    const channel = this.#channel(order);
    if (payment.status !== "paid" || !channel.again) return;
    const answer = await channel.again({ amount: bill.total, currency: CURRENCY, token: payment.token });
    if (answer.kind === "successful") order.payment = { ...payment, uses: [...payment.uses, answer.use] };
  }

  /** @param {Order} order */
  canBeUsedAgain(order) {
    return this.#channel(order).again !== undefined;
  }

  /**
   * @param {Order} order
   * @returns {Channel}
   */
  #channel({ profile }) {
    const channel = this.#channels.get(profile);
    if (!channel) throw new Error(`nobody takes tokens of ${profile}`);
    return channel;
  }

  /** Stops asking. What is under way goes on to its end. */
  close() {
    this.#closed = true;
    for (const timer of this.#retries.values()) clearTimeout(timer);
  }

  /**
   * @param {Order} order
   * @param {number} retry
   */
  #later(order, retry) {
    if (this.#closed || this.#retries.has(order) || retry >= this.#retryDelays.length) return;
    const timer = setTimeout(() => {
      this.#retries.delete(order);
      void this.settle(order, retry + 1);
    }, this.#retryDelays[retry]);
    this.#retries.set(order, timer.unref());
  }

  /** @param {Order} order */
  async #ask(order) {
    const pending = order.payment;
    if (pending.status !== "pending") return;

    const channel = this.#channel(order);
    const found = await channel.token(pending.token);
    if (found.kind === "unknown") return;
    if (found.kind === "refused") {
      // Once a charge was attempted, only the token's own state can tell how it ended.
      if (!pending.attempted) decline(order, pending, found.code, found.message);
      return;
    }
    pending.card = found.card;
    if (found.used) {
      // Seen unused before the first attempt and used now: that attempt did it. Used before any: not for this order.
      if (!pending.attempted) decline(order, pending, "used_token", "The token was used before.");
      else if (found.chargeStatus === "successful") order.payment = paid(pending, LOOKED_UP);
      else if (found.chargeStatus === "failed") decline(order, pending, "", "");
      return;
    }

    const first = !pending.attempted;
    pending.attempted = true;
    const { bill } = order;
    const answer = await channel.charge({ amount: bill.total, currency: CURRENCY, token: pending.token });
    if (answer.kind === "successful") order.payment = paid(pending, answer.use);
    else if (answer.kind === "failed") decline(order, pending, answer.code, answer.message);
    // After an attempt without an answer, a refusal may only mean that the attempt got through.
    else if (answer.kind === "refused" && first) decline(order, pending, answer.code, answer.message);
  }
}

/** A charge that was found to be made. @type {import("./profiles.mjs").Use} */
const LOOKED_UP = { kind: "charge", detail: "" };

/**
 * @param {Pending} pending
 * @param {import("./profiles.mjs").Use} use
 * @returns {import("./orders.mjs").Paid}
 */
function paid({ token, card }, use) {
  return { status: "paid", token, card, uses: [use] };
}

/**
 * @param {Order} order
 * @param {Pick<Pending, "token" | "card">} pending
 * @param {string} code
 * @param {string} message
 */
function decline(order, { token, card }, code, message) {
  order.payment = { status: "declined", token, card, code, message };
}
