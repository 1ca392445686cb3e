/**
 * The element `<cardseal-card>`. Importing this module defines it: once, however many copies of the module a page has,
 * and not at all on a server.
 */
import {
  allFields,
  type Appearance,
  type Card,
  type CardState,
  type Profile,
  type TextOverrides,
  type Token,
  type TokenizeDetails,
} from "./card.js";
import { loadCardseal, type LoadOptions } from "./cardseal.js";
import { type CardsealError, errorFrom, fail, type FieldName } from "./error.js";
import { submit } from "./listeners.js";
import type { Locale } from "./locale.js";
import { Submission, type Part, type Submitter } from "./submission.js";

// A page with the element needs nothing else of the package, and this CardsealError is the one that the element throws.
export * from "./cardseal.js";

/** What the element dispatches. All of it bubbles, within the tree that the element stands in. */
export interface CardsealCardEventMap {
  /** The fields can be typed into. */
  "cardseal-ready": CustomEvent<null>;
  /** What was entered has come to mean something else. An `input` event follows, as from every form control. */
  "cardseal-change": CustomEvent<CardState>;
  /** A field got the focus. */
  "cardseal-focus": CustomEvent<{ field: FieldName }>;
  /** A field lost the focus. */
  "cardseal-blur": CustomEvent<{ field: FieldName }>;
  /** Enter was pressed in a field. `preventDefault()` keeps the form from being submitted. */
  "cardseal-submit": CustomEvent<null>;
  /** Escape was pressed in a field. */
  "cardseal-escape": CustomEvent<null>;
  /** The form is about to be submitted with this token. */
  "cardseal-token": CustomEvent<Token>;
  /**
   * The fields could not be loaded, or a submission got no token and does not take place. The element tells the
   * cardholder of the latter, unless a listener calls `preventDefault()`.
   */
  "cardseal-error": CustomEvent<CardsealError>;
}

declare global {
  interface HTMLElementTagNameMap {
    "cardseal-card": CardsealCardElement;
  }
  interface HTMLElementEventMap extends CardsealCardEventMap {}
}

/** What an attribute `data-cardseal` may say of an input, and where its value goes. */
const DETAILS: Record<string, "card" | "billing"> = {
  name: "card",
  email: "card",
  phone_number: "card",
  street1: "billing",
  street2: "billing",
  city: "billing",
  state: "billing",
  country: "billing",
  postal_code: "billing",
};

/** What a framework may set before the element is defined. */
const PROPERTIES = [
  "publicKey",
  "vault",
  "vaultKey",
  "mode",
  "profile",
  "name",
  "locale",
  "fields",
  "appearance",
  "texts",
  "optional",
  "disabled",
] as const;

/** What the element itself says to the cardholder; the fields speak for themselves. */
const WORDS: Record<string, Record<"missing" | "wrong" | "failed" | "unavailable", string>> = {
  en: {
    missing: "Please enter your card details.",
    wrong: "Please check your card details.",
    failed: "Your card details could not be sent, and nothing was charged. Please check your connection and try again.",
    unavailable: "Card payment is not available at the moment. Nothing was charged.",
  },
  ja: {
    missing: "カード情報を入力してください。",
    wrong: "カード情報をご確認ください。",
    failed: "カード情報を送信できませんでした。請求は行われていません。通信状況を確認し、もう一度お試しください。",
    unavailable: "現在、カードをご利用いただけません。請求は行われていません。",
  },
  th: {
    missing: "โปรดกรอกข้อมูลบัตร",
    wrong: "โปรดตรวจสอบข้อมูลบัตร",
    failed: "ส่งข้อมูลบัตรไม่สำเร็จ และยังไม่มีการเรียกเก็บเงิน โปรดตรวจสอบการเชื่อมต่อแล้วลองอีกครั้ง",
    unavailable: "ขณะนี้ไม่สามารถใช้บัตรได้ และยังไม่มีการเรียกเก็บเงิน",
  },
};

const STYLE = `
:host { display: block }
:host([hidden]) { display: none }
p { margin: 0; color: #b3261e; font: 0.875rem/1.4 system-ui, sans-serif }
p:not(:empty) { margin-bottom: 8px }
@supports (color: light-dark(#000, #fff)) { p { color: light-dark(#b3261e, #ffb4ab) } }
`;

const EMPTY: CardState = { complete: false, empty: true, fields: {} };

/** The attributes that hold JSON. */
interface Written {
  appearance: Appearance;
  texts: TextOverrides;
}

// On a server there is none to extend.
const Base: typeof HTMLElement = globalThis.HTMLElement ?? class {};

/**
 * Card fields as a form control: a checkout without a line of JavaScript.
 *
 * ```html
 * <form method="post" action="/pay">
 *   <cardseal-card public-key="pkey_test_…" vault="https://vault.example" name="card_token"></cardseal-card>
 *   <button>Pay</button>
 * </form>
 * ```
 *
 * When the form is submitted, the card is exchanged for a token, and the form is posted with the token's id under the
 * element's `name`. The page's own `submit` listeners hear of the submission once, when the token is there; those
 * that call `preventDefault()` find it in `new FormData(form)`. Without a `name` the form does not wait for a token,
 * and the page calls `tokenize()`. Pressing the button twice posts once.
 *
 * - A card must be complete for the form to be valid, and for it to be submitted even where the form is `novalidate`.
 *   With the attribute `optional` it may be left empty; nothing is posted then. A button with `formnovalidate`
 *   submits the form without a token when the card is not complete.
 * - `disabled`, or a disabled fieldset, takes it out of the form: for a checkout with other ways to pay.
 * - `form.submit()`, called by script, sends no `submit` event and therefore no token, and jQuery's `.submit()` calls
 *   it; `form.requestSubmit()` does send one. jQuery's `.serialize()` leaves custom elements out; `new
 *   FormData(form)` does not.
 * - Inputs of the form that have the attribute `data-cardseal` go to the vault with the card, for the checks of
 *   banks: `name`, `email`, `phone_number`, `street1`, `street2`, `city`, `state`, `country`, `postal_code`. No other
 *   input does.
 * - `<label for>` focuses the first field. `form.reset()` empties the fields.
 * - Styles: `:state(loading)`, `:state(ready)`, `:state(failed)`, `:state(empty)`, `:state(complete)`,
 *   `:state(tokenizing)`, besides `:valid`, `:invalid` and `:disabled`; `::part(problem)` is the sentence that tells
 *   of a failure.
 *
 * It may stand in a shadow root, together with its form: a form takes no control from another tree.
 */
export class CardsealCardElement extends Base {
  /** @internal */
  static readonly formAssociated = true;
  /** @internal */
  static readonly observedAttributes = [
    "public-key",
    "vault",
    "vault-key",
    "mode",
    "profile",
    "fields",
    "locale",
    "appearance",
    "texts",
    "optional",
  ];

  readonly #internals = this.attachInternals();
  /** Has no size. A browser that reports that the control is not valid focuses it and points at it. */
  readonly #anchor = document.createElement("div");
  readonly #box = document.createElement("div");
  readonly #problem = document.createElement("p");
  /** What the form's submission needs of the element, and nobody else. */
  readonly #part: Part = {
    isWanted: (submitter) => this.#isWanted(submitter),
    make: () => this.#make(),
    drop: () => this.#setValue(null),
  };
  #submission: Submission | undefined;
  #card: Card | undefined;
  /** Changes with every start, so that one that was overtaken notices. */
  #start = 0;
  #isScheduled = false;
  #isReady = false;
  #state = EMPTY;
  #value = "";
  #isMaking = false;
  /** Why there are no fields. */
  #failure: CardsealError | undefined;
  #lastError: CardsealError | undefined;
  #customValidity = "";
  #isComplaining = false;

  constructor() {
    super();
    // Open, so that a page's tests find the frame. Nothing is hidden in it: the frame keeps the page out by itself, and
    // the form of inline mode has a closed root of its own.
    const root = this.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(STYLE);
    root.adoptedStyleSheets = [sheet];
    this.#anchor.tabIndex = -1;
    this.#anchor.addEventListener("focus", () => this.#onReport());
    this.#problem.setAttribute("part", "problem");
    this.#problem.role = "alert";
    root.append(this.#anchor, this.#box, this.#problem);
    this.#internals.role = "group";
    this.addEventListener("invalid", () => this.#onInvalid());
    // A click on a label comes as one on the element itself.
    this.addEventListener("click", (event) => event.composedPath()[0] === this && this.focus());
    this.#enter(EMPTY);
  }

  /** The merchant's public key. With another one, there are other fields. */
  get publicKey(): string {
    return this.getAttribute("public-key") ?? "";
  }
  set publicKey(key: string) {
    this.setAttribute("public-key", key);
  }

  /** The vault's address. With another one, there are other fields. */
  get vault(): string {
    return this.getAttribute("vault") ?? "";
  }
  set vault(address: string) {
    this.setAttribute("vault", address);
  }

  /** The thumbprint of the key that the vault signs its sealing keys with, for inline mode. With another one, there are other fields. */
  get vaultKey(): string | undefined {
    return this.getAttribute("vault-key") ?? undefined;
  }
  set vaultKey(thumbprint: string | undefined) {
    this.#reflect("vault-key", thumbprint);
  }

  /** Where the fields stand; `hosted` unless said otherwise. In another mode, there are other fields. */
  get mode(): NonNullable<LoadOptions["mode"]> {
    return (this.getAttribute("mode") ?? "hosted") as NonNullable<LoadOptions["mode"]>;
  }
  set mode(mode: NonNullable<LoadOptions["mode"]>) {
    this.setAttribute("mode", mode);
  }

  /** Which vendor's token the card becomes; `cardseal` unless said otherwise. Under another one, there are other fields. */
  get profile(): Profile {
    return (this.getAttribute("profile") ?? "cardseal") as Profile;
  }
  set profile(profile: Profile) {
    this.setAttribute("profile", profile);
  }

  /** What the token's id is posted as. */
  get name(): string {
    return this.getAttribute("name") ?? "";
  }
  set name(name: string) {
    this.setAttribute("name", name);
  }

  /** The fields' language; `auto` unless said otherwise. */
  get locale(): Locale | "auto" {
    return (this.getAttribute("locale") ?? "auto") as Locale | "auto";
  }
  set locale(locale: Locale | "auto") {
    this.setAttribute("locale", locale);
  }

  /** Which fields, in this order; as an attribute, names with spaces between them. With others, they are empty again. */
  get fields(): readonly FieldName[] {
    return (this.getAttribute("fields")?.split(/[\s,]+/).filter(Boolean) as FieldName[] | undefined) ?? allFields(this.profile);
  }
  set fields(fields: readonly FieldName[] | undefined) {
    this.#reflect("fields", fields?.join(" "));
  }

  /** How the fields look; as an attribute, JSON. */
  get appearance(): Appearance {
    return this.#read("appearance") ?? {};
  }
  set appearance(appearance: Appearance | undefined) {
    this.#reflect("appearance", appearance && JSON.stringify(appearance));
  }

  /** What the fields say, in words of the page's own; as an attribute, JSON. */
  get texts(): TextOverrides {
    return this.#read("texts") ?? {};
  }
  set texts(texts: TextOverrides | undefined) {
    this.#reflect("texts", texts && JSON.stringify(texts));
  }

  /** Whether the card may be left empty. */
  get optional(): boolean {
    return this.hasAttribute("optional");
  }
  set optional(isOptional: boolean) {
    this.toggleAttribute("optional", isOptional);
  }

  /** Whether the element takes no part in its form. */
  get disabled(): boolean {
    return this.hasAttribute("disabled");
  }
  set disabled(isDisabled: boolean) {
    this.toggleAttribute("disabled", isDisabled);
  }

  /** The card form, once there is one. It ends when the element leaves the page, or is given other fields. */
  get card(): Card | undefined {
    return this.#card;
  }

  /** The id of the token that the form is being submitted with; empty otherwise. */
  get value(): string {
    return this.#value;
  }

  /** As of every form control. */
  get type(): string {
    return this.localName;
  }
  get form(): HTMLFormElement | null {
    return this.#internals.form;
  }
  get labels(): NodeList {
    return this.#internals.labels;
  }
  get validity(): ValidityState {
    return this.#internals.validity;
  }
  get validationMessage(): string {
    return this.#internals.validationMessage;
  }
  get willValidate(): boolean {
    return this.#internals.willValidate;
  }
  /** Whether the card is complete, or left out where that is allowed. Says nothing. */
  checkValidity(): boolean {
    return this.#internals.checkValidity();
  }
  /** The same; and if it is not, says so and leads to the first field that is not right. */
  reportValidity(): boolean {
    return this.#internals.reportValidity();
  }
  /** A reason of the page's own why the card will not do. Empty for none. */
  setCustomValidity(message: string): void {
    this.#customValidity = message;
    this.#validate();
  }

  /** Puts the caret into the first field. */
  override focus(): void {
    this.#card?.focus(this.fields[0]);
  }

  /** Empties every field. */
  clear(): void {
    this.#card?.clear();
  }

  /**
   * Exchanges the card for a token, for a page that sends it itself. The form's value stays as it is. Rejects with a
   * CardsealError.
   * @param details what goes with the card; the form's inputs that have the attribute `data-cardseal`, if left out
   */
  async tokenize(details?: TokenizeDetails): Promise<Token> {
    const given = details ?? this.#details();
    if (this.#card) return this.#card.tokenize(given);
    const message = 'the card fields are still loading; wait for "cardseal-ready"';
    throw this.#failure ?? fail("not_ready", message, true);
  }

  /** @internal */
  connectedCallback(): void {
    // What a framework set before the element was defined hides the accessors.
    for (const name of PROPERTIES) {
      if (!Object.hasOwn(this, name)) continue;
      const value = this[name];
      delete (this as Partial<this>)[name];
      Object.assign(this, { [name]: value });
    }
    this.#join();
    if (this.#card) this.#card.mount(this.#box);
    else this.#schedule();
  }

  /** Leaves frame and entries as they are when the element is moved with `moveBefore()`. @internal */
  connectedMoveCallback(): void {
    this.#join();
  }

  /** @internal */
  disconnectedCallback(): void {
    this.#leave();
    this.#card?.unmount();
    this.#isReady = false;
    this.#flags("loading");
    // A frame's document ends when it leaves the page, even to come back at once.
    if (this.mode !== "inline") this.#enter(EMPTY);
    queueMicrotask(() => this.isConnected || this.#end());
  }

  /** @internal */
  attributeChangedCallback(name: string, before: string | null, after: string | null): void {
    if (before === after) return;
    if (name === "optional") return this.#validate();
    if (!this.#card || !["locale", "appearance", "texts"].includes(name)) return this.#schedule();
    const changed = name as "locale" | "appearance" | "texts";
    // Its words are in another language, too.
    this.#validate();
    const card = this.#card;
    this.#attempt(async () =>
      card.update({ [changed]: changed === "locale" ? this.locale : (this.#parse(changed) ?? {}) }),
    );
  }

  /** @internal */
  formAssociatedCallback(): void {
    this.#join();
  }

  /** By its own attribute, or by that of a fieldset. @internal */
  formDisabledCallback(disabled: boolean): void {
    this.#attempt(async () => this.#card?.update({ disabled }));
  }

  /** @internal */
  formResetCallback(): void {
    this.#say("");
    this.#card?.clear();
    this.#enter(EMPTY);
    this.#setValue(null);
    this.#submission?.reset();
  }

  // No formStateRestoreCallback: a browser that brings a form back has a token to bring that was used.

  #isWanted(submitter: Submitter | undefined): boolean {
    const { complete, empty } = this.#state;
    if (!this.name || this.matches(":disabled")) return false;
    return complete || !(submitter?.formNoValidate || (empty && this.optional));
  }

  async #make(): Promise<boolean> {
    this.#say("");
    this.#isMaking = true;
    this.#flag("tokenizing", true);
    try {
      const token = await this.tokenize();
      this.#dispatch("cardseal-token", token);
      this.#setValue(token.id);
      return true;
    } catch (thrown) {
      this.#announce(errorFrom(thrown));
      return false;
    } finally {
      this.#isMaking = false;
      this.#flag("tokenizing", false);
    }
  }

  #setValue(id: string | null): void {
    this.#value = id ?? "";
    // Without a state there is nothing for a browser to keep beyond the post.
    this.#internals.setFormValue(id, null);
  }

  #join(): void {
    this.#leave();
    if (!this.isConnected || !this.form) return;
    this.#submission = Submission.of(this.form);
    this.#submission.join(this.#part);
  }

  #leave(): void {
    this.#submission?.leave(this.#part);
    this.#submission = undefined;
    this.#setValue(null);
  }

  /** Attributes come one after the other; the fields are made when all of them have come. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      if (this.isConnected) void this.#begin();
    });
  }

  async #begin(): Promise<void> {
    this.#end();
    const start = this.#start;
    try {
      const { publicKey, vault, vaultKey, mode, profile, locale, fields } = this;
      const [appearance, texts] = [this.#parse("appearance") ?? {}, this.#parse("texts") ?? {}];
      const cardseal = await loadCardseal({ publicKey, vault, vaultKey, mode, profile, locale });
      if (start !== this.#start) return;
      const card = cardseal.card({ fields, appearance, texts });
      this.#listen(card);
      if (this.matches(":disabled")) await card.update({ disabled: true });
      if (start !== this.#start) return card.destroy();
      this.#card = card;
      card.mount(this.#box);
    } catch (thrown) {
      if (start !== this.#start) return;
      this.#say("unavailable");
      this.#fail(errorFrom(thrown));
    }
  }

  #end(): void {
    this.#start += 1;
    this.#card?.destroy();
    this.#card = undefined;
    this.#isReady = false;
    this.#failure = undefined;
    this.#say("");
    this.#flags("loading");
    this.#enter(EMPTY);
  }

  #listen(card: Card): void {
    card.on("ready", () => {
      this.#isReady = true;
      this.#failure = undefined;
      this.#flags("ready");
      // Some browsers load a frame anew that was moved with `moveBefore()`.
      this.#enter(this.mode === "inline" ? this.#state : EMPTY);
      this.#dispatch("cardseal-ready", null);
    });
    card.on("change", (state) => {
      this.#say("");
      this.#enter(state);
      if (!this.#isMaking) this.#submission?.edit();
      this.#dispatch("cardseal-change", state);
      this.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    });
    card.on("focus", (where) => this.#dispatch("cardseal-focus", where));
    card.on("blur", (where) => this.#dispatch("cardseal-blur", where));
    card.on("escape", () => this.#dispatch("cardseal-escape", null));
    card.on("submit", () => this.#dispatch("cardseal-submit", null) && this.#submit());
    card.on("error", (error) => {
      const isCall = this.#isReady || error.code === "not_ready" || error.code === "not_mounted";
      // Of a frame that did not load, the place where it would be tells.
      if (isCall) this.#announce(error);
      else this.#fail(error);
    });
  }

  /** There are no fields. */
  #fail(error: CardsealError): void {
    this.#failure = error;
    this.#flags("failed");
    this.#validate();
    // Most often it is an attribute, and its author looks here first.
    console.error("<cardseal-card>", error);
    this.#announce(error);
  }

  /** Dispatches an error, once. */
  #announce(error: CardsealError): void {
    if (error === this.#lastError) return;
    this.#lastError = error;
    const isWanted = this.#dispatch("cardseal-error", error);
    if (!isWanted) this.#say("");
    else if (this.#isMaking && !(error.field && this.fields.includes(error.field))) {
      this.#say(error.retryable ? "failed" : error.field ? "wrong" : "unavailable");
    }
  }

  #submit(): void {
    this.#submission?.act();
    submit(this.form);
  }

  /** What the form's inputs say that are marked for it. */
  #details(): TokenizeDetails {
    const details: TokenizeDetails = {};
    for (const control of this.form?.elements ?? []) {
      const { dataset, value, type, checked } = control as HTMLInputElement;
      const name = dataset["cardseal"];
      if (name === undefined) continue;
      if (!Object.hasOwn(DETAILS, name)) {
        throw fail("invalid_options", `data-cardseal is one of ${Object.keys(DETAILS).join(", ")}`);
      }
      if (control.matches(":disabled") || !value || (/^(checkbox|radio)$/.test(type) && !checked)) continue;
      Object.assign(DETAILS[name] === "card" ? details : (details.billing ??= {}), { [name]: value });
    }
    return details;
  }

  /** What was entered has come to mean something else. */
  #enter(state: CardState): void {
    this.#state = state;
    this.#flag("empty", state.empty);
    this.#flag("complete", state.complete);
    this.#validate();
  }

  #validate(): void {
    const { complete, empty } = this.#state;
    const words = this.#words;
    const isFine = complete || (empty && this.optional);
    if (this.#customValidity) this.#internals.setValidity({ customError: true }, this.#customValidity, this.#anchor);
    else if (isFine) this.#internals.setValidity({});
    else if (this.#failure) this.#internals.setValidity({ customError: true }, words.unavailable, this.#anchor);
    else if (empty) this.#internals.setValidity({ valueMissing: true }, words.missing, this.#anchor);
    else this.#internals.setValidity({ badInput: true }, words.wrong, this.#anchor);
  }

  /**
   * `checkValidity()` and `reportValidity()` both send this event; in the latter, the browser then focuses the first
   * control that is not valid, in the same task, and that is when the fields are to complain. Not before, or the focus
   * would pass over an input of the page's that comes first.
   */
  #onInvalid(): void {
    this.#isComplaining = true;
    setTimeout(() => (this.#isComplaining = false));
  }

  #onReport(): void {
    if (!this.#isComplaining || this.#state.complete) return this.focus();
    this.#attempt(async () => void (await this.#card?.reportValidity()));
  }

  /** Does what may fail when the page has made a mistake, or when there is nothing yet to do it with. */
  #attempt(work: () => Promise<void>): void {
    work().catch((thrown: unknown) => {
      const error = errorFrom(thrown);
      if (error.code === "not_ready" || error.code === "not_mounted" || error.code === "destroyed") return;
      console.error("<cardseal-card>", error);
      this.#announce(error);
    });
  }

  #say(what: "wrong" | "failed" | "unavailable" | ""): void {
    this.#problem.textContent = what && this.#words[what];
    this.#problem.style.color = this.appearance.colorError ?? "";
  }

  get #words() {
    return WORDS[this.locale] ?? WORDS[navigator.language.slice(0, 2)] ?? WORDS["en"]!;
  }

  #flags(current: "loading" | "ready" | "failed"): void {
    for (const flag of ["loading", "ready", "failed"]) this.#flag(flag, flag === current);
  }

  #flag(state: string, is: boolean): void {
    try {
      this.#internals.states[is ? "add" : "delete"](state);
    } catch {
      // Browsers of before 2024 have none, or want them written otherwise.
    }
  }

  #dispatch<Name extends keyof CardsealCardEventMap>(
    name: Name,
    detail: CardsealCardEventMap[Name]["detail"],
  ): boolean {
    const cancelable = name === "cardseal-submit" || name === "cardseal-error";
    return this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, cancelable }));
  }

  #reflect(name: string, value: string | undefined): void {
    if (value === undefined) this.removeAttribute(name);
    else this.setAttribute(name, value);
  }

  /** An attribute that holds JSON; nothing where it holds none. */
  #read<Name extends keyof Written>(name: Name): Written[Name] | undefined {
    try {
      return this.#parse(name);
    } catch {
      return undefined;
    }
  }

  #parse<Name extends keyof Written>(name: Name): Written[Name] | undefined {
    const text = this.getAttribute(name);
    try {
      return text ? JSON.parse(text) : undefined;
    } catch {
      throw fail("invalid_options", `the attribute ${name} is not JSON`);
    }
  }
}

if (typeof customElements !== "undefined" && !customElements.get("cardseal-card")) {
  customElements.define("cardseal-card", CardsealCardElement);
}
