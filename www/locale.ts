import { fail } from "./error.js";

/** A language that the form speaks. */
export type Locale = "en" | "ja" | "th";

/** Every language that the form speaks. @internal */
export const LOCALES: readonly Locale[] = ["en", "ja", "th"];

/** A text of the form, by the name that `CardOptions.texts` knows it under. */
export type TextName =
  | "title"
  | "number_label"
  | "number_placeholder"
  | "number_incomplete"
  | "number_invalid"
  | "number_unknown_brand"
  | "expiry_label"
  | "expiry_placeholder"
  | "expiry_incomplete"
  | "expiry_invalid"
  | "expiry_past"
  | "security_code_label"
  | "security_code_placeholder"
  | "security_code_incomplete"
  | "security_code_invalid"
  | "name_label"
  | "name_placeholder"
  | "name_incomplete"
  | "name_invalid"
  | "name_is_card_number";

/** What to say of another. @internal */
export const NOT_A_LOCALE = "locale is one of auto, en, ja, th";

/** Throws a CardsealError unless the form speaks it. @internal */
export function checkLocale(locale: Locale | "auto"): void {
  if (locale !== "auto" && !LOCALES.includes(locale)) throw fail("invalid_options", NOT_A_LOCALE);
}

/** The language that a page means, or nothing where it is none that the form speaks. @internal */
export function language(locale: Locale | "auto"): Locale | undefined {
  return locale === "auto" ? ofBrowser() : LOCALES.find((known) => known === locale);
}

/** The first of the person's languages that the form speaks, or English. */
function ofBrowser(): Locale {
  for (const tag of globalThis.navigator?.languages ?? []) {
    const known = LOCALES.find((locale) => locale === tag.toLowerCase().split("-")[0]);
    if (known) return known;
  }
  return "en";
}
