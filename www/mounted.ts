import type { Card, CardEvents, CardOptions, Token, TokenizeDetails } from "./card.js";
import { CardsealError, type Cardseal, type FieldName, type Locale } from "./cardseal.js";
import { submit } from "./listeners.js";

/** What a component for a framework is given, besides its listeners. */
export interface MountedOptions extends CardOptions {
  locale?: Locale | "auto";
  disabled?: boolean;
}

/** Tells the component's listener of an event. @returns whether there is one */
export type Tell = <Name extends keyof CardEvents>(name: Name, detail: CardEvents[Name]) => boolean;

const EVENTS: readonly (keyof CardEvents)[] = ["ready", "change", "focus", "blur", "submit", "escape", "error"];

/** A card form on behalf of a component: from the component's mounting to its unmounting, and no longer. */
export class MountedCard {
  readonly #place: Element;
  readonly #tell: Tell;
  #options: MountedOptions;
  #card: Card | undefined;
  #isOver = false;

  constructor(cardseal: Cardseal | Promise<Cardseal>, place: Element, options: MountedOptions, tell: Tell) {
    this.#place = place;
    this.#options = options;
    this.#tell = tell;
    this.#mount(cardseal).catch(this.#onFailure);
  }

  async #mount(cardseal: Cardseal | Promise<Cardseal>): Promise<void> {
    const loaded = await cardseal;
    // React's StrictMode ends a component at once, and begins it again.
    if (this.#isOver) return;
    const { locale, disabled, ...options } = this.#options;
    const card = loaded.card(options);
    this.#card = card;
    for (const name of EVENTS) card.on(name, (detail) => this.#hear(name, detail));
    const changes = { ...(locale && { locale }), ...(disabled && { disabled }) };
    if (locale || disabled) card.update(changes).catch(this.#onFailure);
    card.mount(this.#place);
  }

  /** Takes other options; other `fields` need another form. */
  update(options: MountedOptions): void {
    this.#options = options;
    const { appearance = {}, texts = {}, locale, disabled = false } = options;
    this.#card?.update({ appearance, texts, ...(locale && { locale }), disabled }).catch(this.#onFailure);
  }

  async tokenize(details?: TokenizeDetails): Promise<Token> {
    return this.#standing().tokenize(details);
  }

  async reportValidity(): Promise<boolean> {
    return this.#standing().reportValidity();
  }

  focus(field?: FieldName): void {
    this.#card?.focus(field);
  }

  clear(): void {
    this.#card?.clear();
  }

  end(): void {
    this.#isOver = true;
    this.#card?.destroy();
  }

  #hear<Name extends keyof CardEvents>(name: Name, detail: CardEvents[Name]): void {
    const isHeard = this.#tell(name, detail);
    // The form leaves that to its listeners, and its listener is this.
    if (name === "submit" && !isHeard) submit(this.#place.closest("form"));
  }

  readonly #onFailure = (thrown: unknown): void => {
    if (this.#isOver) return;
    const isHeard = thrown instanceof CardsealError && this.#tell("error", thrown);
    if (!isHeard) console.error("cardseal:", thrown);
  };

  #standing(): Card {
    return this.#card ?? notReady();
  }
}

/** For a component that has no form yet. */
export function notReady(): never {
  const message = "the card form is still loading; wait for it to be ready";
  throw new CardsealError({ code: "not_ready", message, retryable: true });
}
