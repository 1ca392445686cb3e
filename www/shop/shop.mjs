/** The shop as one HTTP server: what comes in is recorded as it came, then routed, then answered. */
import { createServer } from "node:http";
import { failure, send } from "./answer.mjs";
import { Log } from "./log.mjs";
import { Orders } from "./orders.mjs";
import { Payments } from "./payments.mjs";
import { channels } from "./profiles.mjs";
import { malformed, receive } from "./received.mjs";
import { router } from "./router.mjs";

/** @typedef {import("./config.mjs").Config} Config */

/** The largest request body, in bytes. A checkout form has about one thousand. */
const BODY_LIMIT = 64 * 1024;

/**
 * @param {Config} config
 * @returns {{ listen(): Promise<string>, close(grace: number): Promise<void> }}
 */
export function createShop(config) {
  const log = new Log(config.log);
  const orders = new Orders();
  const payments = new Payments(channels(config), config.retryDelays);
  const route = router({ config, log, orders, payments });

  const server = createServer({ requestTimeout: 30_000, headersTimeout: 15_000 }, async (message, response) => {
    const received = await receive(message, BODY_LIMIT);
    try {
      log.add(received);
      if (received.ending !== "aborted") send(response, config, await route(received));
    } catch (error) {
      complain(error);
      if (response.headersSent) response.destroy();
      else send(response, config, failure(500));
    }
  });

  server.on("clientError", (error, socket) => {
    try {
      log.add(malformed(error));
    } catch (failed) {
      complain(failed);
    }
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else socket.destroy();
  });

  return {
    listen: () =>
      new Promise((resolve, reject) => {
        server.once("error", reject);
        server.listen(config.port, "127.0.0.1", () => {
          const address = server.address();
          resolve(`http://127.0.0.1:${address && typeof address === "object" ? address.port : config.port}`);
        });
      }),
    close: (grace) =>
      new Promise((resolve) => {
        payments.close();
        const impatience = setTimeout(() => server.closeAllConnections(), grace);
        server.close(() => {
          clearTimeout(impatience);
          log.close();
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

/**
 * The stack says where; what the shopper sent is in the record and not repeated here.
 * @param {unknown} error
 */
function complain(error) {
  process.stderr.write(`shop: ${error instanceof Error ? error.stack : String(error)}\n`);
}
