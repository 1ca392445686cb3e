import assert from "node:assert/strict";
import { test } from "node:test";
import { CUSTOMER, SECRET_KEY, start, until } from "./support.mjs";

test("an order is paid with its token, for the amount of the shop's own catalogue", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout(["sencha", "ink", "ink"]);
  const token = vault.token();
  const { status, location } = await shopper.pay(order, token, {
    amount: "1",
    total: "1",
    price: "1",
    currency: "XXX",
  });
  assert.equal(status, 303);
  assert.equal(location, `/orders/${order}`);
  const authorization = `Basic ${Buffer.from(`${SECRET_KEY}:`).toString("base64")}`;
  assert.deepEqual(vault.charges, [{ authorization, amount: 5880, currency: "JPY", card: token }]);

  const { text } = await shopper.get(`/orders/${order}`);
  assert.match(text, /data-status="paid"/);
  assert.match(text, /Visa <span class="digits">ending in 4242/);
  assert.match(text, /data-amount="5880"/);
  assert.match(text, /Aiko Somsri/);
  assert.match((await shopper.get("/cart")).text, /id="cart-empty"/);
});

test("shipping is added below the amount that makes it free", async (t) => {
  const { vault, shopper } = await start(t);
  await shopper.pay(await shopper.checkout(["thai-tea"]), vault.token());
  assert.equal(vault.charges[0].amount, 980 + 480);
});

test("what was shown is what is charged, though the cart changes in another tab", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout(["ink"]);
  await shopper.post("/cart/set", { product: "ink", quantity: "9" });
  await shopper.pay(order, vault.token());
  assert.equal(vault.charges[0].amount, 2200 + 480);
});

test("a declined card says why, and another card pays the same order", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  await shopper.pay(order, vault.token("insufficient_fund"));
  const { text } = await shopper.get(`/orders/${order}`);
  assert.match(text, /data-status="declined"/);
  assert.match(text, /id="failure" data-code="insufficient_fund"/);
  assert.match(text, new RegExp(`id="another-card" href="/checkout\\?order=${order}"`));

  const again = await shopper.get(`/checkout?order=${order}`);
  assert.match(again.text, new RegExp(`name="order_id" value="${order}"`));
  assert.match(again.text, /value="aiko@example.com"/);
  await shopper.pay(order, vault.token());
  assert.equal(await shopper.status(order), "paid");
  assert.equal(vault.successful, 1);
});

test("a failure code that the shop does not know shows the vault's message, escaped", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  await shopper.pay(order, vault.token("brand_new_code"));
  const { text } = await shopper.get(`/orders/${order}`);
  assert.match(text, /data-code="brand_new_code"/);
  assert.match(text, /the bank &lt;said&gt; no/);
});

test("sending the form twice at once is one order and one charge", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  const token = vault.token();
  const answers = await Promise.all([
    shopper.pay(order, token),
    shopper.pay(order, token),
    shopper.pay(order, vault.token()),
  ]);
  for (const answer of answers) assert.equal(answer.location, `/orders/${order}`);
  assert.equal(await shopper.status(order), "paid");
  assert.equal(vault.charges.length, 1);
});

test("a paid order takes no second payment, with the same token or another", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  const token = vault.token();
  await shopper.pay(order, token);
  await shopper.pay(order, token);
  await shopper.pay(order, vault.token());
  assert.equal((await shopper.get(`/checkout?order=${order}`)).location, `/orders/${order}`);
  assert.equal(vault.charges.length, 1);
});

test("a declined token sent again is not charged again", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  const token = vault.token("payment_rejected");
  await shopper.pay(order, token);
  await shopper.pay(order, token);
  assert.equal(vault.charges.length, 1);
  assert.equal(await shopper.status(order), "declined");
});

test("a token that paid one order pays no other", async (t) => {
  const { vault, shopper } = await start(t);
  const token = vault.token();
  await shopper.pay(await shopper.checkout(), token);
  const second = await shopper.checkout(["kyusu"]);
  await shopper.pay(second, token);
  const { text } = await shopper.get(`/orders/${second}`);
  assert.match(text, /id="failure" data-code="used_token"/);
  assert.equal(vault.successful, 1);
});

test("a token whose outcome is unknown is kept for its own order", async (t) => {
  const { vault, shopper } = await start(t);
  vault.tokenTrouble = "fail";
  const token = vault.token();
  const first = await shopper.checkout();
  await shopper.pay(first, token);
  const second = await shopper.checkout();
  await shopper.pay(second, token);
  assert.equal(await shopper.status(first), "pending");
  assert.equal(await shopper.status(second), "declined");
  vault.tokenTrouble = null;
  await shopper.post(`/orders/${first}/check`, {});
  assert.equal(await shopper.status(first), "paid");
  assert.equal(await shopper.status(second), "declined");
});

test("a token that was used before this shop saw it pays nothing", async (t) => {
  const { vault, shopper } = await start(t);
  const token = vault.token();
  Object.assign(vault.tokens.get(token), { used: true, chargeStatus: "successful" });
  const order = await shopper.checkout();
  await shopper.pay(order, token);
  assert.match((await shopper.get(`/orders/${order}`)).text, /id="failure" data-code="used_token"/);
  assert.equal(vault.charges.length, 0);
});

test("a token that the vault does not know declines the order", async (t) => {
  const { shopper } = await start(t);
  const order = await shopper.checkout();
  await shopper.pay(order, "tokn_test_never0made");
  assert.match((await shopper.get(`/orders/${order}`)).text, /id="failure" data-code="not_found"/);
});

for (const trouble of ["fail", "html", "break"]) {
  test(`an order stays pending while the vault cannot be asked (${trouble}), and is paid once it can`, async (t) => {
    const { vault, shopper } = await start(t);
    vault.tokenTrouble = trouble;
    const order = await shopper.checkout();
    await shopper.pay(order, vault.token());
    assert.equal(await shopper.status(order), "pending");
    assert.match((await shopper.get("/cart")).text, /id="cart-empty"/);
    vault.tokenTrouble = null;
    const { location } = await shopper.post(`/orders/${order}/check`, {});
    assert.equal(location, `/orders/${order}`);
    assert.equal(await shopper.status(order), "paid");
    assert.equal(vault.charges.length, 1);
  });
}

test("an order stays pending while the vault is gone", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  await vault.stop();
  assert.equal((await shopper.pay(order, vault.token())).status, 303);
  assert.equal(await shopper.status(order), "pending");
});

for (const trouble of ["hang", "break"]) {
  for (const [failure, status] of [
    [null, "paid"],
    ["insufficient_fund", "declined"],
  ]) {
    test(`a charge whose answer is lost (${trouble}) is looked up, not repeated: ${status}`, async (t) => {
      const { vault, shopper } = await start(t, { vaultTimeout: 250 });
      vault.chargeTrouble = trouble;
      const order = await shopper.checkout();
      await shopper.pay(order, vault.token(failure));
      assert.equal(await shopper.status(order), "pending");

      // Until that is settled no other card is charged for it.
      await shopper.pay(order, vault.token());
      await until(async () => {
        await shopper.post(`/orders/${order}/check`, {});
        return (await shopper.status(order)) !== "pending";
      });
      assert.equal(await shopper.status(order), status);
      assert.equal(vault.charges.length, 1);
    });
  }
}

test("a charge that never reached the vault is tried again, with the same token", async (t) => {
  const { vault, shopper } = await start(t);
  vault.chargeTrouble = "fail";
  const order = await shopper.checkout();
  await shopper.pay(order, vault.token());
  assert.equal(await shopper.status(order), "pending");
  vault.chargeTrouble = null;
  await shopper.post(`/orders/${order}/check`, {});
  assert.equal(await shopper.status(order), "paid");
  assert.equal(vault.successful, 1);
});

test("a pending order settles by itself", async (t) => {
  const { vault, shopper } = await start(t, { retryDelays: Array(1000).fill(5) });
  vault.tokenTrouble = "fail";
  const order = await shopper.checkout();
  await shopper.pay(order, vault.token());
  await until(() => vault.lookups > 2);
  vault.tokenTrouble = null;
  await until(async () => (await shopper.status(order)) === "paid");
  assert.equal(vault.charges.length, 1);
});

test("a form without a token or with a wrong field is shown again, and nothing is charged", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  for (const token of ["", "4242", "tokn_test_", "tokn_test_a/../b", "skey_test_abc", `tokn_test_${"a".repeat(65)}`]) {
    const { status, text } = await shopper.pay(order, token);
    assert.equal(status, 422, token);
    assert.match(text, /id="form-problem"/);
  }
  const wrong = [{ email: "" }, { email: "no at sign" }, { country: "XX" }, { city: " " }, { name: "a".repeat(101) }];
  for (const fields of wrong) {
    const { status, text } = await shopper.pay(order, vault.token(), fields);
    const [name] = Object.keys(fields);
    assert.equal(status, 422, name);
    assert.match(text, new RegExp(`aria-invalid="true" aria-describedby="${name}-wrong"`));
    assert.match(text, new RegExp(`id="${name}-wrong"`));
  }
  assert.equal(vault.charges.length, 0);
  await shopper.pay(order, vault.token());
  assert.equal(await shopper.status(order), "paid");
});

test("an order that this shop does not know is gone", async (t) => {
  const { vault, shopper } = await start(t);
  for (const id of ["bbbbbbbbbb", "", "__proto__"]) {
    assert.equal(
      (await shopper.post("/api/orders", { ...CUSTOMER, order_id: id, card_token: vault.token() })).status,
      410,
    );
  }
  assert.equal((await shopper.get("/orders/bbbbbbbbbb")).status, 404);
  assert.equal((await shopper.post("/orders/bbbbbbbbbb/check", {})).status, 404);
  assert.equal(vault.charges.length, 0);
});

test("an order that was not sent yet is kept nowhere", async (t) => {
  const { shopper, window } = await start(t);
  const order = await shopper.checkout();
  assert.equal((await shopper.get(`/orders/${order}`)).status, 404);
  for (const visitor of [shopper, window]) {
    assert.doesNotMatch((await visitor.get("/orders")).text, new RegExp(`data-order-id="${order}"`));
  }
});

test("what a checkout page said of its order cannot be changed on the way back", async (t) => {
  const { vault, shopper } = await start(t);
  const { text } = (await shopper.checkout(["kyusu"]), await shopper.get("/checkout"));
  const id = /name="order_id" value="([^"]+)"/.exec(text)?.[1] ?? "";
  const note = /name="order_note" value="([^"]+)"/.exec(text)?.[1] ?? "";
  assert.match(note, /^[0-9a-z]+!kyusu\.1!/);
  const changed = [
    ["bbbbbbbbbb", note],
    [id, note.replace("kyusu.1", "ink.1")],
    [id, note.replace("kyusu", "thai-tea")],
    [id, note.replace(/^./, "z")],
    [id, note.slice(0, -1)],
    [id, note.replace(/![^!]+$/, "")],
    [id, ""],
  ];
  for (const [order_id, order_note] of changed) {
    const fields = { ...CUSTOMER, order_id, order_note, card_token: vault.token() };
    assert.equal((await shopper.post("/api/orders", fields)).status, 410, order_note);
  }
  assert.equal(vault.charges.length, 0);
});

test("an order takes ten cards and no more, and a session has room for so many orders", async (t) => {
  const { vault, shopper } = await start(t);
  const order = await shopper.checkout();
  for (let card = 0; card < 12; card += 1) await shopper.pay(order, vault.token("payment_rejected"));
  assert.equal(vault.charges.length, 10);

  const paid = await shopper.checkout();
  await shopper.pay(paid, vault.token());
  for (let count = 0; count < 49; count += 1) await shopper.pay(await shopper.checkout(), vault.token("payment_rejected"));
  assert.equal((await shopper.get(`/orders/${order}`)).status, 404, "the oldest that was declined has made room");
  assert.equal(await shopper.status(paid), "paid");
});
