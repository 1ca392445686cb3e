/** What the shop is started with, checked once; the rest of the shop need not doubt it. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { NAMES } from "./profiles.mjs";

/**
 * @typedef {object} Config
 * @property {number} port 0 takes any free one
 * @property {string} [origin] the address that shoppers see, where something stands in front of this server
 * @property {number} [windowPort] where the demo's window opens, on this machine only; without it there is none
 * @property {string} vault the vault's address, no slash at its end; this server and the shopper's browser both use it
 * @property {"hosted" | "inline"} mode where the card form stands: in a frame of the vault's, or in the page
 * @property {ReadonlyMap<import("./profiles.mjs").Profile, Account>} accounts one for each profile that the shop takes; the
 *   first is the one that a checkout page begins with
 * @property {string} [wires] who tells what went over the wires, for a demo with the vendors' stand-ins
 * @property {string} [log] a file that gets a copy of the record
 * @property {string} widgetFolder what `cargo xtask build` made, served under /cardseal/
 * @property {number} vaultTimeout milliseconds that one request to the vault may take
 * @property {readonly number[]} retryDelays milliseconds between the attempts to learn how a pending charge ended
 */

/**
 * The shop's keys at the vault for one profile. With Omise, Omise's own as well.
 * @typedef {object} Account
 * @property {string} publicKey goes into the checkout page
 * @property {string} secretKey charges; never leaves this process but for the vault
 * @property {{ vault: string, publicKey: string, secretKey: string }} [omise]
 */

/** A setting that the shop cannot start with. The message never holds the value of a key. */
export class ConfigError extends Error {}

const PUBLIC_KEY = /^pkey_(test_)?[0-9A-Za-z]+$/;
const SECRET_KEY = /^skey_(test_)?[0-9A-Za-z]+$/;

/**
 * @param {{ port?: string, origin?: string, window?: string, vault?: string, mode?: string, log?: string,
 *   vendors?: string }} options the command line
 * @param {Record<string, string | undefined>} environment
 * @returns {Config}
 * @throws {ConfigError}
 */
export function parseConfig(options, environment) {
  const { accounts, wires } = vendors(options.vendors);
  const own = {
    publicKey: key("CARDSEAL_PUBLIC_KEY", PUBLIC_KEY, environment),
    secretKey: key("CARDSEAL_SECRET_KEY", SECRET_KEY, environment),
  };
  return {
    port: port("--port", options.port ?? "4243"),
    origin: options.origin === undefined ? undefined : address("--origin", options.origin),
    windowPort: options.window === undefined ? undefined : port("--window", options.window),
    vault: vault(options.vault),
    mode: mode(options.mode ?? "hosted"),
    accounts: new Map([["cardseal", own], ...accounts]),
    wires,
    log: options.log,
    widgetFolder: fileURLToPath(new URL("../../pkg", import.meta.url)),
    vaultTimeout: 8_000,
    retryDelays: [2_000, 5_000, 15_000, 30_000, 60_000, 300_000],
  };
}

/**
 * The file with the shop's accounts for vendors' tokens: `{ "wires"?: URL, "accounts": { [profile]: Account } }`.
 * @param {string | undefined} path
 * @returns {{ accounts: [import("./profiles.mjs").Profile, Account][], wires: string | undefined }}
 */
function vendors(path) {
  if (path === undefined) return { accounts: [], wires: undefined };
  /** @type {any} */
  let file;
  try {
    file = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new ConfigError("--vendors takes a JSON file");
  }
  const accounts = Object.entries(file?.accounts ?? {}).map(([name, account]) => {
    if (!Object.hasOwn(NAMES, name)) throw new ConfigError(`--vendors: ${name} is no profile`);
    return [name, parseAccount(name, account)];
  });
  return { accounts, wires: file?.wires === undefined ? undefined : address("wires", file.wires) };
}

/**
 * @param {string} name
 * @param {any} account
 * @returns {Account}
 */
function parseAccount(name, { publicKey, secretKey, omise }) {
  const keys = (/** @type {any} */ given) => ({
    publicKey: key(`publicKey of ${name}`, PUBLIC_KEY, { [`publicKey of ${name}`]: given.publicKey }),
    secretKey: key(`secretKey of ${name}`, SECRET_KEY, { [`secretKey of ${name}`]: given.secretKey }),
  });
  return {
    ...keys({ publicKey, secretKey }),
    ...(omise && { omise: { vault: address("omise.vault", omise.vault), ...keys(omise) } }),
  };
}

/**
 * @param {string} name
 * @param {string} text
 */
function port(name, text) {
  const number = Number(text);
  if (!/^\d+$/.test(text) || number > 65_535) throw new ConfigError(`${name} takes a number from 0 to 65535`);
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
  return address("--vault", text);
}

/**
 * @param {string} name
 * @param {string} text
 */
function address(name, text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol) || url.username || url.search || url.hash) {
    throw new ConfigError(`${name} takes an address such as https://vault.example`);
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
