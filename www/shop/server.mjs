/**
 * The demo shop's command: `node www/shop/server.mjs --port 4243 --vault http://127.0.0.1:4242 [--log FILE]`.
 *
 * It shows what a merchant's server does with a token. For a demo it keeps all that it receives, and `--window` opens an
 * address of its own on this machine where anyone can look for a card in it. Keys come from the environment: CARDSEAL_PUBLIC_KEY goes into the checkout page, CARDSEAL_SECRET_KEY
 * stays here and charges.
 */
import { parseArgs } from "node:util";
import { parseConfig } from "./config.mjs";
import { createShop } from "./shop.mjs";

const USAGE = `usage: node www/shop/server.mjs --vault URL [--port 4243] [--origin https://shop.example] [--mode hosted|inline] [--log FILE]
       [--vendors FILE] [--window PORT]
--window opens the demo's window on this machine: it shows everybody's orders and requests, so a real shop has none
environment: CARDSEAL_PUBLIC_KEY (pkey_…), CARDSEAL_SECRET_KEY (skey_…)`;

/** How long requests in flight get to finish once the process is told to stop, in milliseconds. */
const GRACE = 10_000;

let shop;
try {
  const { values } = parseArgs({
    options: {
      port: { type: "string" },
      origin: { type: "string" },
      window: { type: "string" },
      vault: { type: "string" },
      mode: { type: "string" },
      log: { type: "string" },
      vendors: { type: "string" },
    },
  });
  shop = createShop(parseConfig(values, process.env));
} catch (error) {
  process.stderr.write(`shop: ${error instanceof Error ? error.message : String(error)}\n${USAGE}\n`);
  process.exit(2);
}

try {
  const { url, window } = await shop.listen();
  if (window) process.stdout.write(`window open at ${window}: everybody's orders and requests, for the demo only\n`);
  process.stdout.write(`shop listening on ${url}\n`);
} catch (error) {
  process.stderr.write(`shop: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exit(1);
}

for (const signal of ["SIGTERM", "SIGINT"]) {
  process.once(signal, () => shop.close(GRACE));
}
