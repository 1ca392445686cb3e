import type { Card, CardEvents, CardListener, CardOptions, Token, TokenizeDetails, UpdateOptions } from "../card.js";
import { CardsealError, type FieldName } from "../error.js";
import { language } from "../locale.js";
import { find, Listeners } from "../listeners.js";
import { Frame, type FrameOptions, type Told } from "./frame.js";

/** A card form in a frame of the vault's. The page has the frame and a port to it, and nothing of the form. */
export class HostedCard implements Card {
  readonly #listeners = new Listeners();
  readonly #options: FrameOptions;
  #target: Element | undefined;
  #frame: Frame | undefined;
  #destroyed = false;

  constructor(vault: { publicKey: string; vault: string; locale: FrameOptions["locale"] }, options: CardOptions) {
    this.#options = { ...plain(options), ...vault, disabled: false };
  }

  mount(target: string | Element): this {
    this.#alive();
    const element = find(target);
    if (typeof element === "string") throw new CardsealError({ code: "invalid_target", message: element });
    this.unmount();
    this.#target = element;
    this.#frame = new Frame(element, this.#options, (message) => this.#hear(message));
    return this;
  }

  unmount(): void {
    this.#frame?.remove();
    this.#frame = undefined;
  }

  destroy(): void {
    this.unmount();
    this.#listeners.clear();
    this.#destroyed = true;
  }

  on<Name extends keyof CardEvents>(name: Name, listener: CardListener<Name>): () => void {
    return this.#listeners.on(name, listener);
  }

  off<Name extends keyof CardEvents>(name: Name, listener: CardListener<Name>): void {
    this.#listeners.off(name, listener);
  }

  focus(field: FieldName = "number"): void {
    this.#alive();
    this.#frame?.focus();
    this.#frame?.post({ type: "focus", field });
  }

  clear(): void {
    this.#alive();
    this.#frame?.post({ type: "clear" });
  }

  async update(options: UpdateOptions): Promise<void> {
    this.#alive();
    const { locale, ...rest } = plain(options);
    const chosen = locale && language(locale);
    if (locale && !chosen) throw new CardsealError({ code: "invalid_options", message: "locale is one of auto, en, ja, th" });
    // A form that is mounted later, or once more, begins with them.
    Object.assign(this.#options, rest, chosen && { locale: chosen });
    const frame = this.#frame;
    if (frame?.started) {
      await frame.ask({ type: "update", ...rest, ...(chosen && { locale: chosen }), colorScheme: frame.colorScheme });
    }
  }

  async reportValidity(): Promise<boolean> {
    return this.#standing().ask({ type: "validate" });
  }

  async tokenize(details?: TokenizeDetails): Promise<Token> {
    try {
      return await this.#standing().ask({ type: "tokenize", ...(details && { details: plain(details) }) });
    } catch (thrown) {
      const error = CardsealError.from(thrown);
      this.#listeners.emit("error", error, this.#target);
      throw error;
    }
  }

  #hear(message: Told): void {
    if (message.type === "failed") {
      this.#listeners.emit("error", CardsealError.from(message.failure), this.#target);
    } else if (message.type !== "done") {
      const { type, ...detail } = message;
      this.#listeners.emit(type, detail as never, this.#target);
    }
  }

  #alive(): void {
    if (this.#destroyed) {
      const message = "the card form was destroyed; make a new one with cardseal.card()";
      throw new CardsealError({ code: "destroyed", message });
    }
  }

  #standing(): Frame {
    this.#alive();
    if (!this.#frame) {
      throw new CardsealError({ code: "not_mounted", message: "the card form is not in the page; call card.mount() first" });
    }
    if (!this.#frame.ready) {
      const message = 'the card form is still loading; wait for its "ready" event';
      throw new CardsealError({ code: "not_ready", message, retryable: true });
    }
    return this.#frame;
  }
}

/** What a page gives, as the plain data that it stands for: frameworks wrap theirs in proxies, which no port takes. */
function plain<T>(given: T): T {
  try {
    return JSON.parse(JSON.stringify(given)) as T;
  } catch {
    throw new CardsealError({ code: "invalid_options", message: "options and details are plain objects" });
  }
}
