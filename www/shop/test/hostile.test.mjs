import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { raw, start, until } from "./support.mjs";

/** @param {string} url */
async function stillAnswers(url) {
  assert.equal((await fetch(url)).status, 200);
}

test("files are served with their types, and no file outside their folders", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "shop-"));
  t.after(() => rm(folder, { recursive: true }));
  const pkg = join(folder, "pkg");
  await mkdir(join(pkg, "locales"), { recursive: true });
  await writeFile(join(folder, "secret.js"), "secret");
  await writeFile(join(pkg, "cardseal.js"), "export {}");
  await writeFile(join(pkg, "cardseal_bg.wasm"), Buffer.from([0, 0x61, 0x73, 0x6d]));
  await writeFile(join(pkg, "locales", "ja.json"), "{}");
  await writeFile(join(pkg, "README.md"), "not for browsers");
  await writeFile(join(pkg, ".hidden.js"), "hidden");
  await symlink(join(folder, "secret.js"), join(pkg, "link.js"));
  const { url, shopper } = await start(t, { widgetFolder: pkg });

  const types = {
    "/cardseal/cardseal.js": "text/javascript; charset=utf-8",
    "/cardseal/cardseal_bg.wasm": "application/wasm",
    "/cardseal/locales/ja.json": "application/json",
    "/static/shop.css": "text/css; charset=utf-8",
    "/static/search.mjs": "text/javascript; charset=utf-8",
    "/static/products/ink.svg": "image/svg+xml",
  };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers } = await shopper.get(path);
    assert.equal(status, 200, path);
    assert.equal(headers.get("content-type"), type);
  }

  const outside = [
    "../secret.js",
    "..%2fsecret.js",
    "%2e%2e/secret.js",
    "%2e%2e%2fsecret.js",
    "..\\secret.js",
    "./../secret.js",
    "locales/../../secret.js",
    "locales//../../secret.js",
    "/../secret.js",
    "....//secret.js",
    "\0/../secret.js",
    "%00.js",
    "cardseal.js%00.svg",
    `${folder}/secret.js`,
    "link.js",
    ".hidden.js",
    "README.md",
    "locales",
    "locales/",
    "",
    "cardseal.js/",
    "..;/secret.js",
    "\xc0\xae\xc0\xae/secret.js",
    "cardseal.js/../cardseal.js",
  ];
  for (const path of outside) {
    const answer = await raw(url, `GET /cardseal/${path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`);
    assert.match(answer, /^HTTP\/1\.1 (404|400) /, path);
    assert.doesNotMatch(answer, /secret$|hidden$|not for browsers/, path);
  }
  const elsewhere = [
    "/static/../server.mjs",
    "/static/../../../Cargo.toml",
    "/static/../test/support.mjs",
    "/cardseal/../shop/server.mjs",
  ];
  for (const path of elsewhere) {
    assert.match(
      await raw(url, `GET ${path} HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n`),
      /^HTTP\/1\.1 404 /,
      path,
    );
  }
});

test("a body over the limit is refused, whether it announces its length or not", async (t) => {
  const { url, shopper, window } = await start(t);
  const body = `product=${"a".repeat(65 * 1024)}`;
  assert.equal((await shopper.post("/cart/add", body)).status, 413);
  const chunked = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(body));
      controller.close();
    },
  });
  const headers = { "Content-Type": "application/x-www-form-urlencoded" };
  const response = await fetch(`${url}/api/orders`, { method: "POST", body: chunked, duplex: "half", headers });
  assert.equal(response.status, 413);
  await response.text();
  const record = (await window.get("/orders")).text;
  assert.equal([...record.matchAll(/data-ending="too_large" data-body="65536"/g)].length, 2);
});

test("a body just at the limit is taken", async (t) => {
  const { shopper } = await start(t);
  await shopper.get("/");
  const body = `form_token=${shopper.mark}&product=ink&pad=`.padEnd(64 * 1024, "a");
  assert.equal((await shopper.post("/cart/add", body)).location, "/#ink");
});

test("what is not HTTP is refused and recorded", async (t) => {
  const { url, window } = await start(t);
  const nonsense = [
    "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "GET\r\n\r\n",
    "G\0T / HTTP/1.1\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
    "GET / HTTP/1.1\r\nHost: a\r\nBad Header: x\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
    `GET /${"a".repeat(20_000)} HTTP/1.1\r\n\r\n`,
  ];
  for (const bytes of nonsense) {
    assert.match(await raw(url, bytes), /^HTTP\/1\.1 4\d\d /, JSON.stringify(bytes.slice(0, 40)));
  }
  const { text } = await window.get("/orders");
  assert.match(text, /data-ending="malformed"/);
  assert.match(text, /\\x16\\x03\\x01/);
  await stillAnswers(url);
});

test("odd but valid requests get an answer", async (t) => {
  const { url } = await start(t);
  const close = "Host: shop\r\nConnection: close\r\n";
  const form = "Content-Type: application/x-www-form-urlencoded\r\n";
  const cookie = "Cookie: shop_cart=\xff\xfe~;;=;shop_lang=__proto__\r\n";
  const answers = {
    [`GET //// HTTP/1.1\r\n${close}\r\n`]: 404,
    [`GET /%zz HTTP/1.1\r\n${close}\r\n`]: 404,
    [`GET /?%zz=%ff&lang=%ff HTTP/1.1\r\n${close}\r\n`]: 200,
    [`GET http://other.example/ HTTP/1.1\r\n${close}\r\n`]: 404,
    [`OPTIONS * HTTP/1.1\r\n${close}\r\n`]: 404,
    [`HEAD / HTTP/1.1\r\n${close}\r\n`]: 200,
    [`DELETE /cart HTTP/1.1\r\n${close}\r\n`]: 405,
    [`GET / HTTP/1.1\r\n${close}${cookie}Accept-Language: \xff\r\n\r\n`]: 200,
    [`GET / HTTP/1.1\r\n${close}Upgrade: h2c\r\n\r\n`]: 200,
    [`POST /cart/add HTTP/1.1\r\n${close}\r\n`]: 415,
    [`POST /cart/add HTTP/1.1\r\n${close}Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}`]: 415,
    [`POST /cart/add HTTP/1.1\r\n${close}${form}Content-Length: 9\r\n\r\nproduct=\xff`]: 400,
    [`POST /cart/add HTTP/1.1\r\n${close}${form}Content-Length: 11\r\n\r\nproduct=%ff`]: 400,
    [`POST /cart/add HTTP/1.1\r\n${close}${form}Content-Length: 11\r\n\r\nproduct=%00`]: 403,
  };
  for (const [request, status] of Object.entries(answers)) {
    assert.match(await raw(url, request), new RegExp(`^HTTP/1\\.1 ${status} `), request);
  }
  await stillAnswers(url);
});

test("a method that an address does not take is told which it does", async (t) => {
  const { url } = await start(t);
  const response = await fetch(`${url}/api/orders`);
  assert.equal(response.status, 405);
  assert.equal(response.headers.get("allow"), "POST");
});

test("a form posted by another site's page is refused", async (t) => {
  const { url, shopper } = await start(t);
  for (const origin of ["https://evil.example", "null", "http://127.0.0.1:1", ""]) {
    assert.equal((await shopper.post("/cart/add", { product: "ink" }, { Origin: origin })).status, 403, origin);
  }
  assert.equal((await shopper.post("/cart/add", { product: "ink" }, { Origin: url })).status, 303);
});

test("a sender that goes away in the middle of a body is recorded and forgotten", async (t) => {
  const { url, shopper, window } = await start(t);
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write("POST /cart/add HTTP/1.1\r\nHost: shop\r\nContent-Length: 100\r\n\r\nhalf a body");
  // The bytes have to arrive before the end does: a request of another connection is answered after them.
  await shopper.get("/");
  socket.destroy();
  await until(async () => (await window.get("/orders")).text.includes('data-ending="aborted"'));
  assert.match((await window.get("/orders")).text, /half a body/);
});
