import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Log, printable } from "../log.mjs";
import { hiding } from "../static/search.mjs";
import { raw, start } from "./support.mjs";

const CARD = "4242424242424242";

test("the record and the file hold every request as it came", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "shop-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "received.log");
  const { vault, url, shopper, window } = await start(t, { log: file });
  const order = await shopper.checkout();
  const token = vault.token();
  await shopper.pay(order, token);
  const body = Buffer.from([0x61, 0x3d, 0x00, 0xff, 0x0a, 0x0d, 0x3c, 0x62, 0x3e]);
  const line = "PUT /odd?a=%3Cb%3E HTTP/1.1\r\nHost: shop\r\nX-ODD:  caf\xe9 \r\n";
  const head = `${line}Connection: close\r\nContent-Length: ${body.length}\r\n\r\n`;
  await raw(url, head, body);

  const bytes = await readFile(file);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(bytes.includes(`card_token=${token}`));
  assert.ok(bytes.includes(Buffer.from("PUT /odd?a=%3Cb%3E HTTP/1.1\r\nHost: shop\r\nX-ODD: caf\xe9\r\n", "latin1")));
  assert.ok(bytes.includes(body));
  const { text } = await window.get("/orders");
  assert.match(text, new RegExp(`<strong>email=.*order_id=${order}&amp;card_token=${token}&amp;form_token=[\\w-]+</strong>`));
  assert.match(text, /PUT<\/strong> \/odd\?a=%3Cb%3E/);
  assert.match(text, /X-ODD: caf\\xe9/);
  assert.match(text, /a=\\x00\\xff\n\\x0d&lt;b&gt;/);
  assert.match(text, new RegExp(`data-order-id="${order}" data-status="paid"`));
});

test("a card that does reach the shop is in the record, so that a search for it means something", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "shop-"));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "received.log");
  const { shopper, window } = await start(t, { log: file });
  await shopper.post("/cart/add", { product: CARD });
  await shopper.get(`/?card=${CARD.slice(0, 8)}`, { "X-Card": "4242-4242-4242-4242" });
  assert.ok((await readFile(file)).includes(`product=${CARD}`));
  assert.match((await window.get("/orders")).text, /product=4242424242424242/);
  assert.match((await window.get("/orders")).text, /X-Card: 4242-4242-4242-4242/);
});

test("the orders page has no card number of its own that a search could find", async (t) => {
  const { vault, shopper, window } = await start(t);
  const order = await shopper.checkout();
  await shopper.pay(order, vault.token());
  for (const [visitor, path] of [[window, "/orders"], [shopper, "/orders"], [shopper, `/orders/${order}`]]) {
    const { text } = await visitor.get(path);
    for (const card of [CARD, "3530111333300000", "4111111111140011"]) assert.doesNotMatch(text, hiding(card), path);
    assert.doesNotMatch(text.replace(/<time.*?<\/time>/g, ""), /\d(?:[ -]?\d){12,}/, path);
  }
});

test("what is typed into the search cannot be sent: no name, no form", async (t) => {
  const { window } = await start(t);
  const { text } = await window.get("/orders");
  const [input] = /<input id="record-search"[^>]*>/.exec(text) ?? [];
  assert.ok(input);
  assert.doesNotMatch(input, /\sname=/);
  assert.doesNotMatch(text, /<form/);
});

test("old requests make room, and the page says how many there were", async () => {
  const log = new Log();
  const received = {
    method: "GET",
    target: "/",
    headers: {},
    head: Buffer.from("GET / HTTP/1.1"),
    body: Buffer.alloc(0),
    ending: "complete",
  };
  for (let count = 0; count < 600; count += 1) log.add(received);
  assert.equal(log.entries().length, 500);
  assert.equal(log.entries()[0].number, 600);
  assert.equal(log.count, 600);
  for (let count = 0; count < 100; count += 1) log.add({ ...received, body: Buffer.alloc(64 * 1024) });
  assert.ok(log.entries().length < 100);
});

test("bytes are shown whole, whatever they are", () => {
  assert.equal(printable(Buffer.from("日本 ไทย é\n\t")), "日本 ไทย é\n\t");
  assert.equal(printable(Buffer.from([0x41, 0xff, 0x00, 0x1b])), "A\\xff\\x00\\x1b");
  assert.equal(printable(Buffer.from("a\u202eb\u2066\u200b\r\nc\rd")), "a\\u{202e}b\\u{2066}\\u{200b}\nc\\x0dd");
});

test("the search finds a number in each of its disguises", () => {
  const base64 = (text) => Buffer.from(text).toString("base64");
  const disguises = [
    CARD,
    "4242 4242 4242 4242",
    "4242-4242-4242-4242",
    "number=4242+4242+4242+4242&x",
    "4242%204242%204242%204242",
    "4242%2D4242%2d4242%2D4242",
    "42/42.42_42 4242\n42424242",
    ...["", "a", "ab", "abc"].flatMap((before) => ["", "z", "zz"].map((after) => base64(before + CARD + after))),
    Buffer.from(CARD).toString("hex"),
    Buffer.from(CARD).toString("hex").toUpperCase(),
    JSON.stringify({ number: CARD }),
  ];
  for (const text of disguises) {
    for (const typed of [CARD, "4242 4242 4242 4242", " 4242-4242-4242-4242 "]) assert.match(text, hiding(typed), text);
  }
  for (const text of [
    "",
    "4242",
    "424242424242424",
    "tokn_test_4242424242",
    base64("4111111111111111"),
    "4242 x 4242 4242 4242",
  ]) {
    assert.doesNotMatch(text, hiding(CARD), text);
  }
});

test("the search takes any text literally", () => {
  for (const text of ["a.b*c", "[x", "(", "\\", "$^|?+{}", "日本", "tokn_test_abc", "a/b-c", "\u{1F375}"]) {
    assert.match(`before ${text} after`, hiding(text), text);
  }
  assert.doesNotMatch("aXbbc", hiding("a.b*c"));
  assert.match("Somsri", hiding("somsri"));
  assert.match("name=%E6%97%A5%E6%9C%AC", hiding("日本"));
  for (const nothing of ["", "   "]) assert.equal(hiding(nothing), undefined);
});
