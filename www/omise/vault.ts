import { type Cardseal, loadCardseal } from "../cardseal.js";
import { fail } from "../error.js";
import type { Locale } from "../locale.js";

let vault: string | undefined;
let vaultKey: string | undefined;
const loaded = new Map<string, Promise<Cardseal>>();

/** Says where the vault is, and perhaps the thumbprint of the key that it signs its sealing keys with. */
export function setVault(address: string, key?: string): void {
  vault = address;
  vaultKey = key;
}

/** The merchant at the vault. Rejects with a CardsealError. */
export function cardsealOf(publicKey: string, locale: Locale): Promise<Cardseal> {
  if (vault === undefined) {
    const message = 'no vault is known; call Omise.setVault("https://vault.example"), or load omise.js from the vault';
    return Promise.reject(fail("invalid_vault_address", message));
  }
  // Kept, as it in turn keeps the wasm and the vault's key.
  const name = `${vault} ${vaultKey} ${publicKey} ${locale}`;
  const known = loaded.get(name);
  if (known) return known;
  const cardseal = loadCardseal({ publicKey, vault, vaultKey, locale });
  loaded.set(name, cardseal);
  cardseal.catch(() => loaded.delete(name));
  return cardseal;
}

/** The address of something at the vault. */
export function location(path: string): string {
  return `${vault ?? ""}${path}`;
}
