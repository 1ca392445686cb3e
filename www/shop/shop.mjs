/**
 * The shop as an HTTP server: what comes in is recorded as it came, then routed, then answered. The demo's window is a server
 * of its own.
 */
import { createServer } from "node:http";
import { failure, isSecure, send } from "./answer.mjs";
import { Log } from "./log.mjs";
import { Orders } from "./orders.mjs";
import { Payments } from "./payments.mjs";
import { channels } from "./profiles.mjs";
import { malformed, receive } from "./received.mjs";
import { SHOP, WINDOW, router } from "./router.mjs";
import { Sessions } from "./session.mjs";

/** @typedef {import("./config.mjs").Config} Config */
/** @typedef {import("./received.mjs").Received} Received */

/** The largest request body, in bytes. A checkout form has about one thousand. */
const BODY_LIMIT = 64 * 1024;

/**
 * @param {Config} config
 * @returns {{ listen(): Promise<{ url: string, window: string | null }>, close(grace: number): Promise<void> }}
 */
export function createShop(config) {
  const log = new Log(config.log);
  const sessions = new Sessions(isSecure(config));
  const orders = new Orders(sessions);
  const payments = new Payments(channels(config), orders, config.retryDelays);
  /** @type {import("./router.mjs").Shop} */
  const shop = { config, log, sessions, orders, payments, windowUrl: null };

  const server = serve(config, router(shop, SHOP), (received) => log.add(received));
  // What is looked at through the window is not a part of what it shows.
  const window = serve(config, local(router(shop, WINDOW)), () => {});
  const servers = [server, window];

  return {
    listen: async () => {
      if (config.windowPort !== undefined) shop.windowUrl = await listen(window, config.windowPort);
      return { url: await listen(server, config.port), window: shop.windowUrl };
    },
    close: async (grace) => {
      payments.close();
      const impatience = setTimeout(() => servers.forEach((each) => each.closeAllConnections()), grace);
      const closed = servers.filter((each) => each.listening).map((each) => new Promise((resolve) => each.close(resolve)));
      for (const each of servers) each.closeIdleConnections();
      await Promise.all(closed);
      clearTimeout(impatience);
      log.close();
    },
  };
}

/**
 * @param {Config} config
 * @param {(received: Received) => Promise<import("./answer.mjs").Answer>} route
 * @param {(received: Received) => void} keep
 */
function serve(config, route, keep) {
  const server = createServer({ requestTimeout: 30_000, headersTimeout: 15_000 }, async (message, response) => {
    const received = await receive(message, BODY_LIMIT);
    try {
      keep(received);
      if (received.ending !== "aborted") send(response, config, await route(received));
    } catch (error) {
      complain(error);
      if (response.headersSent) response.destroy();
      else send(response, config, failure(500));
    }
  });

  server.on("clientError", (error, socket) => {
    try {
      keep(malformed(error));
    } catch (failed) {
      complain(failed);
    }
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    else socket.destroy();
  });
  return server;
}

/**
 * Answers only to this machine's own names: a page of a host that leads here (DNS rebinding) reads nothing.
 * @param {(received: Received) => Promise<import("./answer.mjs").Answer>} route
 * @returns {(received: Received) => Promise<import("./answer.mjs").Answer>}
 */
function local(route) {
  return async (received) =>
    /^(127\.0\.0\.1|localhost)(:\d+)?$/.test(received.headers.host ?? "") ? route(received) : failure(421);
}

/**
 * @param {import("node:http").Server} server
 * @param {number} port
 * @returns {Promise<string>}
 */
function listen(server, port) {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => {
      const address = server.address();
      resolve(`http://127.0.0.1:${address && typeof address === "object" ? address.port : port}`);
    });
  });
}

/**
 * The stack says where; what the shopper sent is in the record and not repeated here.
 * @param {unknown} error
 */
function complain(error) {
  process.stderr.write(`shop: ${error instanceof Error ? error.stack : String(error)}\n`);
}
