// npm's `omise` against a vault, as a merchant's server uses it against Omise. It rejects with the error object that was
// answered; other than by `code` it does not tell errors apart.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { promisify } from "node:util";
import Omise from "omise";

const { CARDSEAL_VAULT, CARDSEAL_PUBLIC_KEY, CARDSEAL_SECRET_KEY } = process.env;
const { protocol, hostname, port } = new URL(CARDSEAL_VAULT);
// The library always asks for port 80 or 443, but takes a proxy from the environment. This one leads to the vault's port.
const proxy = createServer().on("connect", (_, client) => {
  const vault = connect(port, hostname, () => {
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    client.pipe(vault).pipe(client);
  });
  vault.on("error", () => client.destroy());
  client.on("error", () => vault.destroy());
});
proxy.listen(0, "127.0.0.1").unref();
await once(proxy, "listening");
process.env.http_proxy = `http://127.0.0.1:${proxy.address().port}`;

const merchant = (keys) =>
  Omise({
    scheme: protocol.slice(0, -1),
    host: hostname,
    vaultHost: hostname,
    omiseVersion: "2019-05-29",
    publicKey: CARDSEAL_PUBLIC_KEY,
    secretKey: CARDSEAL_SECRET_KEY,
    ...keys,
  });
const omise = merchant();

const card = (changes) => ({
  name: "Somchai Prasert",
  number: "4242424242424242",
  expiration_month: 12,
  expiration_year: 2030,
  security_code: "123",
  city: "Bangkok",
  postal_code: "10320",
  ...changes,
});
const tokenize = (changes) => omise.tokens.create({ card: card(changes) });

/** Asserts how a promise is rejected, and gives the message. */
async function refused(promise, code) {
  const error = await promise.then(
    (answer) => assert.fail(`${code} was expected, not ${JSON.stringify(answer)}`),
    (error) => error,
  );
  assert.deepEqual([error.object, error.code], ["error", code], JSON.stringify(error));
  return error.message;
}

test("a token is created and retrieved", async () => {
  const token = await tokenize();
  assert.match(token.id, /^tokn_test_[0-9a-z]+$/);
  assert.deepEqual([token.object, token.livemode, token.used], ["token", false, false]);
  const { brand, last_digits, expiration_month, expiration_year, city } = token.card;
  assert.deepEqual([brand, last_digits, expiration_month, expiration_year], ["Visa", "4242", 12, 2030]);
  assert.equal(city, null, "the address is shown to the secret key only");
  assert.deepEqual(await omise.tokens.retrieve(token.id), token);
});

test("callbacks are called as well", async () => {
  const create = promisify((data, callback) => omise.tokens.create(data, callback));
  const token = await create({ card: card() });
  assert.equal(token.object, "token");
  await refused(create({ card: card({ number: "4242424242424241" }) }), "invalid_card");
});

test("a token is charged, once", async () => {
  const { id: token } = await tokenize();
  const order = { amount: 100000, currency: "thb", description: "Order 384", metadata: { order: "384" }, card: token };
  const charge = await omise.charges.create(order);
  assert.match(charge.id, /^chrg_test_[0-9a-z]+$/);
  assert.deepEqual([charge.object, charge.status, charge.paid], ["charge", "successful", true]);
  assert.deepEqual([charge.amount, charge.currency.toLowerCase()], [100000, "thb"]);
  assert.deepEqual([charge.description, charge.metadata], ["Order 384", { order: "384" }]);
  assert.deepEqual([charge.card.last_digits, charge.customer], ["4242", null]);
  assert.deepEqual(await omise.charges.retrieve(charge.id), charge);

  const used = await omise.tokens.retrieve(token);
  assert.deepEqual([used.used, used.charge_status], [true, "successful"]);
  await refused(omise.charges.create(order), "used_token");
});

test("a charge that the bank refuses is a failed charge", async () => {
  const { id } = await tokenize({ number: "4111111111140011" });
  const charge = await omise.charges.create({ amount: 100000, currency: "thb", card: id });
  assert.deepEqual([charge.status, charge.failure_code], ["failed", "insufficient_fund"]);
});

test("wrong cards, keys and ids are told apart", async () => {
  const message = await refused(tokenize({ number: "4242424242424241" }), "invalid_card");
  assert.equal(message, "number is invalid");
  const stranger = merchant({ publicKey: "pkey_test_5xuy4w91xqz7d1w9u0t", secretKey: "skey_test_5xuy4w91xqz7d1w9u0t" });
  await refused(stranger.tokens.create({ card: card() }), "authentication_failure");
  await refused(stranger.charges.create({ amount: 100000, currency: "thb", card: "tokn_test_1" }), "authentication_failure");
  await refused(omise.charges.create({ amount: 100000, currency: "thb" }), "missing_card");
  await refused(omise.charges.create({ amount: 100000, currency: "thb", card: "tokn_test_1" }), "not_found");
  await refused(omise.charges.retrieve("chrg_test_1"), "not_found");
});

test("a customer is made of a token, charged, changed and deleted", async () => {
  const { id: token } = await tokenize();
  const created = await omise.customers.create({
    email: "john.doe@example.com",
    description: "John Doe (id: 30)",
    metadata: { account: "30" },
    card: token,
  });
  assert.match(created.id, /^cust_test_[0-9a-z]+$/);
  assert.deepEqual([created.object, created.livemode], ["customer", false]);
  assert.deepEqual([created.email, created.description], ["john.doe@example.com", "John Doe (id: 30)"]);
  assert.deepEqual([created.cards.object, created.cards.total, created.cards.data.length], ["list", 1, 1]);
  assert.equal(created.default_card, created.cards.data[0].id);
  const customer = created.id;
  await refused(omise.charges.create({ amount: 100000, currency: "thb", card: token }), "used_token");
  await refused(omise.customers.create({ card: token }), "used_token");
  const shown = await omise.customers.retrieve(customer);
  // A list goes up to the moment of asking.
  shown.cards.to = created.cards.to;
  assert.deepEqual(shown, created);

  const byDefault = await omise.charges.create({ amount: 100000, currency: "thb", customer });
  assert.deepEqual([byDefault.status, byDefault.customer, byDefault.card.id], ["successful", customer, created.default_card]);
  // A card on file is charged as often as the merchant likes.
  const byCard = await omise.charges.create({ amount: 200000, currency: "thb", customer, card: created.default_card });
  assert.deepEqual([byCard.status, byCard.customer, byCard.card.id], ["successful", customer, created.default_card]);

  const { id: second } = await tokenize({ number: "5555555555554444" });
  const updated = await omise.customers.update(customer, { description: "Another description", card: second });
  assert.deepEqual([updated.description, updated.email, updated.cards.total], ["Another description", "john.doe@example.com", 2]);

  const listed = await omise.customers.listCards(customer);
  assert.deepEqual([listed.object, listed.total], ["list", 2]);
  assert.deepEqual(new Set(listed.data.map(({ brand }) => brand)), new Set(["Visa", "MasterCard"]));
  const firstOnly = await omise.customers.listCards(customer, { limit: 1, offset: 0, order: "chronological" });
  assert.deepEqual([firstOnly.total, firstOnly.data.map(({ id }) => id)], [2, [created.default_card]]);

  const retrieved = await omise.customers.retrieveCard(customer, created.default_card);
  assert.deepEqual([retrieved.object, retrieved.last_digits], ["card", "4242"]);
  const changes = { expiration_month: 11, expiration_year: 2031, name: "Somchai Q. Prasert", postal_code: "10310" };
  const changed = await omise.customers.updateCard(customer, created.default_card, changes);
  assert.deepEqual(changed, { ...retrieved, ...changes });

  const gone = await omise.customers.destroyCard(customer, created.default_card);
  assert.deepEqual([gone.object, gone.id, gone.deleted], ["card", created.default_card, true]);
  await refused(omise.customers.retrieveCard(customer, created.default_card), "not_found");
  const destroyed = await omise.customers.destroy(customer);
  assert.deepEqual([destroyed.object, destroyed.id, destroyed.deleted], ["customer", customer, true]);
  await refused(omise.charges.create({ amount: 100000, currency: "thb", customer }), "not_found");
});
