// `cardseal/omise` as far as it needs no page: what Omise.createToken answers, and what OmiseCard makes of its options.
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { build } from "esbuild";

const top = new URL("../../", import.meta.url).pathname;
const target = process.env.CARGO_TARGET_DIR ?? join(top, "target");
const CARD = {
  name: "Somchai Prasert",
  number: "4242 4242 4242 4242",
  expiration_month: "12",
  expiration_year: "2030",
  security_code: "123",
};

// Node's own fetch reads no files, and the wasm lies beside the script.
const { fetch } = globalThis;
globalThis.fetch = async (resource, options) => {
  const url = new URL(resource.url ?? resource);
  if (url.protocol !== "file:") return fetch(resource, options);
  return new Response(readFileSync(url), { headers: { "content-type": "application/wasm" } });
};

const globals = Object.getOwnPropertyNames(globalThis);
const { Omise, OmiseCard } = await import("../../pkg/omise.mjs");

test("importing it on a server is harmless", () => {
  assert.deepEqual(Object.getOwnPropertyNames(globalThis), globals);
  assert.equal(OmiseCard.open({ publicKey: "pkey_test_1" }), false);
  assert.equal(OmiseCard.close(), false);
  OmiseCard.destroy();
});

/** Calls createToken as a page does, and waits for its handler. */
function createToken(card, as = "card") {
  return new Promise((resolve) => {
    const returned = Omise.createToken(as, card, (status, response) => resolve({ status, response }));
    assert.equal(returned, undefined);
  });
}

test("before it is told a vault it says so to the handler", async () => {
  Omise.setPublicKey("pkey_test_1");
  const { status, response } = await createToken(CARD);
  assert.equal(status, 0);
  assert.equal(response.code, "rpc_error");
  assert.match(response.message, /Omise\.setVault/);
});

describe("at a vault", () => {
  const folder = mkdtempSync(join(tmpdir(), "cardseal-omise-"));
  const program = join(target, "debug/cardseal-vault");
  /** @type {import("node:child_process").ChildProcess} */
  let server;
  let keys;
  let vault;

  before(async () => {
    const add = ["merchant", "add", "--json", "--name", "omise", "--origin", "https://shop.example", "--data-dir", folder];
    keys = JSON.parse(execFileSync(program, add, { encoding: "utf8" }));
    server = spawn(program, ["serve", "--listen", "127.0.0.1:0", "--data-dir", folder], {
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, RUST_LOG: "off" },
    });
    for await (const line of createInterface({ input: server.stdout })) {
      vault = line.match(/listening on (\S+)/)?.[1];
      if (vault) break;
    }
    assert.ok(vault, "the vault says where it listens");
    Omise.setVault(vault);
    assert.equal(Omise.setPublicKey(keys.public_key), keys.public_key);
  });

  after(async () => {
    server.kill();
    await once(server, "exit");
    rmSync(folder, { recursive: true });
  });

  test("a card becomes a token in Omise's shape", async () => {
    const address = { street1: "1448/4 Praditmanutham Road", city: "Bangkok", postal_code: 10320, country: "TH" };
    const { status, response } = await createToken({ ...CARD, ...address, phone_number: "0123456789", state: null });
    assert.equal(status, 200);
    const { id, created_at, card, ...token } = response;
    assert.match(id, /^tokn_test_[0-9a-z]+$/);
    assert.match(created_at, /^\d{4}-\d\d-\d\dT.*Z$/);
    assert.deepEqual(token, {
      object: "token",
      livemode: false,
      location: `${vault}/tokens/${id}`,
      used: false,
      charge_status: "unknown",
    });
    assert.deepEqual(card, {
      object: "card",
      id: null,
      livemode: false,
      location: null,
      deleted: false,
      street1: "1448/4 Praditmanutham Road",
      street2: null,
      city: "Bangkok",
      state: null,
      phone_number: "0123456789",
      postal_code: "10320",
      country: "TH",
      financing: "",
      bank: "",
      brand: "Visa",
      fingerprint: null,
      first_digits: null,
      last_digits: "4242",
      name: "Somchai Prasert",
      expiration_month: 12,
      expiration_year: 2030,
      security_code_check: true,
      tokenization_method: null,
      created_at,
    });
    const seen = await fetch(`${vault}/tokens/${id}`, { headers: { authorization: `Basic ${btoa(`${keys.public_key}:`)}` } });
    const { object, card: known } = await seen.json();
    assert.equal(object, "token");
    assert.deepEqual(Object.keys(card).sort(), Object.keys(known).sort(), "the members that the vault itself shows");
  });

  test("month and year are taken as numbers and as text, the number in groups and without", async () => {
    for (const changes of [
      { expiration_month: 1, expiration_year: 2031 },
      { expiration_month: "01", expiration_year: "31" },
      { expiration_month: " 1 ", expiration_year: 31 },
      { number: "4242-4242-4242-4242" },
      { number: 4242424242424242, security_code: 123 },
      { email: "somchai@example.com", security_code: undefined },
    ]) {
      const { status, response } = await createToken({ ...CARD, ...changes });
      assert.equal(status, 200, `${JSON.stringify(changes)}: ${response.message}`);
    }
  });

  test("a security code that the acquirer refuses shows in the token, as pages of Omise.js look for it", async () => {
    const { status, response } = await createToken({ ...CARD, number: "4111111111160001" });
    assert.equal(status, 200);
    assert.equal(response.card.security_code_check, false);
  });

  test("what is wrong with a card is said in words by which Omise's clients find the field", async () => {
    const last = new Date().getUTCFullYear() - 1;
    for (const [changes, message] of [
      [{ name: " " }, "name can't be blank"],
      [{ number: "" }, "number can't be blank and brand not supported (unknown)"],
      [{ number: "4242424242424241" }, "number is invalid"],
      [{ number: "4242" }, "number is invalid"],
      [{ number: "4242 x" }, "number is invalid"],
      [{ number: "0000000000000000" }, "brand not supported (unknown)"],
      [{ expiration_month: "13" }, "expiration month is not between 1 and 12"],
      [{ expiration_month: 0 }, "expiration month is not between 1 and 12"],
      [{ expiration_year: last }, "expiration date cannot be in the past"],
      [{ expiration_year: "203" }, "expiration year is invalid"],
      [{ expiration_year: "2099" }, "expiration year is invalid"],
      [{ security_code: "12" }, "security code can't be blank"],
      [{ security_code: "12x" }, "security code is invalid"],
      [{ name: "4242 4242 4242 4242" }, "name is invalid"],
      [
        { name: null, expiration_month: "", expiration_year: undefined },
        "name can't be blank, expiration month can't be blank, and expiration year can't be blank",
      ],
    ]) {
      const { status, response } = await createToken({ ...CARD, ...changes });
      assert.deepEqual([status, response], [400, { object: "error", code: "invalid_card", message }], JSON.stringify(changes));
    }
    for (const nothing of [undefined, null, {}, "card", 4242]) {
      const { status, response } = await createToken(nothing);
      assert.deepEqual([status, response.code], [400, "invalid_card"]);
      assert.match(response.message, /^name can't be blank, number can't be blank, /);
    }
  });

  test("a key that is none of the vault's is an authentication failure", async () => {
    for (const key of ["pkey_test_0000000000000000000", "", "skey_test_1", undefined]) {
      Omise.setPublicKey(key);
      const { status, response } = await createToken(CARD);
      assert.deepEqual([status, response.object, response.code], [401, "error", "authentication_failure"], key);
      assert.ok(response.message);
    }
    Omise.setPublicKey(keys.public_key);
  });

  test("nothing but a card becomes a token, and there are no sources", async () => {
    const wallet = await createToken({ method: "googlepay", data: "{}" }, "tokenization");
    assert.deepEqual([wallet.status, wallet.response.code], [400, "bad_request"]);
    const [status, response] = await new Promise((resolve) => {
      Omise.createSource("promptpay", { amount: 100, currency: "THB" }, (...told) => resolve(told));
    });
    assert.deepEqual([status, response.object, response.code], [0, "error", "create_source_error"]);
    assert.equal(response.error, response.message);
  });

  test("a call without a handler does no harm", async () => {
    Omise.createToken("card", CARD);
    Omise.createSource("promptpay", {});
    assert.equal((await createToken(CARD)).status, 200);
  });

  test("a vault that cannot be reached is an rpc_error with status 0", async () => {
    // Nothing listens on port 1.
    for (const address of ["http://127.0.0.1:1", "http://vault.example", "nonsense"]) {
      Omise.setVault(address);
      const { status, response } = await createToken(CARD);
      assert.deepEqual([status, response.code], [0, "rpc_error"], address);
    }
    Omise.setVault(vault);
  });
});

test("configurations add up under one name each, from Omise.js's defaults on", () => {
  const defaults = OmiseCard.configure();
  assert.equal(defaults.currency, "THB");
  assert.equal(defaults.submitAuto, "yes");
  assert.equal(defaults.buttonLabel, "Pay with Omise");
  OmiseCard.configure({ publicKey: "pkey_test_1", logo: "/logo.png", locationField: "yes", frameLabel: "Tea" });
  const all = OmiseCard.configure({ key: undefined, frameLabel: "Tea House", amount: "12345" });
  assert.deepEqual(all, {
    ...defaults,
    key: "pkey_test_1",
    image: "/logo.png",
    location: "yes",
    frameLabel: "Tea House",
    amount: "12345",
  });
  const { buttonId, configuration } = OmiseCard.configureButton("#pay", { amount: 100 });
  assert.equal(buttonId, "#pay");
  assert.deepEqual(configuration, { ...all, amount: 100 });
  OmiseCard.destroy();
  assert.deepEqual(OmiseCard.configure(), defaults);
});

test("an amount is shown in its currency, with as many decimals as that has", async (t) => {
  const { amount } = await source("omise/amount.ts");
  t.mock.method(console, "warn", () => {});
  for (const [given, locale, shown] of [
    [{ amount: 12345, currency: "THB" }, "en", "THB 123.45"],
    [{ amount: "12345", currency: "thb" }, "th", "฿123.45"],
    [{ amount: 1000, currency: "JPY" }, "ja", "¥1,000"],
    [{ amount: 1000, currency: "jpy" }, "en", "¥1,000"],
    [{ amount: 100025, currency: "USD" }, "en", "$1,000.25"],
    [{ amount: 1998.9999999999998, currency: "USD" }, "en", "$19.99"],
    [{ amount: 12345, currency: "THB", hideAmount: "true" }, "en", undefined],
    [{ amount: 12345, currency: "THB", hideAmount: true }, "en", undefined],
    [{ amount: 12345, currency: "THB", hideAmount: "false" }, "en", "THB 123.45"],
    [{ amount: 0, currency: "THB" }, "en", undefined],
    [{ amount: "a lot", currency: "THB" }, "en", undefined],
    [{ amount: 100, currency: "baht" }, "en", undefined],
  ]) {
    // Whether a space may break, and how wide a yen sign is, is for the platform's tables to say.
    const text = amount(given, locale)?.replace(/\s/g, " ").replace("￥", "¥");
    assert.equal(text, shown, JSON.stringify(given));
  }
});

test("its types hold for a strict TypeScript project", () => {
  const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--types", ""];
  const modules = ["--module", "nodenext", "--target", "es2022", "--lib", "es2022,dom"];
  const tsc = join(top, "node_modules/.bin/tsc");
  try {
    execFileSync(tsc, [...options, ...modules, join(top, "tests/npm/omise.ts")], { cwd: top, encoding: "utf8" });
  } catch (error) {
    assert.fail(`${error.stdout}${error.stderr}`);
  }
});

/** A module of www/, as Node takes it. */
async function source(path) {
  const { outputFiles } = await build({
    entryPoints: [join(top, "www", path)],
    bundle: true,
    format: "esm",
    platform: "neutral",
    write: false,
  });
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}
