import { beside } from "./beside.js";
import type { Card, CardOptions, OwnFieldsCard, Profile, Token } from "./card.js";
import { CardsealError, fail } from "./error.js";
import { HostedCard } from "./hosted/card.js";
import { checkLocale, type Locale } from "./locale.js";

export type {
  Appearance,
  BillingAddress,
  Card,
  CardEvents,
  CardListener,
  CardOptions,
  CardState,
  CardToken,
  FieldState,
  FontFamily,
  OwnFieldsCard,
  Profile,
  TextOverrides,
  Token,
  TokenizeDetails,
  UpdateOptions,
  VendorToken,
} from "./card.js";
export { CardsealError, type ErrorCode, type FieldName, type Reason, type Vendor } from "./error.js";
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
   * `inline`, from the npm package or from `inline.js`: the form stands in a closed shadow root in the page. Scripts of the page can reach it, so a page that uses
   * it falls under PCI DSS SAQ A-EP.
   */
  mode?: "hosted" | "inline";
  /**
   * Which vendor's token a card becomes; `cardseal`, the default, is the vault's own. The vault must know the merchant's
   * account with the vendor: where it does not, `tokenize()` fails with `profile_not_allowed`.
   */
  profile?: Profile;
  /** The form's language. `auto`, the default, takes the browser's. */
  locale?: Locale | "auto";
  /**
   * Where the wasm is, or the wasm itself, if it does not lie beside the package's scripts. For inline mode, `createToken`
   * and `seal`; a frame brings its own.
   */
  wasm?: string | URL | BufferSource | WebAssembly.Module;
  /**
   * The thumbprint of the key that the vault signs its sealing keys with, or several with spaces between them; the vault's operator has
   * it. Then no card is sealed to a key that somebody else has put into the vault's place: the call fails with
   * `untrusted_keys` and nothing is sent. For inline mode, `createToken` and `seal`; a frame brings its keys along.
   */
  vaultKey?: string | undefined;
}

/** One merchant at one vault. Made by `loadCardseal()`. */
export interface Cardseal {
  /** Makes a card form; `mount()` puts it into the page. */
  card(options?: CardOptions): Card;
  /**
   * From the npm package or from `inline.js`. Seals a card from the page's own fields and exchanges it for a token. The page then handles card numbers itself,
   * which puts it under PCI DSS SAQ A-EP at the least. Rejects with a CardsealError.
   */
  createToken(card: OwnFieldsCard): Promise<Token>;
  /**
   * Seals such a card as the profile does, and leaves sending it to the caller: a JWE in compact form. Rejects with a
   * CardsealError; with `invalid_options` under `omise`, which has no seal.
   */
  seal(card: OwnFieldsCard): Promise<string>;
}

/**
 * Loads cardseal.
 *
 * Rejects with a CardsealError: `invalid_public_key`, `invalid_vault_address`, `unsupported_mode`, `invalid_options`, and
 * in inline mode `load_failed`.
 */
export async function loadCardseal(options: LoadOptions): Promise<Cardseal> {
  const { mode = "hosted", locale = "auto", profile = "cardseal" } = options;
  if (!/^(hosted|inline)$/.test(mode)) throw fail("unsupported_mode", 'mode is "hosted" or "inline"');
  checkLocale(locale);
  if (!PROFILE.test(profile)) throw fail("invalid_options", "unknown profile");
  const merchant = { publicKey: publicKey(options), vault: vault(options), locale, profile };
  const load = async () => {
    const { Inline } = await beside.inline();
    return Inline.open({ ...options, ...merchant, fail: (failure) => new CardsealError(failure) });
  };
  let inline = mode === "inline" ? await load() : undefined;
  return {
    card(options = {}) {
      if (inline && mode === "inline") return inline.card(options);
      if (typeof document !== "undefined") return new HostedCard(merchant, options);
      throw fail("no_document", "a card form needs a page to stand in");
    },
    createToken: async (card) => (inline ??= await load()).createToken(card),
    seal: async (card) => (inline ??= await load()).seal(card),
  };
}

const PROFILE = /^(cardseal|omise|payment-options|thales-(d1|pci))$/;

function publicKey({ publicKey }: LoadOptions): string {
  if (/^pkey_(test_)?[a-z0-9]+$/.test(publicKey)) return publicKey;
  throw fail(
    "invalid_public_key",
    /^skey_/.test(publicKey)
      ? "this is a secret key; a page has the public one"
      : "a public key is pkey_, then a-z and 0-9",
  );
}

/** The vault's origin. Cards go over TLS only (PCI DSS 4.2.1), but for a vault on this very machine. */
function vault({ vault }: LoadOptions): string {
  const origin = /^(https:\/\/[^/?#@\\\s]+|http:\/\/(localhost|127\.0\.0\.1|\[::1])(:\d+)?)\/?$/;
  if (origin.test(vault) && URL.canParse(vault)) return new URL(vault).origin;
  throw fail("invalid_vault_address", "a vault's address is https://host[:port], or http on localhost");
}
