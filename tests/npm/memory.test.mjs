// After a card was sealed, nothing of it is left in the wasm's memory.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { test } from "node:test";
import * as jose from "jose";

const CARD = { number: "3530 1113 3330 0000", expiry: "12/30", security_code: "987", name: "Somchai Prasert" };

/** Every form in which the card could lie in memory. */
const TRACES = ["3530111333300000", "3530 1113 3330 0000", "3530-1113", '"987"', "Somchai Prasert"];

/** The traces that are in the memory, each with how often. */
function traces(memory) {
  const text = Buffer.from(memory.buffer).toString("latin1");
  return TRACES.map((trace) => [trace, text.split(trace).length - 1]).filter(([, times]) => times > 0);
}

test("a card leaves no trace in memory once it is sealed", async (t) => {
  const { publicKey } = await jose.generateKeyPair("RSA-OAEP-256", { extractable: true });
  const jwk = { ...(await jose.exportJWK(publicKey)), kid: "1", alg: "RSA-OAEP-256", use: "enc" };
  const server = createServer((_, response) => response.end(JSON.stringify({ keys: [jwk] })));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());

  // The memory is not for pages to see; here it is caught on its way.
  let memory;
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const result = await instantiate(...given);
    const exports = Object.values((result.instance ?? result).exports);
    memory = exports.find((one) => one instanceof WebAssembly.Memory);
    return result;
  };
  t.after(() => (WebAssembly.instantiate = instantiate));
  const { loadCardseal } = await import("../../pkg/cardseal.mjs");
  const wasm = readFileSync(new URL("../../pkg/cardseal_bg.wasm", import.meta.url));
  const vault = `http://127.0.0.1:${server.address().port}`;
  const cardseal = await loadCardseal({ publicKey: "pkey_test_memory", vault, mode: "inline", wasm });

  // It is sealed when the key has come, which takes several turns of the event loop. In between the card is there, and
  // this test can see it.
  const sealing = cardseal.seal(CARD);
  await Promise.resolve();
  await Promise.resolve();
  assert.notDeepEqual(traces(memory), []);
  for (let round = 0; round < 5; round += 1) await cardseal.seal(CARD);
  assert.equal((await sealing).split(".").length, 5);
  await assert.rejects(cardseal.seal({ ...CARD, number: "3530 1113 3330 0001" }), { code: "invalid_card" });
  assert.deepEqual(traces(memory), []);
});
