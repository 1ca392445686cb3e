import assert from "node:assert/strict";
import { test } from "node:test";
import * as cart from "../cart.mjs";
import { PRODUCTS } from "../catalog.mjs";
import { RULES } from "../customer.mjs";
import { html } from "../html.mjs";
import { LANGUAGES, STRINGS, accepted } from "../language.mjs";
import { CUSTOMER, PUBLIC_KEY, SECRET_KEY, raw, start } from "./support.mjs";

test("the cart counts, changes and empties", async (t) => {
  const { shopper } = await start(t);
  const { status, location } = await shopper.post("/cart/add", { product: "ink" });
  assert.equal(status, 303);
  assert.equal(location, "/#ink");
  await shopper.post("/cart/add", { product: "ink" });
  assert.match((await shopper.get("/")).text, /id="cart-count">2</);
  await shopper.post("/cart/set", { product: "ink", quantity: "5" });
  assert.match((await shopper.get("/cart")).text, /data-amount="11000"/);
  await shopper.post("/cart/set", { product: "ink", quantity: "0" });
  assert.match((await shopper.get("/cart")).text, /id="cart-empty"/);
  assert.equal((await shopper.get("/checkout")).location, "/cart");
});

test("a cart holds nothing that the shop does not sell", () => {
  for (const text of [
    undefined,
    "",
    "gold.1",
    "ink",
    "ink.",
    "ink.-1",
    "ink.1e3",
    "ink.999",
    "ink.0",
    "__proto__.1",
    "~~.~",
  ]) {
    assert.deepEqual(cart.parse(text), [], text);
  }
  assert.equal(cart.format(cart.parse("ink.2~gold.9~sencha.1")), "ink.2~sencha.1");
  assert.equal(cart.format(cart.parse("ink.99")), "ink.20");
  for (const { id } of PRODUCTS) assert.equal(cart.format(cart.add([], id)), `${id}.1`);
});

test("nothing wrong posted to the cart changes it", async (t) => {
  const { shopper } = await start(t);
  await shopper.post("/cart/add", { product: "ink" });
  const wrong = [
    { product: "gold" },
    {},
    { product: "ink", quantity: "-1" },
    { product: "ink", quantity: "1.5" },
    { product: "ink", quantity: "١" },
  ];
  for (const fields of wrong) assert.equal((await shopper.post("/cart/set", fields)).status, 303);
  assert.equal((await shopper.post("/cart/add", { product: "gold" })).location, "/");
  assert.match((await shopper.get("/")).text, /id="cart-count">1</);
});

test("every page is whole in every language and needs no inline script or style", async (t) => {
  const { vault, address, shopper } = await start(t);
  for (const language of LANGUAGES) {
    assert.equal((await shopper.get(`/?lang=${language}`)).location, "/");
    const order = await shopper.checkout(PRODUCTS.map((product) => product.id));
    await shopper.pay(order, vault.token("payment_rejected"));
    const declined = `/orders/${order}`;
    const second = await shopper.checkout();
    await shopper.pay(second, vault.token());
    await shopper.post("/cart/add", { product: "ink" });
    for (const path of [
      "/",
      "/cart",
      "/checkout",
      "/orders",
      declined,
      `/orders/${second}`,
      `/checkout?order=${order}`,
      "/nowhere",
    ]) {
      const { status, headers, text } = await shopper.get(path);
      assert.equal(status, path === "/nowhere" ? 404 : 200, path);
      assert.match(text, new RegExp(`<html lang="${language}">`));
      assert.match(text, /<\/html>\n$/);
      assert.doesNotMatch(text, /undefined|\[object|NaN|null\b/, path);
      assert.doesNotMatch(text, /<style|\sstyle="|\son\w+="|javascript:/i, path);
      for (const [script] of text.matchAll(/<script[^>]*>[^<]*/g))
        assert.match(script, /^<script type="module" src="\/static\/\w+\.js">$/);
      assert.equal(
        headers.get("content-security-policy"),
        `default-src 'none'; script-src 'self' ${address}; frame-src ${address}; connect-src 'self'; ` +
          "require-trusted-types-for 'script'; trusted-types 'none'; style-src 'self'; img-src 'self'; " +
          "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      assert.equal(headers.get("x-content-type-options"), "nosniff");
      assert.equal(text.includes(SECRET_KEY), false);
    }
  }
});

test("the checkout page hands the widget what it needs", async (t) => {
  const { address, shopper } = await start(t);
  await shopper.checkout();
  const { text } = await shopper.get("/checkout");
  assert.match(text, new RegExp(`data-public-key="${PUBLIC_KEY}" data-vault="${address}" data-mode="hosted" data-locale="en"`));
  assert.match(text, /<div id="card"/);
  for (const { name } of RULES) assert.match(text, new RegExp(`<label for="${name}">`));
  const names = [...text.matchAll(/ name="([^"]+)"/g)]
    .map(([, name]) => name)
    .filter((name) => !RULES.some((rule) => rule.name === name));
  assert.deepEqual(names, ["viewport", "color-scheme", "form_token", "order_note", "order_id", "profile", "card_token"]);
});

test("test cards are offered to a test key only", async (t) => {
  const { shopper } = await start(t, { accounts: new Map([["cardseal", { publicKey: "pkey_1234567890", secretKey: "skey_1" }]]) });
  await shopper.checkout();
  assert.doesNotMatch((await shopper.get("/checkout")).text, /test-cards/);
});

test("all that a shopper enters is escaped wherever it is shown", async (t) => {
  const { vault, shopper, window } = await start(t);
  const hostile = `"'><script>alert(1)</script><img src=x onerror=alert(1)>&amp;`;
  const fields = Object.fromEntries(RULES.map(({ name }) => [name, hostile.slice(0, 100)]));
  const order = await shopper.checkout();
  const rejected = await shopper.pay(order, vault.token(), fields);
  assert.equal(rejected.status, 422);
  const { email, country, name } = { ...CUSTOMER, ...fields, email: "a@<b>\"'", country: "JP" };
  await shopper.pay(order, vault.token("<i>\"&'"), { ...fields, email, country, name });
  await shopper.get(`/nowhere/<script>alert(1)</script>?${hostile}&lang="><script>`, { "X-Hostile": hostile });
  for (const { text } of [
    rejected,
    await shopper.get(`/orders/${order}`),
    await shopper.get(`/checkout?order=${order}`),
    await shopper.get("/orders"),
    await window.get("/orders"),
    await shopper.get(`/?added=${encodeURIComponent(hostile)}&a=${encodeURIComponent(hostile)}`),
  ]) {
    assert.doesNotMatch(text, /<script>|<img src=x|<b>|<i>/);
    assert.doesNotMatch(text, /value="[^"]*"'>/);
  }
});

test("html escapes text, joins arrays and leaves out what is not there", () => {
  const list = ["a<b", html`<i>${"&"}</i>`];
  assert.equal(
    `${html`<p title="${`"'`}">${list}${null}${undefined}${false}${0}</p>`}`,
    `<p title="&quot;&#39;">a&lt;b<i>&amp;</i>0</p>`,
  );
});

test("the language is the one asked for, then the remembered, then the browser's", async (t) => {
  const { shopper } = await start(t);
  assert.match((await shopper.get("/", { "Accept-Language": "th-TH,th;q=0.9,en;q=0.8" })).text, /<html lang="th">/);
  assert.equal((await shopper.get("/cart?lang=ja&a=1")).location, "/cart?a=1");
  assert.match((await shopper.get("/", { "Accept-Language": "th" })).text, /<html lang="ja">/);
  for (const header of [undefined, "", "*", ";;;,,", "fr,de;q=0.5"]) assert.equal(accepted(header), "en");
  assert.equal(accepted("fr, ja;q=0.5"), "ja");
});

test("a change of language leads to no other host", async (t) => {
  const { url } = await start(t);
  for (const path of [
    "//evil.example/",
    "/\\evil.example/",
    "/%5Cevil.example/",
    "http://evil.example/",
    "/\xa0/evil.example",
  ]) {
    const answer = await raw(url, `GET ${path}?lang=ja HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 40[04] /, path);
    assert.doesNotMatch(answer, /^location:/im, path);
  }
});

test("every language says everything, and lists the same products", () => {
  const shape = (value) =>
    value !== null && typeof value === "object"
      ? Object.fromEntries(
          Object.keys(value)
            .sort()
            .map((key) => [key, shape(value[key])]),
        )
      : typeof value;
  for (const language of LANGUAGES) assert.deepEqual(shape(STRINGS[language]), shape(STRINGS.en), language);
  assert.deepEqual(Object.keys(STRINGS.en.products).sort(), PRODUCTS.map((product) => product.id).sort());
});
