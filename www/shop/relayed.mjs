/** Tokens of Thales, which the vault passed on without being able to open the seal. */
import { Connection, text } from "./vault.mjs";

/** @typedef {import("./vault.mjs").Charge} Charge */
/** @typedef {import("./vault.mjs").ChargeAnswer} ChargeAnswer */

/**
 * A shop does not charge these by itself: what it gets for a token goes to its processor. Here it is shown that it came,
 * and how long it was.
 */
export class Relayed {
  #connection;
  #profile;

  /**
   * @param {import("./vault.mjs").Keys} keys
   * @param {"thales-d1" | "thales-pci"} profile
   */
  constructor(keys, profile) {
    this.#connection = new Connection(keys);
    this.#profile = profile;
  }

  /**
   * @param {string} id
   * @returns {Promise<import("./vault.mjs").TokenAnswer>}
   */
  async token(id) {
    const answer = await this.#connection.get(this.#path(id));
    const refused = this.#connection.refused(answer);
    if (refused) return refused;
    if (answer?.object !== "vendor_token") return { kind: "unknown" };
    if (answer.state !== "ACTIVE") return { kind: "refused", code: "inactive_token", message: text(answer.state) };
    return { kind: "found", used: false, chargeStatus: "unknown", card: null };
  }

  /**
   * Gets what a processor needs for one purchase. No money moves, so asking again does no harm.
   * @param {Charge} charge
   * @returns {Promise<ChargeAnswer>}
   */
  async charge({ token }) {
    return this.#profile === "thales-d1" ? this.#credentials(token, { use: "one_time" }) : this.#detokenized(token);
  }

  /**
   * Another purchase with the same token, which its holder agreed to: networks want a cryptogram for the first one only.
   * @param {Charge} charge
   * @returns {Promise<ChargeAnswer>}
   */
  async again({ token }) {
    if (this.#profile === "thales-pci") return this.#detokenized(token);
    return this.#credentials(token, { use: "recurring", first: false });
  }

  /**
   * @param {string} id
   * @param {{ use: "one_time" | "recurring", first?: boolean }} purpose
   * @returns {Promise<ChargeAnswer>}
   */
  async #credentials(id, purpose) {
    const answer = await this.#connection.post(`${this.#path(id)}/cryptograms`, {
      ...purpose,
      reason: "a purchase at the demo shop",
    });
    const refused = this.#connection.refused(answer);
    if (refused) return refused;
    if (typeof answer?.dpan !== "string") return { kind: "unknown" };
    // The number in the card's place is for the processor; its last digits are for people.
    const [last, length] = [text(answer.dpan).slice(-4), text(answer.cryptogram).length];
    const use = length > 0 ? "cryptogram" : "recurring";
    return { kind: "successful", use: { kind: use, detail: `•••• ${last}${length > 0 ? `, ${length}` : ""}` } };
  }

  /**
   * @param {string} id
   * @returns {Promise<ChargeAnswer>}
   */
  async #detokenized(id) {
    const answer = await this.#connection.post(`${this.#path(id)}/detokenize`, { reason: "a purchase at the demo shop" });
    const refused = this.#connection.refused(answer);
    if (refused) return refused;
    if (typeof answer?.encryptedData !== "string") return { kind: "unknown" };
    return { kind: "successful", use: { kind: "detokenized", detail: String(answer.encryptedData.length) } };
  }

  /** @param {string} id */
  #path(id) {
    return `/profiles/${this.#profile}/tokens/${encodeURIComponent(id)}`;
  }
}
