/** A request exactly as it came, and what can be read from it. */

/**
 * How a request ended: `complete`; `too_large`, cut at the limit; `aborted`, the sender went away;
 * `malformed`, it is not HTTP.
 * @typedef {"complete" | "too_large" | "aborted" | "malformed"} Ending
 */

/**
 * @typedef {object} Received
 * @property {string} method
 * @property {string} target the request target, query included, undecoded
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {Buffer} head the request line and every header, byte for byte but for the whitespace around a value
 * @property {Buffer} body
 * @property {Ending} ending
 */

/**
 * Waits for the whole body, or for as much as `limit` allows. Never rejects.
 * @param {import("node:http").IncomingMessage} message
 * @param {number} limit bytes
 * @returns {Promise<Received>}
 */
export function receive(message, limit) {
  /** @type {Buffer[]} */
  const chunks = [];
  let room = limit;
  return new Promise((resolve) => {
    /** @param {Ending} ending */
    const finish = (ending) => {
      resolve({
        method: message.method ?? "",
        target: message.url ?? "",
        headers: message.headers,
        head: head(message),
        body: Buffer.concat(chunks),
        ending,
      });
    };
    message.on("data", (/** @type {Buffer} */ chunk) => {
      chunks.push(chunk.subarray(0, room));
      // What comes after is read and dropped: closing at once could lose the answer on its way to the sender.
      if (chunk.length > room) finish("too_large");
      room = Math.max(0, room - chunk.length);
    });
    message.on("end", () => finish("complete"));
    message.on("error", () => finish("aborted"));
    message.on("close", () => finish("aborted"));
  });
}

/**
 * Bytes that Node's parser could not take for HTTP.
 * @param {Error & { rawPacket?: Buffer }} error
 * @returns {Received}
 */
export function malformed(error) {
  const body = error.rawPacket ?? Buffer.alloc(0);
  return { method: "", target: "", headers: {}, head: Buffer.alloc(0), body, ending: "malformed" };
}

/** @param {import("node:http").IncomingMessage} message */
function head(message) {
  const lines = [`${message.method} ${message.url} HTTP/${message.httpVersion}`];
  const pairs = [...message.rawHeaders, ...message.rawTrailers];
  for (let at = 0; at < pairs.length; at += 2) lines.push(`${pairs[at]}: ${pairs[at + 1]}`);
  // Node hands header bytes over as Latin-1.
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

/**
 * @param {Received} received
 * @param {string} name
 * @returns {string | undefined}
 */
export function cookie(received, name) {
  for (const pair of (received.headers.cookie ?? "").split(";")) {
    const [key, value] = pair.trim().split("=", 2);
    if (key === name) return value;
  }
  return undefined;
}

/**
 * A form post of this shop's own pages.
 * @typedef {{ form: URLSearchParams } | { refused: 400 | 403 | 415 }} FormPost
 */

/**
 * @param {Received} received
 * @returns {FormPost}
 */
export function form(received) {
  const { origin, host } = received.headers;
  // A browser names the page that posts. Another site's page must not fill this shop's cart or place its orders.
  if (origin !== undefined && (!URL.canParse(origin) || new URL(origin).host !== host)) {
    return { refused: 403 };
  }
  const [type] = (received.headers["content-type"] ?? "").split(";");
  if (type.trim().toLowerCase() !== "application/x-www-form-urlencoded") return { refused: 415 };
  const parsed = new URLSearchParams(received.body.toString("utf8"));
  // Decoding puts U+FFFD where the bytes were not UTF-8.
  for (const [name, value] of parsed) if (`${name}${value}`.includes("\uFFFD")) return { refused: 400 };
  return { form: parsed };
}
