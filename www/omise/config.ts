import { type Locale, LOCALES } from "../locale.js";
import type { CardPayload } from "./secure_form.js";

/** What `OmiseCard` is told, under Omise.js's names. Numbers may be written as text, as attributes are. */
export interface OmiseCardConfig {
  /** The merchant's public key, `pkey_…`. */
  key?: string | undefined;
  /** The same. */
  publicKey?: string | undefined;
  /** In the currency's smallest unit: satang, yen. */
  amount?: number | string | undefined;
  /** ISO 4217, such as `THB`. */
  currency?: string | undefined;
  /** The address of a picture of the merchant's. */
  image?: string | undefined;
  /** The same. */
  logo?: string | undefined;
  /** The pop-up's headline. */
  frameLabel?: string | undefined;
  /** What stands below it. */
  frameDescription?: string | undefined;
  /** What stands on the button that pays, before the amount. */
  submitLabel?: string | undefined;
  /** What stands on the button that opens the pop-up. */
  buttonLabel?: string | undefined;
  /** Whether the form is sent once it has the token. */
  submitAuto?: "yes" | "no" | undefined;
  /** A selector for that form, where the button does not stand in it. */
  submitFormTarget?: string | undefined;
  /** `en`, `ja` or `th`. */
  locale?: string | undefined;
  /** Leaves the amount off the button that pays. */
  hideAmount?: boolean | "true" | "false" | undefined;
  /** `credit_card`; there is no other. */
  defaultPaymentMethod?: string | undefined;
  /** There are none. */
  otherPaymentMethods?: string | readonly string[] | undefined;
  /** The form always knows the brands it takes. */
  cardBrands?: string | undefined;
  /** Whether a postal code is asked for. It is not. */
  location?: "yes" | "no" | undefined;
  /** The same. */
  locationField?: "yes" | "no" | undefined;
  /** The number is always shown in groups. */
  autoCardNumberFormat?: "yes" | "no" | undefined;
  /** There is one way to enter an expiry. */
  expiryDateStyle?: string | undefined;
  /** Puts the form into `element` in place of a pop-up. */
  customCardForm?: boolean | undefined;
  /** A form for payment by instalments, which is not there. */
  customInstallmentForm?: boolean | undefined;
  /** Where the form in the page stands: an element, or a selector for it. */
  element?: Element | string | null | undefined;
  customCardFormTheme?: "light" | "dark" | undefined;
  /** Leaves out the question whether to keep the card. */
  customCardFormHideRememberCard?: boolean | undefined;
  customCardFormBrandIcons?: readonly string[] | null | undefined;
  /** How that form looks. */
  style?: OmiseCardStyle | undefined;
  /**
   * Called with the token's id, `tokn_…`, by the pop-up, and with an object by the form in `element`. The type takes both
   * kinds of function.
   */
  onCreateTokenSuccess?: ((nonce: string & CardPayload, isSource: false) => void) | undefined;
  /** Called once when the pop-up has gone, for whatever reason. */
  onFormClosed?: ((popup: HTMLElement) => void) | undefined;
  /** Called with a sentence, by the form in `element`. */
  onError?: ((message: string) => void) | undefined;
}

/** How the form in `element` looks. Values are CSS. */
export interface OmiseCardStyle {
  fontFamily?: string | undefined;
  fontSize?: number | string | undefined;
  input?:
    | {
        height?: number | string | undefined;
        borderRadius?: number | string | undefined;
        border?: string | undefined;
        focusBorder?: string | undefined;
        background?: string | undefined;
        color?: string | undefined;
        labelColor?: string | undefined;
        placeholderColor?: string | undefined;
      }
    | undefined;
  checkBox?: { textColor?: string | undefined; themeColor?: string | undefined; border?: string | undefined } | undefined;
}

/**
 * Omise.js's defaults, but for its logo, which would be fetched from elsewhere, for its words on who secures the form,
 * which would not be true here, and for `submitLabel`, which is in the form's language.
 */
export const DEFAULTS = {
  key: "",
  amount: 0,
  currency: "THB",
  image: "",
  frameLabel: "Omise",
  defaultPaymentMethod: "credit_card",
  otherPaymentMethods: [],
  frameDescription: "",
  buttonLabel: "Pay with Omise",
  location: "no",
  submitAuto: "yes",
  submitFormTarget: "",
  cardBrands: "visa mastercard",
  locale: "en",
  autoCardNumberFormat: "yes",
  expiryDateStyle: "",
  hideAmount: "false",
} satisfies OmiseCardConfig;

const ALIASES: Record<string, string> = { publicKey: "key", logo: "image", locationField: "location" };

/** One configuration of two: the later counts, and what it leaves out stays as it was. */
export function merge(config: OmiseCardConfig, later: OmiseCardConfig | null | undefined): OmiseCardConfig {
  const given = Object.entries(later ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return { ...config, ...Object.fromEntries(given.map(([name, value]) => [ALIASES[name] ?? name, value])) };
}

/** Whether the form is sent once it has the token. */
export function submits({ submitAuto }: OmiseCardConfig): boolean {
  return submitAuto === "yes";
}

/** The form's language. */
export function localeOf({ locale = DEFAULTS.locale }: OmiseCardConfig): Locale {
  return LOCALES.find((known) => known === String(locale).toLowerCase().split(/[-_]/)[0]) ?? "en";
}

const warned = new Set<string>();

/** Tells the page's developer, once, what a configuration asks for in vain. */
export function warn(config: OmiseCardConfig): void {
  const { defaultPaymentMethod, otherPaymentMethods, location, locale = DEFAULTS.locale } = config;
  const vain = [];
  if (defaultPaymentMethod && defaultPaymentMethod !== DEFAULTS.defaultPaymentMethod) {
    vain.push(`defaultPaymentMethod "${defaultPaymentMethod}" is not there: the form takes cards only`);
  }
  if (otherPaymentMethods?.length) vain.push("otherPaymentMethods are not there: the form takes cards only");
  if (location === "yes") vain.push("location is not asked for: the page itself can, before it opens the form");
  if (!String(locale).toLowerCase().startsWith(localeOf(config))) {
    vain.push(`locale "${locale}" is not there, so the form speaks English; ${LOCALES.join(", ")} are`);
  }
  for (const what of vain.filter((what) => !warned.has(what))) {
    warned.add(what);
    console.warn(`OmiseCard: ${what}`);
  }
}
