import type { Card, Token } from "../card.js";
import type { Cardseal } from "../cardseal.js";
import { type CardsealError, errorFrom } from "../error.js";
import type { Locale } from "../locale.js";
import { sheet } from "./sheet.js";
import { WORDS, type Words } from "./words.js";

/** What a pop-up shows. */
export interface Content {
  locale: Locale;
  /** The address of a picture, or nothing. */
  image: string;
  label: string;
  description: string;
  /** What stands on the button that pays, or nothing for a word in the form's language. */
  submit: string;
  /** The amount, as a person reads it. */
  amount: string | undefined;
}

/** How a pop-up ended: with a token, by somebody who closed it, or because another one took its place. */
export type Outcome = Token | "closed" | "replaced";

/** `failed` may be tried again, `broken` may not. */
type State = "loading" | "ready" | "paying" | "failed" | "broken" | "closed";

/**
 * A card form over the page: a modal dialog, which keeps the focus in and the rest of the page out, with the vault's frame
 * in it. It stands in a closed shadow root, so that the page's styles leave it alone.
 */
export class Popup {
  /** The element in the page that all of it stands in. */
  readonly host = document.createElement("div");
  readonly #dialog: HTMLDialogElement;
  readonly #place = element("div", "card");
  readonly #problem = element("p", "problem");
  readonly #button = element("button", "pay");
  readonly #words: Words;
  readonly #pay: string;
  readonly #end: (outcome: Outcome) => void;
  readonly #watch: MutationObserver;
  #state: State = "loading";
  #card: Card | undefined;

  /** Opens it. `end` is called once, when it has gone. */
  constructor(content: Content, cardseal: Promise<Cardseal>, end: (outcome: Outcome) => void) {
    this.#words = WORDS[content.locale];
    this.#pay = [content.submit || this.#words.submit, content.amount].filter(Boolean).join(" ");
    this.#end = end;
    this.#dialog = this.#build(content);
    const root = this.host.attachShadow({ mode: "closed" });
    root.adoptedStyleSheets = [sheet()];
    root.append(this.#dialog);
    this.host.dataset.cardseal = "popup";
    (document.body ?? document.documentElement).append(this.host);
    adoptColorScheme(this.#dialog);
    // A page that takes it out has closed it, too.
    this.#watch = new MutationObserver(() => this.host.isConnected || this.close());
    this.#watch.observe(document, { childList: true, subtree: true });
    this.#dialog.showModal();
    // Until there is a field to have the focus, no button has it that Enter could press by accident.
    this.#dialog.focus({ preventScroll: true });
    this.#enter("loading");
    void this.#mount(cardseal);
  }

  /** Closes it without a token, if it is open. */
  close(outcome: "closed" | "replaced" = "closed"): void {
    this.#finish(outcome);
  }

  async #mount(cardseal: Promise<Cardseal>): Promise<void> {
    try {
      const card = (await cardseal).card();
      if (this.#state === "closed") return;
      this.#card = card;
      card.on("ready", () => this.#onReady(card));
      card.on("submit", () => void this.#onPay());
      card.on("escape", () => this.close());
      card.on("change", () => this.#say(""));
      // While it pays, the promise tells.
      card.on("error", (error) => this.#state === "paying" || this.#onLost(error));
      card.mount(this.#place);
    } catch (thrown) {
      this.#onLost(errorFrom(thrown));
    }
  }

  #onReady(card: Card): void {
    if (this.#state === "closed") return;
    this.#enter("ready");
    // Whoever went somewhere else in the meantime stays there.
    if (this.#dialog.matches(":focus")) card.focus("number");
  }

  /** The form could not be loaded. */
  #onLost(error: CardsealError): void {
    if (this.#state === "closed") return;
    report(error);
    // A blocker can be told to let it through.
    const mayCome = error.retryable || error.code === "frame_blocked";
    if (!mayCome) this.#say(this.#words.broken);
    this.#enter(mayCome ? "failed" : "broken");
  }

  async #onPay(): Promise<void> {
    if (this.#state === "failed") return this.#retry();
    if (this.#state !== "ready" || !this.#card) return;
    this.#say("");
    this.#enter("paying");
    try {
      this.#finish(await this.#card.tokenize());
    } catch (thrown) {
      if ((this.#state as State) === "closed") return;
      this.#enter("ready");
      const error = errorFrom(thrown);
      // The form says itself what is wrong with a field.
      if (!error.field) this.#say(explain(error, this.#words));
    }
  }

  #retry(): void {
    this.#enter("loading");
    this.#card?.mount(this.#place);
  }

  #finish(outcome: Outcome): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#watch.disconnect();
    // Gives the focus back to what had it; closing by taking it out of the page would not.
    this.#dialog.close();
    this.#card?.destroy();
    this.host.remove();
    this.#end(outcome);
  }

  #enter(state: State): void {
    this.#state = state;
    const { busy, again } = this.#words;
    this.#button.textContent = state === "paying" ? busy : state === "failed" ? again : this.#pay;
    // A button that is disabled in earnest would lose the focus.
    this.#button.ariaDisabled = String(state === "loading" || state === "paying");
    this.#button.hidden = state === "broken";
    this.#dialog.ariaBusy = String(state === "paying");
  }

  #say(problem: string): void {
    this.#problem.textContent = problem;
  }

  #build({ locale, image, label, description }: Content): HTMLDialogElement {
    const title = element("h2", "label", label);
    title.id = "label";
    const words = element("div", "words");
    words.append(title);
    if (description) words.append(element("p", "description", description));
    const close = element("button", "close");
    close.type = "button";
    close.ariaLabel = this.#words.close;
    close.addEventListener("click", () => this.close());
    const header = element("header", "header");
    if (image) header.append(picture(image));
    header.append(words, close);
    this.#button.type = "button";
    this.#button.addEventListener("click", () => void this.#onPay());
    this.#problem.role = "alert";
    const sheet = element("div", "sheet");
    sheet.append(header, this.#place, this.#problem, this.#button);
    const dialog = element("dialog", "popup");
    dialog.lang = locale;
    dialog.setAttribute("aria-labelledby", title.id);
    dialog.tabIndex = -1;
    dialog.append(sheet);
    // Escape, or what a telephone has in its place. A browser may close the dialog all the same.
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      this.close();
    });
    dialog.addEventListener("close", () => this.close());
    onBackdrop(dialog, () => this.close());
    return dialog;
  }
}

/**
 * Gives an element that is in the page the `color-scheme` around it in so many words: `normal` stands for what the page
 * says in its head, which a frame does not know of.
 */
export function adoptColorScheme(element: HTMLElement): void {
  const head = document.querySelector<HTMLMetaElement>('meta[name="color-scheme"]');
  const { colorScheme } = getComputedStyle(element);
  element.style.colorScheme = colorScheme === "normal" && head ? head.content : colorScheme;
}

/** What to tell the cardholder; the page's developer is told the rest. */
export function explain(error: CardsealError, words: Words): string {
  if (error.code === "incomplete_card" || (error.code === "invalid_card" && error.field)) return words.incomplete;
  if (error.code === "invalid_card") return words.refused;
  if (error.code === "not_ready") return words.loading;
  report(error);
  return error.retryable ? words.unreachable : words.broken;
}

function report({ code, message }: CardsealError): void {
  console.error(`OmiseCard: ${code}: ${message}`);
}

/** Calls when a press begins and ends beside what a dialog shows: marking text may well end there. */
function onBackdrop(dialog: HTMLDialogElement, call: () => void): void {
  let began = false;
  dialog.addEventListener("pointerdown", (event) => (began = event.target === dialog));
  dialog.addEventListener("click", (event) => {
    if (began && event.target === dialog) call();
    began = false;
  });
}

function picture(address: string): HTMLImageElement {
  const image = element("img", "image");
  image.alt = "";
  image.addEventListener("error", () => image.remove());
  image.src = address;
  return image;
}

/** An element with a class and text. */
export function element<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className: string,
  text = "",
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
