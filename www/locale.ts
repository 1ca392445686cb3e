import { CardsealError } from "./error.js";

/** A language that the form speaks. */
export type Locale = "en" | "ja" | "th";

/** Where each language's texts lie. The addresses are written out in full, so that a bundler finds the files. */
const ADDRESSES: Record<Locale, () => URL> = {
  en: () => new URL("./locales/en.json", import.meta.url),
  ja: () => new URL("./locales/ja.json", import.meta.url),
  th: () => new URL("./locales/th.json", import.meta.url),
};

/** The first of the person's languages that the form speaks, or English. */
function ofBrowser(): Locale {
  const languages = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  const known = languages.map((language) => language.toLowerCase().split("-")[0] ?? "");
  return known.find((language): language is Locale => Object.hasOwn(ADDRESSES, language)) ?? "en";
}

/** A language and all its texts. @internal */
export interface Texts {
  language: Locale;
  texts: unknown;
}

/** Loads the texts of a language. @internal */
export async function loadTexts(locale: Locale | "auto"): Promise<Texts> {
  const language = locale === "auto" ? ofBrowser() : locale;
  if (!Object.hasOwn(ADDRESSES, language)) {
    const known = Object.keys(ADDRESSES).join(", ");
    throw new CardsealError({ code: "invalid_options", message: `locale is one of auto, ${known}` });
  }
  try {
    const response = await fetch(ADDRESSES[language]());
    if (!response.ok) throw new Error(String(response.status));
    return { language, texts: await response.json() };
  } catch {
    throw new CardsealError({
      code: "load_failed",
      message: `the texts for "${language}" could not be loaded; is locales/ beside cardseal.js?`,
      retryable: true,
    });
  }
}
