import type { BillingAddress, Card, CardOptions, TokenizeDetails } from "../card.js";
import type { Cardseal } from "../cardseal.js";
import { type CardsealError, errorFrom } from "../error.js";
import type { Locale } from "../locale.js";
import type { OmiseCardStyle } from "./config.js";
import { adoptColorScheme, element, explain } from "./popup.js";
import { sheet } from "./sheet.js";
import { WORDS } from "./words.js";

/** What `onCreateTokenSuccess` of a form in `element` is called with. */
export interface CardPayload {
  /** The token's id, `tokn_…`. */
  token: string;
  /** Whether the cardholder wants the card kept. */
  remember: boolean;
}

/** What may go with the card, as `requestCardToken` takes it: the address in a member of its own, or flat. */
export interface RequestDetails extends BillingAddress {
  email?: string | undefined;
  phone_number?: string | undefined;
  billingAddress?: (BillingAddress & { phone_number?: string | undefined }) | undefined;
}

/** What a form in the page is made from. */
export interface SecureFormOptions {
  card: CardOptions;
  locale: Locale;
  theme: "light" | "dark" | undefined;
  hidesRemember: boolean;
  style: OmiseCardStyle;
  onToken: (payload: CardPayload) => void;
  onError: (message: string) => void;
}

/** A card form in an element of the page, which the page asks for a token. */
export class SecureForm {
  readonly #options: SecureFormOptions;
  readonly #host = document.createElement("div");
  readonly #remember = document.createElement("input");
  #card: Card | undefined;
  #destroyed = false;
  #asks = false;

  /** Puts it into an element. */
  constructor(target: Element, options: SecureFormOptions, cardseal: Promise<Cardseal>) {
    this.#options = options;
    const { theme, hidesRemember } = options;
    const root = this.#host.attachShadow({ mode: "closed" });
    root.adoptedStyleSheets = [sheet()];
    const form = element("div", "form");
    const place = element("div", "card");
    form.append(place);
    if (!hidesRemember) form.append(this.#rememberLabel());
    root.append(form);
    this.#host.dataset.cardseal = "form";
    // Pages cut the element's height to fit a form of Omise's.
    if (target instanceof HTMLElement) target.style.height = "";
    target.replaceChildren(this.#host);
    if (theme) form.style.colorScheme = theme;
    else adoptColorScheme(form);
    void this.#mount(place, cardseal);
  }

  #rememberLabel(): HTMLElement {
    const { locale, style } = this.#options;
    const { textColor = "", themeColor = "" } = style.checkBox ?? {};
    const label = element("label", "remember");
    label.lang = locale;
    label.style.color = textColor;
    this.#remember.type = "checkbox";
    this.#remember.style.accentColor = themeColor;
    label.append(this.#remember, WORDS[locale].remember);
    return label;
  }

  async #mount(place: Element, cardseal: Promise<Cardseal>): Promise<void> {
    try {
      const card = (await cardseal).card(this.#options.card);
      if (this.#destroyed) return;
      this.#card = card;
      // Enter is not for this form to act on: the page asks for the token.
      card.on("submit", () => {});
      card.on("error", (error) => this.#asks || this.#fail(error));
      card.mount(place);
    } catch (thrown) {
      this.#fail(errorFrom(thrown));
    }
  }

  /** Makes the token. Asked again before there is one, it is the same one. */
  async request(details: RequestDetails | null | undefined): Promise<void> {
    if (this.#asks) return;
    if (!this.#card) return this.#options.onError(WORDS[this.#options.locale].loading);
    this.#asks = true;
    try {
      const { id } = await this.#card.tokenize(tokenizeDetails(details));
      if (!this.#destroyed) this.#options.onToken({ token: id, remember: this.#remember.checked });
    } catch (thrown) {
      this.#fail(errorFrom(thrown));
    } finally {
      this.#asks = false;
    }
  }

  destroy(): void {
    this.#destroyed = true;
    this.#card?.destroy();
    this.#host.remove();
  }

  #fail(error: CardsealError): void {
    if (!this.#destroyed) this.#options.onError(explain(error, WORDS[this.#options.locale]));
  }
}

function tokenizeDetails(given: RequestDetails | null | undefined): TokenizeDetails {
  const { email, billingAddress, ...flat } = given ?? {};
  const { street1, street2, city, state, country, postal_code, phone_number } = { ...flat, ...billingAddress };
  const details = { email, phone_number, billing: { street1, street2, city, state, country, postal_code } };
  // What is undefined is left out on the way to JSON and back, and what is no text becomes one.
  return JSON.parse(JSON.stringify(details, (_, value) => (typeof value === "number" ? String(value) : value)));
}
