/** A language that the form speaks. */
export type Locale = "en" | "ja" | "th";

/** Every language that the form speaks. @internal */
export const LOCALES: readonly Locale[] = ["en", "ja", "th"];

/** A text of the form, by the name that `CardOptions.texts` knows it under. */
export type TextName =
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

/** The language that a page means, or nothing where it is none that the form speaks. @internal */
export function language(locale: Locale | "auto"): Locale | undefined {
  return LOCALES.find((known) => known === (locale === "auto" ? ofBrowser() : locale));
}

/** The first of the person's languages that the form speaks, or English. */
function ofBrowser(): Locale {
  const wanted = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  for (const tag of wanted) {
    const known = LOCALES.find((locale) => locale === tag.toLowerCase().split("-")[0]);
    if (known) return known;
  }
  return "en";
}
