/** A vault for the tests: charges each token once, and can be told to misbehave. */
import { createServer } from "node:http";
import { once } from "node:events";

/**
 * What the vault does with a request, in place of answering it well.
 * `hang` takes it, carries it out and never answers; `break` carries it out and cuts the connection; `fail` answers
 * 503 without doing anything; `html` answers as a proxy in front of a dead vault would.
 * @typedef {"hang" | "break" | "fail" | "html" | null} Trouble
 */

export class FakeVault {
  /** @type {Map<string, { used: boolean, chargeStatus: string, failure: string | null }>} */
  tokens = new Map();
  /** @type {{ authorization: string, amount: number, currency: string, card: string }[]} every charge asked for */
  charges = [];
  /** @type {Trouble} */
  tokenTrouble = null;
  /** @type {Trouble} */
  chargeTrouble = null;
  lookups = 0;
  #server = createServer((request, response) => this.#answer(request, response));
  #made = 0;

  async start() {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  stop() {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(resolve));
  }

  /** @param {string | null} [failure] the failure code of its charge */
  token(failure = null) {
    this.#made += 1;
    const id = `tokn_test_${String(this.#made).padStart(8, "x")}`;
    this.tokens.set(id, { used: false, chargeStatus: "unknown", failure });
    return id;
  }

  /** Charges that went through. */
  get successful() {
    return [...this.tokens.values()].filter((token) => token.chargeStatus === "successful").length;
  }

  async #answer(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const charging = request.method === "POST" && request.url === "/charges";
    const looking = request.method === "GET" && request.url.startsWith("/tokens/");
    if (!looking && !charging) return json(response, 404, error("not_found", "nothing here"));
    if (looking) this.lookups += 1;
    const trouble = looking ? this.tokenTrouble : this.chargeTrouble;
    if (trouble === "fail") return json(response, 503, error("service_unavailable", "The vault is busy."));
    if (trouble === "html") return response.writeHead(502, { "Content-Type": "text/html" }).end("<h1>Bad gateway</h1>");
    const [status, body] = looking
      ? this.#look(request.url.slice("/tokens/".length))
      : this.#charge(request.headers.authorization, JSON.parse(Buffer.concat(chunks).toString()));
    if (trouble === "hang") return undefined;
    if (trouble === "break") return request.socket.destroy();
    return json(response, status, body);
  }

  #look(id) {
    const token = this.tokens.get(id);
    if (!token) return [404, error("not_found", "token was not found")];
    const card = { object: "card", brand: "Visa", last_digits: "4242", first_digits: null };
    return [200, { object: "token", id, used: token.used, charge_status: token.chargeStatus, card }];
  }

  #charge(authorization, charge) {
    this.charges.push({ authorization, ...charge });
    const token = this.tokens.get(charge.card);
    if (!token) return [404, error("not_found", "token was not found")];
    if (token.used) return [400, error("used_token", "token was already used")];
    token.used = true;
    token.chargeStatus = token.failure ? "failed" : "successful";
    const failure = { failure_code: token.failure, failure_message: token.failure && "the bank <said> no" };
    return [200, { object: "charge", id: "chrg_test_1", status: token.chargeStatus, ...failure }];
  }
}

function error(code, message) {
  return { object: "error", location: "https://vault.example/errors", code, message };
}

function json(response, status, body) {
  response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}
