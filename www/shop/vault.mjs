/** What a merchant's server asks the vault, or Omise itself. */

/**
 * @typedef {object} Keys
 * @property {string} vault the address
 * @property {string} publicKey
 * @property {string} secretKey
 * @property {number} vaultTimeout milliseconds that one request may take
 */

/**
 * What a shop may know of a card.
 * @typedef {{ brand: string, lastDigits: string }} CardHint
 */

/**
 * Money to take with a token, in the currency's smallest unit.
 * @typedef {{ amount: number, currency: string, token: string }} Charge
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
 * @typedef {{ kind: "successful", use: import("./profiles.mjs").Use }
 *   | { kind: "failed", code: string, message: string }
 *   | { kind: "refused", code: string, message: string }
 *   | { kind: "unknown" }} ChargeAnswer
 */

/** The two calls that an ordinary shop makes. */
export class Vault {
  #connection;

  /** @param {Keys} keys */
  constructor(keys) {
    this.#connection = new Connection(keys);
  }

  /**
   * `GET /tokens/{id}`
   * @param {string} id
   * @returns {Promise<TokenAnswer>}
   */
  async token(id) {
    return this.#connection.token(id);
  }

  /**
   * `POST /charges`. The vault charges a token once at most.
   * @param {Charge} charge
   * @returns {Promise<ChargeAnswer>}
   */
  async charge({ amount, currency, token }) {
    const answer = await this.#connection.post("/charges", { amount, currency, card: token });
    const ended = outcome(answer);
    return ended.kind === "successful" ? { ...ended, use: { kind: "charge", detail: text(answer?.id) } } : ended;
  }
}

/** Requests with a merchant's keys. */
export class Connection {
  #keys;

  /** @param {Keys} keys */
  constructor(keys) {
    this.#keys = keys;
  }

  /**
   * @param {string} id
   * @param {boolean} [onFile] whether it was used to put its card on file, and may be used on
   * @returns {Promise<TokenAnswer>}
   */
  async token(id, onFile = false) {
    const answer = await this.#ask("GET", `/tokens/${encodeURIComponent(id)}`, this.#keys.publicKey);
    const refused = this.refused(answer);
    if (refused) return refused;
    if (answer?.object !== "token" || typeof answer.used !== "boolean") return { kind: "unknown" };
    const used = answer.used && !onFile;
    return { kind: "found", used, chargeStatus: text(answer.charge_status), card: hint(answer.card) };
  }

  /** @param {string} path */
  async get(path) {
    return this.#ask("GET", path, this.#keys.secretKey);
  }

  /**
   * @param {string} path
   * @param {object} body
   * @param {string} [name] the same for the same request, so that it is carried out once however often it is sent
   */
  async post(path, body, name) {
    return this.#ask("POST", path, this.#keys.secretKey, body, name);
  }

  /**
   * The refusal that an answer is, if it is one.
   * @param {Record<string, unknown> | undefined} answer
   * @returns {{ kind: "refused", code: string, message: string } | undefined}
   */
  refused(answer) {
    if (answer?.object !== "error") return undefined;
    return { kind: "refused", code: text(answer.code), message: text(answer.message) };
  }

  /**
   * The JSON answer, or undefined when there is none to go by: no connection, no answer in time, overloaded, broken, or
   * something between answering in its place.
   * @param {"GET" | "POST"} method
   * @param {string} path
   * @param {string} key
   * @param {object} [body]
   * @param {string} [name]
   * @returns {Promise<Record<string, unknown> | undefined>}
   */
  async #ask(method, path, key, body, name) {
    try {
      const response = await fetch(this.#keys.vault + path, {
        method,
        headers: {
          Accept: "application/json",
          Authorization: `Basic ${Buffer.from(`${key}:`).toString("base64")}`,
          ...(body && { "Content-Type": "application/json" }),
          ...(name && { "Idempotency-Key": name }),
        },
        body: body && JSON.stringify(body),
        redirect: "error",
        signal: AbortSignal.timeout(this.#keys.vaultTimeout),
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
 * What came of a charge.
 * @param {Record<string, unknown> | undefined} answer
 * @returns {{ kind: "successful" } | Exclude<ChargeAnswer, { kind: "successful" }>}
 */
export function outcome(answer) {
  if (answer?.object === "error") return { kind: "refused", code: text(answer.code), message: text(answer.message) };
  if (answer?.object !== "charge") return { kind: "unknown" };
  if (answer.status === "successful") return { kind: "successful" };
  if (answer.status !== "failed") return { kind: "unknown" };
  return { kind: "failed", code: text(answer.failure_code), message: text(answer.failure_message) };
}

/** @param {unknown} value */
export function text(value) {
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
