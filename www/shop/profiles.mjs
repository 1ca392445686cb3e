/** Whose tokens the shop takes, and who makes something of them. */
import { OnFile } from "./on_file.mjs";
import { Relayed } from "./relayed.mjs";
import { Vault } from "./vault.mjs";

/** @typedef {import("./config.mjs").Config} Config */

/** @typedef {"cardseal" | "omise" | "payment-options" | "thales-d1" | "thales-pci"} Profile */

/**
 * What a token was used for, as far as a shop may show it.
 * @typedef {{ kind: "charge" | "card_kept" | "stored_charge" | "cryptogram" | "recurring" | "detokenized", detail: string }} Use
 */

/**
 * What becomes of a profile's tokens. `again` is there where a token, or what was made of it, can be used once more.
 * @typedef {object} Channel
 * @property {(id: string) => Promise<import("./vault.mjs").TokenAnswer>} token
 * @property {(charge: import("./vault.mjs").Charge) => Promise<import("./vault.mjs").ChargeAnswer>} charge
 * @property {(charge: import("./vault.mjs").Charge) => Promise<import("./vault.mjs").ChargeAnswer>} [again]
 */

/** Every profile, by the names of their makers, which are the same in all languages. */
export const NAMES = /** @type {const} */ ({
  cardseal: "cardseal",
  omise: "Omise",
  "payment-options": "Payment Options",
  "thales-d1": "Thales D1",
  "thales-pci": "Thales PCI",
});

/**
 * @param {string | null | undefined} text
 * @param {Config} config
 * @returns {Profile | undefined} one that this shop takes
 */
export function profile(text, { accounts }) {
  return /** @type {Profile | undefined} */ ([...accounts.keys()].find((name) => name === text));
}

/** The form of each profile's tokens. */
const TOKENS = {
  native: /^tokn_(test_)?[0-9A-Za-z]{1,64}$/,
  vendor: /^[0-9A-Za-z_-]{1,128}$/,
};

/**
 * @param {Profile} profile
 * @param {string} text
 */
export function isToken(profile, text) {
  return (profile.startsWith("thales") ? TOKENS.vendor : TOKENS.native).test(text);
}

/**
 * @param {Config} config
 * @returns {Map<Profile, Channel>}
 */
export function channels(config) {
  return new Map([...config.accounts].map(([name, account]) => [name, channel(config, name, account)]));
}

/**
 * @param {Config} config
 * @param {Profile} profile
 * @param {import("./config.mjs").Account} account
 * @returns {Channel}
 */
function channel({ vault, vaultTimeout }, profile, { publicKey, secretKey, omise }) {
  const keys = { vault, publicKey, secretKey, vaultTimeout };
  switch (profile) {
    case "cardseal":
      return new Vault(keys);
    case "omise":
      // The vault speaks as Omise does, so Omise is asked as the vault is.
      return new Vault({ vaultTimeout, ...(omise ?? keys) });
    case "payment-options":
      return new OnFile(keys);
    case "thales-d1":
    case "thales-pci":
      return new Relayed(keys, profile);
  }
}
