import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { ConfigError, parseConfig } from "../config.mjs";
import { PUBLIC_KEY, SECRET_KEY, Shopper, raw } from "./support.mjs";

const SERVER = fileURLToPath(new URL("../server.mjs", import.meta.url));
const KEYS = { CARDSEAL_PUBLIC_KEY: PUBLIC_KEY, CARDSEAL_SECRET_KEY: SECRET_KEY };

/**
 * @param {import("node:test").TestContext} t
 * @param {string[]} args
 */
function run(t, args, environment = KEYS) {
  const child = spawn(process.execPath, [SERVER, ...args], { env: environment });
  t.after(() => child.kill("SIGKILL"));
  const output = { out: "", err: "" };
  child.stdout.on("data", (chunk) => (output.out += chunk));
  child.stderr.on("data", (chunk) => (output.err += chunk));
  return { child, output, exited: once(child, "exit") };
}

/** @param {ReturnType<typeof run>} shop */
async function listening({ child, output, exited }) {
  while (!/^shop listening .*\n/m.test(output.out)) await Promise.race([once(child.stdout, "data"), exited]);
  return /^shop listening on (http:\/\/127\.0\.0\.1:\d+)\n$/m.exec(output.out)?.[1];
}

for (const signal of ["SIGTERM", "SIGINT"]) {
  test(`says where it listens, and on ${signal} ends without a complaint`, async (t) => {
    const shop = run(t, ["--port", "0", "--vault", "http://127.0.0.1:9"]);
    const url = await listening(shop);
    assert.ok(url);
    const response = await fetch(url);
    assert.equal(response.status, 200);
    await response.text();
    shop.child.kill(signal);
    assert.deepEqual(await shop.exited, [0, null]);
    assert.deepEqual(shop.output, { out: `shop listening on ${url}\n`, err: "" });
  });
}

test("the window opens on an address of its own, only where it is asked for, and answers to this machine's names only", async (t) => {
  const shop = run(t, ["--port", "0", "--window", "0", "--vault", "http://127.0.0.1:9"]);
  const url = await listening(shop);
  const window = /^window open at (http:\/\/127\.0\.0\.1:\d+): .*for the demo only$/m.exec(shop.output.out)?.[1];
  assert.ok(window && window !== url);
  const { text } = await new Shopper(window).get("/orders");
  assert.match(text, /id="window-note"/);
  assert.match(await raw(window, "GET /orders HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n"), /^HTTP\/1\.1 421 /);
  assert.match((await new Shopper(url).get("/")).text, new RegExp(`href="${window}/orders" id="nav-window"`));
});

test("an order that is being paid when the shop is told to stop still gets its answer", async (t) => {
  let asked;
  const charging = new Promise((resolve) => (asked = resolve));
  const vault = createServer((request, response) => {
    const answer = (body) => response.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    if (request.method === "GET") answer({ object: "token", used: false, charge_status: "unknown", card: null });
    else asked(() => answer({ object: "charge", status: "successful" }));
  });
  vault.listen(0, "127.0.0.1");
  await once(vault, "listening");
  t.after(() => vault.close());

  const shop = run(t, ["--port", "0", "--vault", `http://127.0.0.1:${vault.address().port}`]);
  const shopper = new Shopper(await listening(shop));
  const order = await shopper.checkout();
  const paying = shopper.pay(order, "tokn_test_abcdefgh");
  const finish = await charging;
  shop.child.kill("SIGTERM");
  finish();
  assert.equal((await paying).location, `/orders/${order}`);
  assert.deepEqual(await shop.exited, [0, null]);
});

test("a port that is taken is said so", async (t) => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  t.after(() => other.close());
  const shop = run(t, ["--port", String(other.address().port), "--vault", "http://127.0.0.1:9"]);
  assert.deepEqual(await shop.exited, [1, null]);
  assert.match(shop.output.err, /EADDRINUSE/);
});

test("a wrong command line ends with its reason and the usage", async (t) => {
  for (const args of [[], ["--vault", "nonsense"], ["--vault", "http://a", "--port", "99999"], ["--unknown"]]) {
    const shop = run(t, args);
    assert.deepEqual(await shop.exited, [2, null]);
    assert.match(shop.output.err, /^shop: .+\nusage: /);
    assert.equal(shop.output.out, "");
  }
});

test("a wrong setting is refused, and a key's value is never repeated", () => {
  const vault = "https://vault.example";
  const wrong = [
    [{ vault }, { ...KEYS, CARDSEAL_PUBLIC_KEY: SECRET_KEY }],
    [{ vault }, { ...KEYS, CARDSEAL_SECRET_KEY: PUBLIC_KEY }],
    [{ vault }, { ...KEYS, CARDSEAL_PUBLIC_KEY: "" }],
    [{ vault }, {}],
    [{ vault, port: "-1" }, KEYS],
    [{ vault, port: "x" }, KEYS],
    [{}, KEYS],
    ...["ftp://a", "javascript:alert(1)", "https://user:pw@a", "https://a?b", "https://a#b"].map((text) => [
      { vault: text },
      KEYS,
    ]),
  ];
  for (const [options, environment] of wrong) {
    assert.throws(
      () => parseConfig(options, environment),
      (error) =>
        error instanceof ConfigError && !error.message.includes(PUBLIC_KEY) && !error.message.includes(SECRET_KEY),
    );
  }
  assert.equal(parseConfig({ vault: "https://vault.example/" }, KEYS).vault, "https://vault.example");
  assert.equal(parseConfig({ vault: "https://a.example/vault/" }, KEYS).vault, "https://a.example/vault");
});
