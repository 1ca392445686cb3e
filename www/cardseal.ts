import init, { Client, type InitInput } from "cardseal-wasm";
import { Card, type CardOptions, type Token, type TokenizeDetails } from "./card.js";
import { call, CardsealError } from "./error.js";
import { loadTexts, type Locale, type Texts } from "./locale.js";

export type {
  Appearance,
  BillingAddress,
  Card,
  CardEvents,
  CardOptions,
  FieldState,
  Token,
  TokenizeDetails,
  UpdateOptions,
} from "./card.js";
export { CardsealError, type ErrorCode, type FieldName, type Reason } from "./error.js";
export type { Locale } from "./locale.js";

/** What cardseal is loaded with. */
export interface LoadOptions {
  /** The merchant's public key, `pkey_test_…` or `pkey_…`. Never the secret key. */
  publicKey: string;
  /** The vault's address, `https://vault.example`. */
  vault: string;
  /**
   * `inline`: the form stands in a closed shadow root in the page. Scripts of the page could still draw a form of their
   * own over it, so a page that uses it falls under PCI DSS SAQ A-EP.
   */
  mode: "inline";
  /** The form's language. `auto`, the default, takes the browser's. */
  locale?: Locale | "auto";
  /** Where the wasm is, or the wasm itself, if it does not lie beside this script. */
  wasm?: string | URL | BufferSource | WebAssembly.Module;
}

/** A card whose fields the page drew itself. */
export interface OwnFieldsCard extends TokenizeDetails {
  /** Digits; spaces and hyphens may be among them. */
  number: string;
  /** `12/30`, `12/2030`, … */
  expiry: string;
  /** Left out where the page does not ask for it; an empty one is incomplete. */
  security_code?: string;
}

let loading: Promise<unknown> | undefined;

/**
 * Loads cardseal. The code is loaded once, however often this is called; after a failure the next call tries again.
 *
 * Rejects with a CardsealError: `invalid_public_key`, `invalid_vault_address`, `unsupported_mode`, `invalid_options`,
 * `load_failed`.
 */
export async function loadCardseal(options: LoadOptions): Promise<Cardseal> {
  const { publicKey, vault, mode, locale = "auto", wasm } = options;
  if (mode !== "inline") {
    throw new CardsealError({ code: "unsupported_mode", message: 'this version has mode: "inline" only' });
  }
  const [texts] = await Promise.all([typeof document === "undefined" ? undefined : loadTexts(locale), load(wasm)]);
  return call(() => new Cardseal(new Client(String(publicKey), String(vault)), texts));
}

async function load(wasm: LoadOptions["wasm"]): Promise<void> {
  // Without an argument the wasm is looked for beside this script.
  loading ??= wasm === undefined ? init() : init({ module_or_path: wasm as InitInput });
  try {
    await loading;
  } catch {
    loading = undefined;
    throw new CardsealError({
      code: "load_failed",
      message:
        "cardseal_bg.wasm could not be loaded: it must lie beside cardseal.js, and a Content-Security-Policy must allow " +
        "it (connect-src) and WebAssembly (script-src 'wasm-unsafe-eval')",
      retryable: true,
    });
  }
}

/** One merchant at one vault. Made by `loadCardseal()`. */
export class Cardseal {
  readonly #client: Client;
  readonly #texts: Texts | undefined;

  /** @internal */
  constructor(client: Client, texts: Texts | undefined) {
    this.#client = client;
    this.#texts = texts;
  }

  /** Makes a card form; `mount()` puts it into the page. */
  card(options: CardOptions = {}): Card {
    if (!this.#texts) throw new CardsealError({ code: "no_document", message: "a card form needs a page to stand in" });
    return new Card(this.#client, this.#texts, options);
  }

  /**
   * Seals a card from the page's own fields and exchanges it for a token. The page then handles card numbers itself,
   * which puts it under PCI DSS SAQ A-EP at the least. Rejects with a CardsealError.
   */
  async createToken(card: OwnFieldsCard): Promise<Token> {
    return this.#client.createToken(card).catch(rethrow);
  }

  /** Seals such a card and leaves sending it to the caller: a JWE in compact form. Rejects with a CardsealError. */
  async seal(card: OwnFieldsCard): Promise<string> {
    return this.#client.seal(card).catch(rethrow);
  }
}

function rethrow(thrown: unknown): never {
  throw CardsealError.from(thrown);
}
