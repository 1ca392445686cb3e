import type { Card, CardOptions, OwnFieldsCard, Token } from "./card.js";
import { CardsealError } from "./error.js";
import { HostedCard } from "./hosted/card.js";
import type { Inline, InlineOptions } from "./inline.js";
import { language, type Locale } from "./locale.js";

export type {
  Appearance,
  BillingAddress,
  Card,
  CardEvents,
  CardListener,
  CardOptions,
  CardState,
  FieldState,
  FontFamily,
  OwnFieldsCard,
  TextOverrides,
  Token,
  TokenizeDetails,
  UpdateOptions,
} from "./card.js";
export { CardsealError, type ErrorCode, type FieldName, type Reason } from "./error.js";
export type { Locale, TextName } from "./locale.js";

/** What cardseal is loaded with. */
export interface LoadOptions {
  /** The merchant's public key, `pkey_test_…` or `pkey_…`. Never the secret key. */
  publicKey: string;
  /** The vault's address, `https://vault.example`. */
  vault: string;
  /**
   * `hosted`, the default: the fields stand in one frame of the vault's, which no script of the page can look into.
   *
   * `inline`: the form stands in a closed shadow root in the page. Scripts of the page can reach it, so a page that uses
   * it falls under PCI DSS SAQ A-EP.
   */
  mode?: "hosted" | "inline";
  /** The form's language. `auto`, the default, takes the browser's. */
  locale?: Locale | "auto";
  /**
   * Where the wasm is, or the wasm itself, if it does not lie beside the package's scripts. For inline mode, `createToken`
   * and `seal`; a frame brings its own.
   */
  wasm?: string | URL | BufferSource | WebAssembly.Module;
}

/**
 * Loads cardseal.
 *
 * Rejects with a CardsealError: `invalid_public_key`, `invalid_vault_address`, `unsupported_mode`, `invalid_options`, and
 * in inline mode `load_failed`.
 */
export async function loadCardseal(options: LoadOptions): Promise<Cardseal> {
  const { mode = "hosted", locale = "auto", wasm } = options;
  const fail = (code: "unsupported_mode" | "invalid_options", message: string): never => {
    throw new CardsealError({ code, message });
  };
  if (mode !== "hosted" && mode !== "inline") fail("unsupported_mode", 'mode is "hosted" or "inline"');
  if (!language(locale)) fail("invalid_options", "locale is one of auto, en, ja, th");
  const merchant = { publicKey: publicKey(options), vault: vault(options), locale };
  const inline = () => loadInline({ ...merchant, wasm, fail: CardsealError.from });
  return new Cardseal(merchant, inline, mode === "inline" ? await inline() : undefined);
}

async function loadInline(options: InlineOptions): Promise<Inline> {
  const script = await import("./inline.js").catch(() => {
    const message = "inline.js could not be loaded; it lies beside cardseal.js";
    throw new CardsealError({ code: "load_failed", message, retryable: true });
  });
  return script.Inline.open(options);
}

function publicKey({ publicKey }: LoadOptions): string {
  if (/^pkey_(test_)?[a-z0-9]+$/.test(publicKey)) return publicKey;
  const message = /^skey_/.test(publicKey)
    ? "this is a secret key (skey_…); a page takes the public key (pkey_…), and a secret key that was in a page must be revoked"
    : "a public key begins with pkey_ and goes on with lower-case letters and digits";
  throw new CardsealError({ code: "invalid_public_key", message });
}

/** The vault's origin. */
function vault({ vault }: LoadOptions): string {
  const fail = (message: string): never => {
    throw new CardsealError({ code: "invalid_vault_address", message });
  };
  const url = URL.canParse(vault) ? new URL(vault) : fail("a vault's address is https://host or https://host:port");
  if (url.href !== `${url.origin}/`) fail("a vault's address is https://host or https://host:port and nothing more");
  const isLocal = /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && isLocal)) {
    fail("a vault's address begins with https:// (http:// is for localhost only)");
  }
  return url.origin;
}

/** One merchant at one vault. Made by `loadCardseal()`. */
export class Cardseal {
  readonly #merchant: { publicKey: string; vault: string; locale: Locale | "auto" };
  readonly #load: () => Promise<Inline>;
  readonly #inline: Inline | undefined;

  /** @internal */
  constructor(
    merchant: { publicKey: string; vault: string; locale: Locale | "auto" },
    load: () => Promise<Inline>,
    inline: Inline | undefined,
  ) {
    this.#merchant = merchant;
    this.#load = load;
    this.#inline = inline;
  }

  /** Makes a card form; `mount()` puts it into the page. */
  card(options: CardOptions = {}): Card {
    if (this.#inline) return this.#inline.card(options);
    if (typeof document === "undefined") {
      throw new CardsealError({ code: "no_document", message: "a card form needs a page to stand in" });
    }
    return new HostedCard(this.#merchant, options);
  }

  /**
   * Seals a card from the page's own fields and exchanges it for a token. The page then handles card numbers itself,
   * which puts it under PCI DSS SAQ A-EP at the least. Rejects with a CardsealError.
   */
  async createToken(card: OwnFieldsCard): Promise<Token> {
    return (this.#inline ?? (await this.#load())).createToken(card);
  }

  /** Seals such a card and leaves sending it to the caller: a JWE in compact form. Rejects with a CardsealError. */
  async seal(card: OwnFieldsCard): Promise<string> {
    return (this.#inline ?? (await this.#load())).seal(card);
  }
}
