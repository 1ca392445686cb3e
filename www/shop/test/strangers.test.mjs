/**
 * A stranger has no cookie of the shopper's, but knows the shop, its addresses and even the id of an order. They want to
 * see orders, to have the shopper's stored card charged, and to make a shopper's order go away. Orders belong to a
 * session, forms carry a mark of it, and a checkout page that was only looked at is kept nowhere.
 */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import { test } from "node:test";
import { CUSTOMER, PUBLIC_KEY, SECRET_KEY, Shopper, start } from "./support.mjs";

const FORM = { "Content-Type": "application/x-www-form-urlencoded" };

/** A shop that keeps cards on file, so that a paid order can be charged once more. @param {import("node:test").TestContext} t */
async function selling(t) {
  const charges = [];
  const vault = createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const answers = {
      "/tokens/tokn_test_1": { object: "token", used: false, charge_status: "unknown", card: null },
      "/customers": { object: "customer", id: "cust_test_1" },
      "/charges": { object: "charge", id: "chrg_test_1", status: "successful" },
    };
    if (request.url === "/charges") charges.push(Buffer.concat(chunks).toString());
    response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(answers[request.url]));
  });
  vault.listen(0, "127.0.0.1");
  await once(vault, "listening");
  t.after(() => vault.close());
  const keys = { publicKey: PUBLIC_KEY, secretKey: SECRET_KEY };
  const accounts = new Map([["cardseal", keys], ["payment-options", keys]]);
  const shop = await start(t, { vault: `http://127.0.0.1:${vault.address().port}`, accounts });
  const order = await shop.shopper.checkout();
  await shop.shopper.pay(order, "tokn_test_1", { profile: "payment-options" });
  assert.equal(await shop.shopper.status(order), "paid");
  return { ...shop, order, charges };
}

test("a stranger sees no order, not by the list and not by its id", async (t) => {
  const { url, order, shopper } = await selling(t);
  const stranger = new Shopper(url);
  assert.doesNotMatch((await stranger.get("/orders")).text, new RegExp(order));
  assert.doesNotMatch((await stranger.get("/orders")).text, /tokn_test_1|aiko@example/);
  assert.equal((await stranger.get(`/orders/${order}`)).status, 404);
  assert.equal((await stranger.get("/wires")).status, 404);
  assert.match((await shopper.get("/orders")).text, new RegExp(order));
});

test("a stranger who knows an order's id charges its card no second time", async (t) => {
  const { url, order, shopper, charges } = await selling(t);
  const stranger = new Shopper(url);
  await stranger.checkout();
  assert.equal((await stranger.post(`/orders/${order}/again`, {})).status, 404);
  assert.equal((await stranger.post(`/orders/${order}/check`, {})).status, 404);
  assert.equal(charges.length, 1);
  assert.equal((await shopper.post(`/orders/${order}/again`, {})).status, 303);
  assert.equal(charges.length, 2);
});

test("a stranger pays and changes no order of another session", async (t) => {
  const { url, vault, shopper } = await start(t);
  const order = await shopper.checkout();
  await shopper.pay(order, vault.token("insufficient_fund"));
  const stranger = new Shopper(url);
  await stranger.checkout();
  assert.equal((await stranger.pay(order, vault.token())).status, 410);
  assert.doesNotMatch((await stranger.get(`/checkout?order=${order}`)).text, new RegExp(`value="${order}"`));
  assert.equal(await shopper.status(order), "declined");
});

test("a form without the session's mark, or with another's, changes nothing", async (t) => {
  const { url, order, shopper, charges } = await selling(t);
  const cookie = shopper.cookies;
  const stranger = new Shopper(url);
  await stranger.get("/");
  for (const mark of [undefined, "", "a", "a".repeat(43), stranger.mark, `${shopper.mark}a`, shopper.mark?.slice(1)]) {
    for (const [path, fields] of [
      [`/orders/${order}/again`, {}],
      [`/orders/${order}/check`, {}],
      ["/cart/add", { product: "ink" }],
      ["/cart/set", { product: "ink", quantity: "2" }],
      ["/api/orders", { ...CUSTOMER, order_id: order, card_token: "tokn_test_2" }],
    ]) {
      const body = new URLSearchParams({ ...fields, ...(mark !== undefined && { form_token: mark }) });
      const headers = { ...FORM, Cookie: cookie };
      const answer = await fetch(url + path, { method: "POST", redirect: "manual", headers, body: `${body}` });
      assert.equal(answer.status, 403, `${path} with ${mark}`);
      await answer.text();
    }
  }
  assert.equal(charges.length, 1);
  assert.match((await shopper.get("/")).text, /id="cart-count">0</);
});

test("a session is of 128 random bits or more, in a cookie that no script reads and no other site's form brings", async (t) => {
  const seen = new Set();
  for (const origin of [undefined, "https://shop.example"]) {
    const { url } = await start(t, { origin });
    const name = origin ? "__Host-shop_session" : "shop_session";
    for (let visit = 0; visit < 20; visit += 1) {
      const answer = await fetch(url);
      await answer.text();
      const [cookie] = answer.headers.getSetCookie().filter((line) => line.startsWith(`${name}=`));
      const [value, ...flags] = cookie.slice(name.length + 1).split("; ");
      assert.match(value, /^[\w-]{43}$/);
      for (const flag of ["HttpOnly", "SameSite=Lax", "Path=/"]) assert.ok(flags.includes(flag), cookie);
      assert.equal(flags.includes("Secure"), origin !== undefined, cookie);
      seen.add(value);
    }
    const odd = await fetch(url, { headers: { Cookie: `${name}=short` } });
    await odd.text();
    assert.ok(odd.headers.getSetCookie().some((line) => line.startsWith(name)), "what is no session is not taken for one");
  }
  assert.equal(seen.size, 40);
});

test("a flood of visits to the checkout page takes no shopper's order", async (t) => {
  const { vault, url, shopper } = await start(t);
  const order = await shopper.checkout();
  for (let visit = 0; visit < 1_001; visit += 1) {
    const answer = await fetch(`${url}/checkout`, { headers: { Cookie: "shop_cart=ink.1" } });
    assert.equal(answer.status, 200);
    await answer.text();
  }
  for (let visit = 0; visit < 200; visit += 1) await shopper.get("/checkout");
  assert.equal((await shopper.pay(order, vault.token())).location, `/orders/${order}`);
  assert.equal(await shopper.status(order), "paid");
});
