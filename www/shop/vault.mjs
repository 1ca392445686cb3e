/** The two calls that a merchant's server makes to the vault. */

/**
 * What a shop may know of a card.
 * @typedef {{ brand: string, lastDigits: string }} CardHint
 */

/**
 * `unknown`: no answer, or none that says what happened; asking again is safe.
 * @typedef {{ kind: "found", used: boolean, chargeStatus: string, card: CardHint | null }
 *   | { kind: "refused", code: string, message: string }
 *   | { kind: "unknown" }} TokenAnswer
 */

/**
 * `failed`: the card was asked and declined. `refused`: nothing was charged, the request itself was wrong.
 * `unknown`: it may have been charged or not.
 * @typedef {{ kind: "successful" }
 *   | { kind: "failed", code: string, message: string }
 *   | { kind: "refused", code: string, message: string }
 *   | { kind: "unknown" }} ChargeAnswer
 */

export class Vault {
  #url;
  #publicKey;
  #secretKey;
  #timeout;

  /** @param {{ vault: string, publicKey: string, secretKey: string, vaultTimeout: number }} config */
  constructor({ vault, publicKey, secretKey, vaultTimeout }) {
    this.#url = vault;
    this.#publicKey = publicKey;
    this.#secretKey = secretKey;
    this.#timeout = vaultTimeout;
  }

  /**
   * `GET /tokens/{id}`
   * @param {string} id
   * @returns {Promise<TokenAnswer>}
   */
  async token(id) {
    const answer = await this.#ask(`/tokens/${encodeURIComponent(id)}`, this.#publicKey);
    if (answer?.object === "error") return refusal(answer);
    if (answer?.object !== "token" || typeof answer.used !== "boolean") return { kind: "unknown" };
    return { kind: "found", used: answer.used, chargeStatus: text(answer.charge_status), card: hint(answer.card) };
  }

  /**
   * `POST /charges`. The vault charges a token once at most.
   * @param {{ amount: number, currency: string, token: string }} charge amount in the currency's smallest unit
   * @returns {Promise<ChargeAnswer>}
   */
  async charge({ amount, currency, token }) {
    const answer = await this.#ask("/charges", this.#secretKey, { amount, currency, card: token });
    if (answer?.object === "error") return refusal(answer);
    if (answer?.object !== "charge") return { kind: "unknown" };
    if (answer.status === "successful") return { kind: "successful" };
    if (answer.status !== "failed") return { kind: "unknown" };
    return { kind: "failed", code: text(answer.failure_code), message: text(answer.failure_message) };
  }

  /**
   * The vault's JSON answer, or undefined when there is none to go by: no connection, no answer in time, overloaded,
   * broken, or something between answering in its place.
   * @param {string} path
   * @param {string} key
   * @param {object} [body] makes it a POST
   * @returns {Promise<Record<string, unknown> | undefined>}
   */
  async #ask(path, key, body) {
    try {
      const response = await fetch(this.#url + path, {
        method: body ? "POST" : "GET",
        headers: {
          Accept: "application/json",
          Authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}`,
          ...(body && { "Content-Type": "application/json" }),
        },
        body: body && JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.timeout(this.#timeout),
      });
      /** @type {unknown} */
      const answer = await response.json();
      if (response.status === 429 || response.status >= 500) return undefined;
      return answer !== null && typeof answer === "object" ? { ...answer } : undefined;
    } catch {
      return undefined;
    }
  }
}

/**
 * @param {Record<string, unknown>} answer
 * @returns {{ kind: "refused", code: string, message: string }}
 */
function refusal(answer) {
  return { kind: "refused", code: text(answer.code), message: text(answer.message) };
}

/** @param {unknown} value */
function text(value) {
  return typeof value === "string" ? value.slice(0, 200) : "";
}

/**
 * @param {unknown} card
 * @returns {CardHint | null}
 */
function hint(card) {
  if (card === null || typeof card !== "object") return null;
  const { brand, last_digits: lastDigits } = /** @type {Record<string, unknown>} */ (card);
  if (typeof brand !== "string" || typeof lastDigits !== "string" || !/^\d{4}$/.test(lastDigits)) return null;
  return { brand: text(brand), lastDigits };
}
