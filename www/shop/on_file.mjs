/** Cards on file: a token becomes a customer's card, which is charged as often as the customer buys. */
import { Connection, outcome, text } from "./vault.mjs";

/** @typedef {import("./vault.mjs").Charge} Charge */
/** @typedef {import("./vault.mjs").ChargeAnswer} ChargeAnswer */

/**
 * The vault opens the card for the acquirer's first charge. The acquirer keeps it and gives a name for it, and from then
 * on that name goes there in the card's place.
 */
export class OnFile {
  #connection;
  /** @type {Map<string, string>} customers, by the token of their card */
  #customers = new Map();
  /** @type {Map<string, number>} how often each was charged again */
  #again = new Map();

  /** @param {import("./vault.mjs").Keys} keys */
  constructor(keys) {
    this.#connection = new Connection(keys);
  }

  /**
   * Nothing is known of the card before it is on file.
   * @param {string} id
   * @returns {Promise<import("./vault.mjs").TokenAnswer>}
   */
  async token(id) {
    return this.#connection.token(id, this.#customers.has(id));
  }

  /**
   * Puts the card on file and charges it. Each step names itself, so doing it again does it once.
   * @param {Charge} charge
   * @returns {Promise<ChargeAnswer>}
   */
  async charge(charge) {
    const { token } = charge;
    if (!this.#customers.has(token)) {
      const answer = await this.#connection.post("/customers", { card: token }, `customer-${token}`);
      const refused = this.#connection.refused(answer);
      if (refused) return refused;
      if (answer?.object !== "customer" || typeof answer.id !== "string") return { kind: "unknown" };
      this.#customers.set(token, answer.id);
    }
    return this.#charge(charge, `charge-${token}`, "card_kept");
  }

  /**
   * Charges the card on file once more.
   * @param {Charge} charge
   * @returns {Promise<ChargeAnswer>}
   */
  async again(charge) {
    const time = (this.#again.get(charge.token) ?? 0) + 1;
    const answer = await this.#charge(charge, `charge-${time}-${charge.token}`, "stored_charge");
    if (answer.kind !== "unknown") this.#again.set(charge.token, time);
    return answer;
  }

  /**
   * @param {Charge} charge
   * @param {string} name
   * @param {"card_kept" | "stored_charge"} kind
   * @returns {Promise<ChargeAnswer>}
   */
  async #charge({ amount, currency, token }, name, kind) {
    const customer = this.#customers.get(token);
    const answer = await this.#connection.post("/charges", { amount, currency, customer }, name);
    const ended = outcome(answer);
    return ended.kind === "successful" ? { ...ended, use: { kind, detail: text(answer?.id) } } : ended;
  }
}
