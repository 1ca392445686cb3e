import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError, parseConfig } from "../config.mjs";
import { PUBLIC_KEY, SECRET_KEY, start } from "./support.mjs";

const KEYS = { publicKey: PUBLIC_KEY, secretKey: SECRET_KEY };

/**
 * A server that answers from a list, and keeps what it was asked.
 * @param {import("node:test").TestContext} t
 * @param {Record<string, object | [number, object]>} answers by method and path
 */
async function answering(t, answers) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const { method, url, headers } = request;
    asked.push({ call: `${method} ${url}`, body: text && JSON.parse(text), name: headers["idempotency-key"] });
    const found = answers[`${method} ${url}`] ?? [404, { object: "error", code: "not_found", message: "" }];
    const [status, body] = Array.isArray(found) ? found : [200, found];
    response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${server.address().port}`, asked, answers };
}

/** @param {import("node:test").TestContext} t */
async function selling(t, profile, answers, account = KEYS) {
  const vault = await answering(t, answers);
  const accounts = new Map([
    ["cardseal", KEYS],
    [profile, account],
  ]);
  const { shopper } = await start(t, { vault: vault.url, accounts });
  const order = await shopper.checkout();
  return { vault, shopper, order };
}

/** @param {string} text */
const uses = (text) => [...text.matchAll(/data-use="(\w+)"/g)].map(([, use]) => use);

test("a shopper chooses whose token the card becomes, among those that the shop takes", async (t) => {
  const { shopper } = await selling(t, "thales-pci", {});
  const { text } = await shopper.get(`/checkout?profile=thales-pci`);
  assert.match(text, /data-profile="thales-pci"/);
  assert.match(text, /name="profile" value="thales-pci"/);
  assert.match(text, /profile=thales-pci" aria-current="true">Thales PCI/);
  for (const unknown of ["omise", "visa", "__proto__", ""]) {
    const other = await shopper.get(`/checkout?profile=${unknown}`);
    assert.match(other.text, /data-profile="cardseal"/);
  }
});

test("Payment Options' card is put on file, charged, and charged again without it, each once", async (t) => {
  const { vault, shopper, order } = await selling(t, "payment-options", {
    "GET /tokens/tokn_test_1": { object: "token", used: false, charge_status: "unknown", card: null },
    "POST /customers": { object: "customer", id: "cust_test_1" },
    "POST /charges": { object: "charge", id: "chrg_test_1", status: "successful" },
  });
  await shopper.pay(order, "tokn_test_1", { profile: "payment-options" });
  await shopper.post(`/orders/${order}/again`, {});
  const charges = vault.asked.filter(({ call }) => call === "POST /charges");
  assert.deepEqual(
    vault.asked.find(({ call }) => call === "POST /customers"),
    { call: "POST /customers", body: { card: "tokn_test_1" }, name: "customer-tokn_test_1" },
  );
  assert.deepEqual(charges.map(({ body }) => body.customer), ["cust_test_1", "cust_test_1"]);
  assert.equal(new Set(charges.map(({ name }) => name)).size, 2);
  const { text } = await shopper.get(`/orders/${order}`);
  assert.deepEqual(uses(text), ["card_kept", "stored_charge"]);
});

test("a charge without an answer is asked for under the same name", async (t) => {
  const { vault, shopper, order } = await selling(t, "payment-options", {
    "GET /tokens/tokn_test_1": { object: "token", used: true, charge_status: "unknown", card: null },
    "POST /customers": { object: "customer", id: "cust_test_1" },
    "POST /charges": [502, {}],
  });
  vault.answers["GET /tokens/tokn_test_1"].used = false;
  await shopper.pay(order, "tokn_test_1", { profile: "payment-options" });
  assert.equal(await shopper.status(order), "pending");
  vault.answers["GET /tokens/tokn_test_1"].used = true;
  vault.answers["POST /charges"] = { object: "charge", id: "chrg_test_1", status: "successful" };
  await shopper.post(`/orders/${order}/check`, {});
  assert.equal(await shopper.status(order), "paid");
  const names = vault.asked.filter(({ call }) => call === "POST /charges").map(({ name }) => name);
  assert.deepEqual(names, ["charge-tokn_test_1", "charge-tokn_test_1"]);
  assert.equal(vault.asked.filter(({ call }) => call === "POST /customers").length, 1);
});

test("a token of D1 gives a number and a cryptogram, of which the shop shows the length", async (t) => {
  const { vault, shopper, order } = await selling(t, "thales-d1", {
    "GET /profiles/thales-d1/tokens/d1-Token_1": { object: "vendor_token", state: "ACTIVE" },
    "POST /profiles/thales-d1/tokens/d1-Token_1/cryptograms": {
      dpan: "4111111111111111",
      expiry: "1230",
      cryptogram: "secret-cryptogram",
    },
  });
  await shopper.pay(order, "d1-Token_1", { profile: "thales-d1" });
  const credentials = vault.answers["POST /profiles/thales-d1/tokens/d1-Token_1/cryptograms"];
  credentials.cryptogram = null;
  await shopper.post(`/orders/${order}/again`, {});
  const { text } = await shopper.get(`/orders/${order}`);
  assert.deepEqual(uses(text), ["cryptogram", "recurring"]);
  assert.match(text, /•••• 1111, 17/);
  assert.doesNotMatch(text, /secret-cryptogram|4111111111111111/);
  const asked = vault.asked.filter(({ call }) => call.endsWith("/cryptograms"));
  const reason = "a purchase at the demo shop";
  assert.deepEqual(asked.map(({ body }) => body), [
    { use: "one_time", reason },
    { use: "recurring", first: false, reason },
  ]);
});

test("a PCI token's card comes back sealed", async (t) => {
  const { shopper, order } = await selling(t, "thales-pci", {
    "GET /profiles/thales-pci/tokens/pci1": { object: "vendor_token", state: "ACTIVE" },
    "POST /profiles/thales-pci/tokens/pci1/detokenize": { encryptedData: "eyJ.a.b.c.d" },
  });
  await shopper.pay(order, "pci1", { profile: "thales-pci" });
  const { text } = await shopper.get(`/orders/${order}`);
  assert.deepEqual(uses(text), ["detokenized"]);
  assert.doesNotMatch(text, /eyJ/);
});

test("a token that was suspended is not used", async (t) => {
  const { shopper, order } = await selling(t, "thales-d1", {
    "GET /profiles/thales-d1/tokens/d1": { object: "vendor_token", state: "SUSPENDED" },
  });
  await shopper.pay(order, "d1", { profile: "thales-d1" });
  const { text } = await shopper.get(`/orders/${order}`);
  assert.match(text, /data-code="inactive_token"/);
});

test("Omise's token is charged at Omise, with the keys that it gave", async (t) => {
  const omise = await answering(t, {
    "GET /tokens/tokn_test_9": { object: "token", used: false, charge_status: "unknown", card: null },
    "POST /charges": { object: "charge", id: "chrg_test_9", status: "successful" },
  });
  const account = { ...KEYS, omise: { vault: omise.url, ...KEYS } };
  const { vault, shopper, order } = await selling(t, "omise", {}, account);
  await shopper.pay(order, "tokn_test_9", { profile: "omise" });
  const { text } = await shopper.get(`/orders/${order}`);
  assert.deepEqual(uses(text), ["charge"]);
  assert.doesNotMatch(text, /id="use-again"/);
  assert.equal(vault.asked.length, 0);
  assert.equal(omise.asked.filter(({ call }) => call === "POST /charges").length, 1);
});

test("wires show black where a card was and a lock where a seal was, and nothing that is no wire", async (t) => {
  const wire = { number: 1, from: "browser", to: "vault", method: "POST", path: "/tokens", status: 200, answer: [] };
  const standIns = await answering(t, {
    "GET /wires": [
      200,
      [
        { ...wire, request: [{ text: '{"sealed":"' }, { sealed: 812 }] },
        { ...wire, from: "vault", to: "payment-options", request: [{ text: "<b>" }, { black: 16 }] },
        { ...wire, request: "4242424242424242" },
        null,
        "4242424242424242",
      ],
    ],
  });
  const { window } = await start(t, { wires: standIns.url });
  const { text } = await window.get("/wires");
  assert.equal(text.match(/class="wire panel"/g)?.length, 2);
  assert.match(text, /Vault → Payment Options/);
  assert.match(text, /aria-label="16 digits of a card, blacked out">█{16}</);
  assert.match(text, /sealed, 812 characters/);
  assert.match(text, /&lt;b&gt;/);
  assert.doesNotMatch(text, /4242/);
  assert.match((await window.get("/orders")).text, /id="nav-wires"/);
});

test("without anybody to tell of wires there is no way to them", async (t) => {
  const { window } = await start(t);
  assert.doesNotMatch((await window.get("/orders")).text, /nav-wires/);
  assert.match((await window.get("/wires")).text, /Nothing has gone over a wire/);
});

test("the file with vendors' accounts is read strictly, and no key's value is repeated", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "shop-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "vendors.json");
  const read = async (file) => {
    await writeFile(path, typeof file === "string" ? file : JSON.stringify(file));
    const environment = { CARDSEAL_PUBLIC_KEY: PUBLIC_KEY, CARDSEAL_SECRET_KEY: SECRET_KEY };
    return parseConfig({ vault: "https://vault.example", vendors: path }, environment);
  };
  const { accounts, wires } = await read({ wires: "http://127.0.0.1:1/", accounts: { "thales-pci": KEYS } });
  assert.deepEqual([...accounts.keys()], ["cardseal", "thales-pci"]);
  assert.equal(wires, "http://127.0.0.1:1");
  for (const file of [
    "nonsense",
    { accounts: { visa: KEYS } },
    { accounts: { omise: { publicKey: SECRET_KEY, secretKey: SECRET_KEY } } },
    { accounts: { omise: { publicKey: PUBLIC_KEY } } },
    { accounts: { omise: { ...KEYS, omise: { ...KEYS, vault: "nonsense" } } } },
    { wires: "file:///etc" },
  ]) {
    await assert.rejects(read(file), (error) => error instanceof ConfigError && !error.message.includes(SECRET_KEY));
  }
});
