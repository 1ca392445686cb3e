import {
  allFields,
  type Card,
  type CardOptions,
  type Token,
  type TokenizeDetails,
  type UpdateOptions,
} from "../card.js";
import { type CardsealError, fail, type FieldName } from "../error.js";
import { checkLocale } from "../locale.js";
import { find, Listeners } from "../listeners.js";
import { frame, type Frame, type FrameOptions } from "./frame.js";

/** A card form in a frame of the vault's. The page has the frame and a port to it, and nothing of the form. */
export class HostedCard extends Listeners implements Card {
  readonly #options: FrameOptions;
  #target: Element | undefined;
  #frame: Frame | undefined;
  #destroyed = false;

  constructor(merchant: Pick<FrameOptions, "publicKey" | "vault" | "profile" | "locale">, options: CardOptions) {
    super();
    const fields = allFields(merchant.profile);
    this.#options = { fields, appearance: {}, texts: {}, disabled: false, ...plain(options), ...merchant };
  }

  mount(target: string | Element): this {
    this.#alive();
    const element = find(target);
    if (typeof element === "string") throw fail("invalid_target", element);
    this.unmount();
    this.#target = element;
    this.#frame = frame(element, this.#options, (name, detail) => this.emit(name, detail, element));
    return this;
  }

  unmount(): void {
    this.#frame?.remove();
    this.#frame = undefined;
  }

  destroy(): void {
    this.unmount();
    this.#destroyed = true;
  }

  focus(field: FieldName = "number"): void {
    this.#alive();
    this.#frame?.focus(field);
  }

  clear(): void {
    this.#alive();
    this.#frame?.post({ type: "clear" });
  }

  async update(options: UpdateOptions): Promise<void> {
    this.#alive();
    const changes = plain(options);
    if (changes.locale) checkLocale(changes.locale);
    if (this.#frame) await this.#frame.update(changes);
    // A form that is mounted later, or once more, begins with what this one took.
    Object.assign(this.#options, changes);
  }

  async reportValidity(): Promise<boolean> {
    return this.#standing().ask({ type: "validate" });
  }

  async tokenize(details?: TokenizeDetails): Promise<Token> {
    try {
      return await this.#standing().ask({ type: "tokenize", ...(details && { details: plain(details) }) });
    } catch (error) {
      this.emit("error", error as CardsealError, this.#target);
      throw error;
    }
  }

  #alive(): void {
    if (this.#destroyed) throw fail("destroyed", "the card form was destroyed; make a new one with cardseal.card()");
  }

  #standing(): Frame {
    this.#alive();
    if (!this.#frame) throw fail("not_mounted", "the card form is not in the page; call mount() first");
    const idle = this.#frame.idle();
    if (idle) throw idle;
    return this.#frame;
  }
}

/** What a page gives, as the plain data that it stands for: frameworks wrap theirs in proxies, which no port takes. */
function plain<T>(given: T): T {
  try {
    return JSON.parse(JSON.stringify(given)) as T;
  } catch {
    throw fail("invalid_options", "options and details are plain objects");
  }
}
