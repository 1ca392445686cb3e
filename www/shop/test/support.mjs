/** A shop on a free port beside a fake vault, and a shopper without a browser. */
import { connect } from "node:net";
import { parseConfig } from "../config.mjs";
import { createShop } from "../shop.mjs";
import { FakeVault } from "./fake_vault.mjs";

export const PUBLIC_KEY = "pkey_test_1234567890";
export const SECRET_KEY = "skey_test_0987654321";

/**
 * Stops with the test.
 * @param {import("node:test").TestContext} t
 * @param {Partial<import("../config.mjs").Config>} [overrides]
 */
export async function start(t, overrides = {}) {
  const vault = new FakeVault();
  const address = await vault.start();
  const config = parseConfig(
    { port: "0", vault: address },
    { CARDSEAL_PUBLIC_KEY: PUBLIC_KEY, CARDSEAL_SECRET_KEY: SECRET_KEY },
  );
  const shop = createShop({ ...config, windowPort: 0, retryDelays: [], ...overrides });
  const { url, window } = await shop.listen();
  t.after(async () => {
    await shop.close(0);
    await vault.stop();
  });
  return { vault, address, url, shopper: new Shopper(url), window: new Shopper(window ?? url) };
}

export const CUSTOMER = {
  email: "aiko@example.com",
  name: "Aiko Somsri",
  country: "JP",
  postal_code: "600-8001",
  city: "Kyoto",
  street1: "1 Shijo-dori",
};

/** Keeps cookies and follows nothing by itself. */
export class Shopper {
  #cookies = new Map();
  /** @type {Map<string | undefined, string | undefined>} what the checkout page of an order had in it beside its id */
  #notes = new Map();
  #url;

  /** @param {string} url */
  constructor(url) {
    this.#url = url;
  }

  /** The header by which a browser would bring its cookies. */
  get cookies() {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join("; ");
  }

  /** The mark of the session that the last page with a form had in it. @type {string | undefined} */
  mark;

  /** @param {string} path */
  async get(path, headers = {}) {
    const answer = await this.#send(path, { headers });
    this.mark = /name="form_token" value="([^"]+)"/.exec(answer.text)?.[1] ?? this.mark;
    return answer;
  }

  /**
   * @param {string} path
   * @param {Record<string, string> | string} fields a string is sent as it is
   */
  async post(path, fields, headers = {}) {
    const type = { "Content-Type": "application/x-www-form-urlencoded" };
    if (this.mark === undefined) await this.get("/");
    const body = new URLSearchParams(fields);
    if (!body.has("form_token")) body.set("form_token", this.mark ?? "");
    return this.#send(path, {
      method: "POST",
      body: body.toString(),
      headers: { ...type, ...headers },
    });
  }

  /** Fills the cart and opens the checkout page; answers the order's id. */
  async checkout(products = ["sencha"]) {
    for (const product of products) await this.post("/cart/add", { product });
    const { text } = await this.get("/checkout");
    const id = /name="order_id" value="([0-9a-z]{10})"/.exec(text)?.[1];
    this.#notes.set(id, /name="order_note" value="([^"]+)"/.exec(text)?.[1]);
    return id;
  }

  /**
   * @param {string | undefined} order
   * @param {string} token
   */
  async pay(order, token, fields = {}) {
    const order_note = this.#notes.get(order) ?? "";
    return this.post("/api/orders", { ...CUSTOMER, ...fields, order_note, order_id: order, card_token: token });
  }

  /** @param {string | undefined} order */
  async status(order) {
    const { text } = await this.get(`/orders/${order}`);
    return /id="order-status" data-status="(\w+)"/.exec(text)?.[1];
  }

  async #send(path, options) {
    const headers = { ...(this.cookies && { Cookie: this.cookies }), ...options.headers };
    const response = await fetch(this.#url + path, { redirect: "manual", ...options, headers });
    for (const line of response.headers.getSetCookie()) {
      const [name, value] = line.split(";")[0].split("=");
      if (line.includes("Max-Age=0")) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    const { status } = response;
    return {
      status,
      headers: response.headers,
      location: response.headers.get("location"),
      text: await response.text(),
    };
  }
}

/**
 * Sends bytes as they are, which no HTTP client would, and answers all that comes back until the server is done.
 * @param {string} url
 * @param {...(string | Buffer)} pieces strings are sent as Latin-1
 * @returns {Promise<string>}
 */
export function raw(url, ...pieces) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const chunks = [];
    const socket = connect(Number(port), hostname, () => {
      for (const piece of pieces) socket.write(typeof piece === "string" ? Buffer.from(piece, "latin1") : piece);
    });
    socket.on("data", (chunk) => chunks.push(chunk));
    // A server that refuses bytes may close before it read them all.
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

/**
 * Waits until `condition` holds; the test runner's own time limit ends a wait in vain.
 * @param {() => Promise<boolean> | boolean} condition
 */
export async function until(condition) {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 10));
}
