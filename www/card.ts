import type { Client, Form } from "cardseal-wasm";
import { call, CardsealError, type FieldName, type Reason } from "./error.js";
import { loadTexts, type Locale, type Texts } from "./locale.js";

/** How the form looks. What is left out keeps its default, which follows the page's `color-scheme`. */
export interface Appearance {
  /** Labels and typed text: `#rgb`, `#rrggbb` or `#rrggbbaa`, like every colour here. */
  colorText?: string;
  /** The inside of a field. */
  colorBackground?: string;
  /** The line around a field. */
  colorBorder?: string;
  /** The line around the field that has the focus. */
  colorAccent?: string;
  /** Complaints, and the line around a field that has one. */
  colorError?: string;
  /** The corners of a field: 0 to 32, in CSS pixels, like every length here. */
  radius?: number;
  /** The size of text: 12 to 32. Below 16, Safari on a telephone zooms in on the field. */
  fontSize?: number;
  /** The space between fields: 0 to 48. */
  gap?: number;
}

/** What a card form is made from. */
export interface CardOptions {
  /** Which fields, in this order. Number and expiry must be there. All four if left out. */
  fields?: readonly FieldName[];
  /** How it looks. */
  appearance?: Appearance;
}

/** What can be changed of a form that stands. */
export interface UpdateOptions {
  /** How it looks from now on; what is left out goes back to its default. */
  appearance?: Appearance;
  /** Which language it speaks from now on. */
  locale?: Locale | "auto";
}

/** A cardholder's address. */
export interface BillingAddress {
  street1?: string;
  street2?: string;
  city?: string;
  /** State, province or prefecture. */
  state?: string;
  /** ISO 3166-1 alpha-2, such as `JP`. */
  country?: string;
  postal_code?: string;
}

/** What may go with a card. Empty strings count as left out. */
export interface TokenizeDetails {
  /** The holder's name, where the form does not ask for it. */
  name?: string;
  email?: string;
  phone_number?: string;
  billing?: BillingAddress;
}

/** What stands for a card from here on. It can be used once, and by the merchant's secret key only. */
export interface Token {
  /** `tokn_test_…` or `tokn_…` */
  id: string;
  /** Whether it stands for a real card. */
  livemode: boolean;
  used: boolean;
  card: {
    /** Such as `Visa`. */
    brand: string;
    /** The last four digits of the number. */
    last_digits: string;
    /** 1 to 12 */
    expiration_month: number;
    /** Four digits. */
    expiration_year: number;
    name?: string;
  };
  /** ISO 8601 */
  created_at: string;
}

/** One field, as a `change` event tells it. */
export type FieldState =
  | { status: "empty" }
  | { status: "incomplete" }
  | { status: "valid" }
  | { status: "invalid"; reason: Reason };

/** The events of a form, and what their listeners are given. */
export interface CardEvents {
  /** The form stands in the page. */
  ready: undefined;
  /** What was entered has come to mean something else. Never holds a digit. */
  change: {
    /** Every field is valid. */
    complete: boolean;
    /** Nothing has been entered anywhere. */
    empty: boolean;
    /** Such as `visa`, once the number shows it. */
    brand?: string;
    fields: Partial<Record<FieldName, FieldState>>;
  };
  /** A field got the focus. */
  focus: { field: FieldName };
  /** A field lost the focus. */
  blur: { field: FieldName };
  /** Enter was pressed in a field. Where nobody listens, the `<form>` around the card form is asked to submit. */
  submit: undefined;
  /** `tokenize()` failed; its promise is rejected with the same error. */
  error: CardsealError;
}

type Listener<Name extends keyof CardEvents> = (detail: CardEvents[Name]) => void;

/** A card form. Made by `cardseal.card()`. */
export class Card {
  readonly #form: Form;
  readonly #listeners = new Map<string, Set<(detail: never) => void>>();
  #target: Element | undefined;

  /** @internal */
  constructor(client: Client, texts: Texts, options: CardOptions) {
    const { fields = ["number", "expiry", "security_code", "name"], appearance = {} } = options;
    this.#form = call(() =>
      client.form({ fields, appearance, ...texts }, (name: keyof CardEvents, detail: never) => this.#emit(name, detail)),
    );
  }

  /**
   * Puts the form at the end of an element.
   * @param target the element, or a selector for it
   */
  mount(target: string | Element): this {
    const element = typeof target === "string" ? document.querySelector(target) : target;
    if (!(element instanceof Element)) {
      const what = typeof target === "string" ? `nothing in the page matches "${target}"` : "the target is no element";
      throw new CardsealError({ code: "invalid_target", message: what });
    }
    this.#target = element;
    call(() => this.#form.mount(element));
    return this;
  }

  /** Takes the form out of the page. What was entered stays in it, and `mount()` puts it back. */
  unmount(): void {
    call(() => this.#form.unmount());
  }

  /** Empties the form and takes it out for good. */
  destroy(): void {
    this.#form.destroy();
    this.#listeners.clear();
  }

  /**
   * Listens to an event.
   * @returns a function that stops listening
   */
  on<Name extends keyof CardEvents>(name: Name, listener: Listener<Name>): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners.add(listener));
    return () => this.off(name, listener);
  }

  /** Stops listening. */
  off<Name extends keyof CardEvents>(name: Name, listener: Listener<Name>): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /** Puts the caret into a field. */
  focus(field: FieldName = "number"): void {
    call(() => this.#form.focus(field));
  }

  /** Empties every field. */
  clear(): void {
    call(() => this.#form.clear());
  }

  /** Changes looks or language. Rejects with a CardsealError. */
  async update(options: UpdateOptions): Promise<void> {
    const { appearance, locale } = options;
    if (appearance) call(() => this.#form.setAppearance(appearance));
    if (locale) {
      const { texts, language } = await loadTexts(locale);
      call(() => this.#form.setTexts(texts, language));
    }
  }

  /**
   * Seals the card that was entered and exchanges it for a token. Rejects with a CardsealError; if the card is not
   * complete, every field that is not right says so and the first of them gets the focus.
   */
  async tokenize(details?: TokenizeDetails): Promise<Token> {
    try {
      return await this.#form.tokenize(details);
    } catch (thrown) {
      const error = CardsealError.from(thrown);
      this.#emit("error", error);
      throw error;
    }
  }

  #emit<Name extends keyof CardEvents>(name: Name, detail: CardEvents[Name]): void {
    const listeners = [...(this.#listeners.get(name) ?? [])] as Listener<Name>[];
    for (const listener of listeners) {
      try {
        listener(detail);
      } catch (thrown) {
        // The page's mistake; it shows up in the page's console and does the form no harm.
        reportError(thrown);
      }
    }
    if (name === "submit" && listeners.length === 0) this.#target?.closest("form")?.requestSubmit();
  }
}
