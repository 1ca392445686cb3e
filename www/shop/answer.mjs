/** What the shop answers, and the headers that every answer carries. */

/** @typedef {import("./config.mjs").Config} Config */
/** @typedef {import("./html.mjs").Html} Html */
/** @typedef {{ status: number, headers: Record<string, string | string[]>, body: string | Buffer }} Answer */

/**
 * @param {number} status
 * @param {Html} html
 * @returns {Answer}
 */
export function page(status, html) {
  return {
    status,
    headers: { "Content-Type": "text/html; charset=utf-8", "Cache-Control": "no-store" },
    body: `${html}`,
  };
}

/**
 * @param {string} path of this shop
 * @param {string[]} [cookies]
 * @returns {Answer}
 */
export function redirect(path, cookies = []) {
  return { status: 303, headers: { Location: path, "Set-Cookie": cookies, "Cache-Control": "no-store" }, body: "" };
}

/**
 * An answer for when no page can be made.
 * @param {number} status
 * @returns {Answer}
 */
export function failure(status) {
  return { status, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: `${status}\n` };
}

/**
 * @param {string} name
 * @param {string} value of letters, digits and `.~-_`
 * @param {number} seconds 0 takes the cookie away
 */
export function setCookie(name, value, seconds) {
  return `${name}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax`;
}

/**
 * The same answer with one more cookie.
 * @param {Answer} answer
 * @param {string} cookie
 * @returns {Answer}
 */
export function withCookie(answer, cookie) {
  const cookies = [answer.headers["Set-Cookie"] ?? []].flat();
  return { ...answer, headers: { ...answer.headers, "Set-Cookie": [...cookies, cookie] } };
}

/**
 * @param {import("node:http").ServerResponse} response
 * @param {Config} config
 * @param {Answer} answer
 */
export function send(response, config, answer) {
  const cookies = [answer.headers["Set-Cookie"] ?? []].flat();
  response.writeHead(answer.status, {
    ...answer.headers,
    "Set-Cookie": isSecure(config) ? cookies.map((cookie) => `${cookie}; Secure`) : cookies,
    "Content-Length": Buffer.byteLength(answer.body),
    "Content-Security-Policy": contentSecurityPolicy(config),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
  });
  response.end(answer.body);
}

/**
 * Whether shoppers come by HTTPS.
 * @param {Config} config
 */
export function isSecure({ origin }) {
  return origin?.startsWith("https:") ?? false;
}

/**
 * A card form in a frame needs its script and its frame from the vault. One in the page needs to compile its wasm and to
 * reach the vault.
 * @param {Config} config
 */
function contentSecurityPolicy({ vault, mode }) {
  const { origin } = new URL(vault);
  const card =
    mode === "hosted"
      ? [`script-src 'self' ${origin}`, `frame-src ${origin}`, "connect-src 'self'"]
      : ["script-src 'self' 'wasm-unsafe-eval'", `connect-src 'self' ${origin}`];
  return [
    "default-src 'none'",
    ...card,
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
    "style-src 'self'",
    "img-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join("; ");
}
