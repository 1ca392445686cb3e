import type { CardsealError, FieldName, Reason } from "./error.js";
import type { Locale, TextName } from "./locale.js";

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
  /** The typeface. */
  fontFamily?: FontFamily;
}

/**
 * A typeface that systems bring along. The form loads no font: one that the page chose could show the cardholder other
 * digits than those that were typed, or tell its server which.
 */
export type FontFamily =
  | "system"
  | "sans-serif"
  | "serif"
  | "monospace"
  | "rounded"
  | "arial"
  | "georgia"
  | "helvetica"
  | "hiragino-sans"
  | "inter"
  | "meiryo"
  | "noto-sans"
  | "noto-sans-jp"
  | "noto-sans-thai"
  | "roboto"
  | "sarabun"
  | "segoe-ui"
  | "tahoma"
  | "times-new-roman"
  | "verdana"
  | "yu-gothic";

/** Texts of the form in words of the page's own. What is left out is said in the form's language. */
export type TextOverrides = Partial<Record<TextName, string>>;

/**
 * Which vendor's token a card becomes.
 *
 * - `cardseal`: the vault's own, for charges and cards on file through it.
 * - `omise`: Omise's own token. The card goes from the form to Omise, past the vault, and the holder's name with it.
 * - `payment-options`: the vault's own, for a charge at Payment Options. It takes numbers of up to 16 digits, and needs
 *   of the billing address `street1`, `city`, `country` and `postal_code`.
 * - `thales-pci`: Thales's PCI token. The card is sealed to Thales's key; the vault passes it on and cannot open it.
 * - `thales-d1`: the same for Thales D1.
 *
 * Thales takes number and expiry, and nothing else: a form for it has no other fields, and details stay in the page.
 */
export type Profile = "cardseal" | "omise" | "payment-options" | "thales-d1" | "thales-pci";

/** What a card form is made from. */
export interface CardOptions {
  /**
   * Which fields, in this order. Number and expiry must be there. If left out, all that the profile takes: all four, or
   * under `thales-pci` and `thales-d1` these two.
   */
  fields?: readonly FieldName[];
  /** How it looks. */
  appearance?: Appearance;
  /** What it says, where the page has words of its own. */
  texts?: TextOverrides;
}

/** What can be changed of a form that stands. */
export interface UpdateOptions {
  /** How it looks from now on; what is left out goes back to its default. */
  appearance?: Appearance;
  /** Which language it speaks from now on. */
  locale?: Locale | "auto";
  /** The words of the page's own from now on; what is left out goes back to the form's. */
  texts?: TextOverrides;
  /** Whether the fields refuse what is typed. */
  disabled?: boolean;
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

/** A card whose fields the page drew itself. */
export interface OwnFieldsCard extends TokenizeDetails {
  /** Digits; spaces and hyphens may be among them. */
  number: string;
  /** `12/30`, `12/2030`, … */
  expiry: string;
  /** Left out where the page does not ask for it, and where the profile takes none; an empty one is incomplete. */
  security_code?: string;
}

/** What stands for a card from here on: which of the two, `profile` says. */
export type Token =
  | CardToken<"cardseal">
  | CardToken<"omise">
  | CardToken<"payment-options">
  | VendorToken<"thales-d1">
  | VendorToken<"thales-pci">;

/** The vault's own token, or Omise's. It can be used once, and by the merchant's secret key only. */
export interface CardToken<Whose extends Profile = "cardseal" | "omise" | "payment-options"> {
  /** Whose it is: `omise`, Omise's; else the vault's. */
  profile: Whose;
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
    /** From Omise. The vault tells it to your server only. */
    name?: string;
    /** Whether the security code was given, and was not found to be wrong. */
    security_code_check: boolean;
  };
  /** ISO 8601 */
  created_at: string;
}

/** A token of Thales's. The merchant's server uses it through the vault. */
export interface VendorToken<Whose extends Profile = "thales-d1" | "thales-pci"> {
  profile: Whose;
  /** Thales's `tokenId`. */
  id: string;
  /** Whether it stands for a real card. */
  livemode: boolean;
  /** Thales may come to have other states than these. */
  state: "ACTIVE" | "DELETED" | (string & {});
  /** From the form itself: of a sealed card, nobody on the way could tell. */
  card: {
    /** Such as `Visa`. */
    brand: string;
    /** The last four digits of the number. */
    last_digits: string;
    /** 1 to 12 */
    expiration_month: number;
    /** Four digits. */
    expiration_year: number;
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

/** What has been entered, as far as a page may know. Never holds a digit. */
export interface CardState {
  /** Every field is valid. */
  complete: boolean;
  /** Nothing has been entered anywhere. */
  empty: boolean;
  /** Such as `visa`, once the number is whole. */
  brand?: string;
  fields: Partial<Record<FieldName, FieldState>>;
}

/** The events of a form, and what their listeners are given. */
export interface CardEvents {
  /** The form stands in the page and can be typed into. */
  ready: undefined;
  /** What was entered has come to mean something else. */
  change: CardState;
  /** A field got the focus. */
  focus: { field: FieldName };
  /** A field lost the focus. */
  blur: { field: FieldName };
  /** Enter was pressed in a field. Where nobody listens, the `<form>` around the card form is asked to submit. */
  submit: undefined;
  /** Escape was pressed in a field. */
  escape: undefined;
  /** The form could not be loaded, or `tokenize()` failed; its promise is rejected with the same error. */
  error: CardsealError;
}

/** Called with what an event tells. */
export type CardListener<Name extends keyof CardEvents> = (detail: CardEvents[Name]) => void;

/** A card form. Made by `cardseal.card()`. */
export interface Card {
  /**
   * Puts the form at the end of an element, which may stand in a shadow root, be hidden, or not be in the page yet.
   * A form that stands elsewhere is taken out there first. Throws a CardsealError: `invalid_target`, `destroyed`.
   * @param target the element, or a selector for it
   */
  mount(target: string | Element): this;
  /**
   * Takes the form out of the page; `mount()` puts it back. What was entered is gone in hosted mode, where a frame's
   * document ends with it, and stays in inline mode.
   */
  unmount(): void;
  /** Empties the form and takes it out for good. */
  destroy(): void;
  /**
   * Listens to an event.
   * @returns a function that stops listening
   */
  on<Name extends keyof CardEvents>(name: Name, listener: CardListener<Name>): () => void;
  /** Stops listening. */
  off<Name extends keyof CardEvents>(name: Name, listener: CardListener<Name>): void;
  /** Puts the caret into a field, unless the person is in one; into the number, if none is named. */
  focus(field?: FieldName): void;
  /** Empties every field; in hosted mode once an entry that is half way is left. */
  clear(): void;
  /** Changes looks, language, texts, or whether one can type. Rejects with a CardsealError. */
  update(options: UpdateOptions): Promise<void>;
  /**
   * Whether the card is complete. If it is not, every field that is not right says so and the first of them gets the
   * focus. Rejects with a CardsealError: `not_ready`, `not_mounted`, `destroyed`.
   */
  reportValidity(): Promise<boolean>;
  /**
   * Seals the card that was entered and exchanges it for a token. Rejects with a CardsealError; if the card is not
   * complete, every field that is not right says so and the first of them gets the focus.
   */
  tokenize(details?: TokenizeDetails): Promise<Token>;
}

/** The fields of a form whose page named none. @internal */
export function allFields(profile: Profile): readonly FieldName[] {
  return /^thales/.test(profile) ? ["number", "expiry"] : ["number", "expiry", "security_code", "name"];
}
