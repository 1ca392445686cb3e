/**
 * The form and the sealing in the page itself: inline mode, and merchants with fields of their own. It weighs what the
 * loader does not, and is loaded when it is first needed.
 */
import init, { Client, type Form, type InitInput } from "cardseal-wasm";
import {
  allFields,
  type Card,
  type CardEvents,
  type CardOptions,
  type OwnFieldsCard,
  type Profile,
  type TextOverrides,
  type Token,
  type TokenizeDetails,
  type UpdateOptions,
} from "./card.js";
import type { CardsealError, Failure, FieldName } from "./error.js";
import { find, Listeners } from "./listeners.js";
import { language, type Locale, NOT_A_LOCALE } from "./locale.js";
import { trust, UNTRUSTED } from "./vault_keys.js";

/** What a merchant's vault is opened with. */
export interface InlineOptions {
  publicKey: string;
  vault: string;
  profile: Profile;
  locale: Locale | "auto";
  wasm?: string | URL | BufferSource | WebAssembly.Module | undefined;
  vaultKey?: string | undefined;
  /** The page's error for a failure: there is one class of errors, and it is the loader's. */
  fail: (failure: Failure) => CardsealError;
}

/**
 * Where each language's texts lie, and their digest. The addresses are written out in full, so that a bundler finds the files, and
 * the digests so that the build finds those.
 */
const TEXTS: Record<Locale, () => [URL, string]> = {
  en: () => [new URL("./locales/en.json", import.meta.url), RELEASED.en],
  ja: () => [new URL("./locales/ja.json", import.meta.url), RELEASED.ja],
  th: () => [new URL("./locales/th.json", import.meta.url), RELEASED.th],
};

/** SHA-256, base64url, each. */
const THUMBPRINTS = /^[\w-]{43}( [\w-]{43})*$/;

let loading: Promise<unknown> | undefined;

/** The wasm, from beside this script or from where the page has it. A module or its bytes are the page's to answer for. */
function released(wasm: InlineOptions["wasm"]): InitInput | Promise<InitInput> {
  if (wasm !== undefined && typeof wasm !== "string" && !(wasm instanceof URL)) return wasm;
  return load(wasm ?? new URL("./cardseal_bg.wasm", import.meta.url), RELEASED.wasm);
}

/** A file of the release, if it is what was released. */
async function load(address: string | URL, integrity: string): Promise<Response> {
  const url = new URL(address, globalThis.document?.baseURI);
  // By its digest a vault finds the file of an older release, too. Other servers pass over it.
  if (!BUNDLED && address instanceof URL && url.protocol !== "data:") url.search = `integrity=${integrity}`;
  const response = await fetch(url, { integrity });
  if (!response.ok) throw new Error(String(response.status));
  return response;
}

/** One merchant at one vault, with everything in the page. */
export class Inline {
  readonly #client: Client;
  readonly #profile: Profile;
  readonly #fail: InlineOptions["fail"];
  readonly #texts: Texts | undefined;

  /** The wasm is loaded once, however often this is called; after a failure the next call tries again. */
  static async open(options: InlineOptions): Promise<Inline> {
    const { publicKey, vault, profile, locale, wasm, vaultKey, fail } = options;
    if (vaultKey !== undefined) {
      if (!THUMBPRINTS.test(vaultKey)) throw fail({ code: "invalid_options", message: "vaultKey is a thumbprint of 43 characters, or several" });
      trust(vault, vaultKey.split(" "));
    }
    loading ??= init({ module_or_path: released(wasm) });
    try {
      const [texts] = await Promise.all([typeof document === "undefined" ? undefined : Texts.load(locale), loading]);
      return new Inline(new Client(String(publicKey), String(vault), profile), profile, texts, fail);
    } catch (thrown) {
      if (isFailure(thrown)) throw fail(thrown);
      loading = undefined;
      const failure: Failure = {
        code: "load_failed",
        message:
          "cardseal_bg.wasm could not be loaded: it must lie beside inline.js, and a Content-Security-Policy must allow " +
          "it (connect-src) and WebAssembly (script-src 'wasm-unsafe-eval')",
        retryable: true,
      };
      throw fail(failure);
    }
  }

  private constructor(client: Client, profile: Profile, texts: Texts | undefined, fail: InlineOptions["fail"]) {
    this.#client = client;
    this.#profile = profile;
    this.#texts = texts;
    this.#fail = fail;
  }

  card(options: CardOptions): Card {
    if (!this.#texts) throw this.#fail({ code: "no_document", message: "a card form needs a page to stand in" });
    return new InlineCard(this.#client, this.#texts, { fields: allFields(this.#profile), ...options }, this.#fail);
  }

  async createToken(card: OwnFieldsCard): Promise<Token> {
    return this.#client.createToken(card).catch(this.#rethrow);
  }

  async seal(card: OwnFieldsCard): Promise<string> {
    return this.#client.seal(card).catch(this.#rethrow);
  }

  readonly #rethrow = (thrown: unknown): never => {
    throw this.#fail(describe(thrown));
  };
}

/** What went wrong, for whatever was thrown: a trap in the wasm has no words that say anything useful. */
function describe(thrown: unknown): Failure {
  if (!isFailure(thrown)) return { code: "internal_error", message: "cardseal failed inside; load the page again" };
  return thrown.message === UNTRUSTED ? { code: "untrusted_keys", message: UNTRUSTED } : thrown;
}

/** Whether it describes itself, as what the wasm throws does. */
function isFailure(thrown: unknown): thrown is Failure {
  return typeof thrown === "object" && thrown !== null && "code" in thrown && !(thrown instanceof Error);
}

/** A language and all its texts. */
class Texts {
  static async load(locale: Locale | "auto"): Promise<Texts> {
    const chosen = language(locale);
    if (!chosen) throw { code: "invalid_options", message: NOT_A_LOCALE } satisfies Failure;
    try {
      return new Texts(chosen, JSON.parse(await read(chosen)));
    } catch {
      const message = `the texts for "${chosen}" could not be loaded; is locales/ beside inline.js?`;
      throw { code: "load_failed", message, retryable: true } satisfies Failure;
    }
  }

  private constructor(
    readonly language: Locale,
    readonly texts: object,
  ) {}
}

/** What a file of texts says. */
async function read(locale: Locale): Promise<string> {
  const [url, integrity] = TEXTS[locale]();
  // A bundler puts a small file into its address, where a policy lets no script fetch it that does not allow `data:`.
  const data = /^data:[^,]*;base64,(.*)/.exec(url.href)?.[1];
  if (data !== undefined) return new TextDecoder().decode(Uint8Array.from(atob(data), (byte) => byte.charCodeAt(0)));
  return (await load(url, integrity)).text();
}

/** A card form in a closed shadow root in the page. */
class InlineCard extends Listeners implements Card {
  readonly #form: Form;
  readonly #fail: InlineOptions["fail"];
  #texts: Texts;
  #overrides: TextOverrides;
  #target: Element | undefined;

  constructor(client: Client, texts: Texts, options: CardOptions, fail: InlineOptions["fail"]) {
    const { fields, appearance = {}, texts: overrides = {} } = options;
    super();
    this.#fail = fail;
    this.#texts = texts;
    this.#overrides = overrides;
    const all = { ...texts.texts, ...overrides };
    this.#form = this.#call(() =>
      client.form(
        { fields, appearance, texts: all, language: texts.language, place: "page" },
        (name: keyof CardEvents, detail: never) => this.emit(name, detail, this.#target),
      ),
    );
  }

  mount(target: string | Element): this {
    const element = find(target);
    if (typeof element === "string") throw this.#fail({ code: "invalid_target", message: element });
    this.#target = element;
    this.#call(() => this.#form.mount(element));
    return this;
  }

  unmount(): void {
    this.#call(() => this.#form.unmount());
  }

  destroy(): void {
    this.#form.destroy();
  }

  focus(field: FieldName = "number"): void {
    this.#call(() => this.#form.focus(field));
  }

  clear(): void {
    this.#call(() => this.#form.clear());
  }

  async update({ appearance, locale, texts, disabled }: UpdateOptions): Promise<void> {
    if (appearance) this.#call(() => this.#form.setAppearance(appearance));
    if (disabled !== undefined) this.#call(() => this.#form.setDisabled(disabled));
    if (!locale && !texts) return;
    try {
      if (locale) this.#texts = await Texts.load(locale);
      this.#overrides = texts ?? this.#overrides;
      this.#form.setTexts({ ...this.#texts.texts, ...this.#overrides }, this.#texts.language);
    } catch (thrown) {
      throw this.#fail(describe(thrown));
    }
  }

  async reportValidity(): Promise<boolean> {
    return this.#call(() => this.#form.reportValidity());
  }

  async tokenize(details?: TokenizeDetails): Promise<Token> {
    try {
      return await this.#form.tokenize(details);
    } catch (thrown) {
      const error = this.#fail(describe(thrown));
      this.emit("error", error, this.#target);
      throw error;
    }
  }

  /** Calls into the wasm; what it throws comes out as the page's error. */
  #call<T>(work: () => T): T {
    try {
      return work();
    } catch (thrown) {
      throw this.#fail(describe(thrown));
    }
  }
}
