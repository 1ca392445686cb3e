/** What the shop is started with, checked once; the rest of the shop need not doubt it. */
import { fileURLToPath } from "node:url";

/**
 * @typedef {object} Config
 * @property {number} port 0 takes any free one
 * @property {string} vault the vault's address, no slash at its end; this server and the shopper's browser both use it
 * @property {"hosted" | "inline"} mode where the card form stands: in a frame of the vault's, or in the page
 * @property {string} publicKey goes into the checkout page
 * @property {string} secretKey charges; never leaves this process but for the vault
 * @property {string} [log] a file that gets a copy of the record
 * @property {string} widgetFolder what `cargo xtask build` made, served under /cardseal/
 * @property {number} vaultTimeout milliseconds that one request to the vault may take
 * @property {readonly number[]} retryDelays milliseconds between the attempts to learn how a pending charge ended
 */

/** A setting that the shop cannot start with. The message never holds the value of a key. */
export class ConfigError extends Error {}

const PUBLIC_KEY = /^pkey_(test_)?[0-9A-Za-z]+$/;
const SECRET_KEY = /^skey_(test_)?[0-9A-Za-z]+$/;

/**
 * @param {{ port?: string, vault?: string, mode?: string, log?: string }} options the command line
 * @param {Record<string, string | undefined>} environment
 * @returns {Config}
 * @throws {ConfigError}
 */
export function parseConfig(options, environment) {
  return {
    port: port(options.port ?? "4243"),
    vault: vault(options.vault),
    mode: mode(options.mode ?? "hosted"),
    publicKey: key("CARDSEAL_PUBLIC_KEY", PUBLIC_KEY, environment),
    secretKey: key("CARDSEAL_SECRET_KEY", SECRET_KEY, environment),
    log: options.log,
    widgetFolder: fileURLToPath(new URL("../../pkg", import.meta.url)),
    vaultTimeout: 8_000,
    retryDelays: [2_000, 5_000, 15_000, 30_000, 60_000, 300_000],
  };
}

/** @param {string} text */
function port(text) {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535) throw new ConfigError("--port takes a number from 0 to 65535");
  return number;
}

/** @param {string} text */
function mode(text) {
  if (text !== "hosted" && text !== "inline") throw new ConfigError("--mode takes hosted or inline");
  return text;
}

/** @param {string | undefined} text */
function vault(text) {
  if (text === undefined) throw new ConfigError("--vault is missing: the vault's address");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username || url.search || url.hash) {
    throw new ConfigError("--vault takes an address such as https://vault.example");
  }
  return url.href.replace(/\/$/, "");
}

/**
 * @param {string} name
 * @param {RegExp} shape
 * @param {Record<string, string | undefined>} environment
 */
function key(name, shape, environment) {
  const value = environment[name];
  if (value === undefined || value === "") throw new ConfigError(`${name} is not set`);
  if (!shape.test(value)) throw new ConfigError(`${name} is not a ${shape === PUBLIC_KEY ? "public" : "secret"} key`);
  return value;
}
