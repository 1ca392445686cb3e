/**
 * The frame's script: takes a port from the page around it, once, and puts the card form at its service.
 *
 * The vault writes into the document whose key it is for, which origins may embed it, what to seal cards to, and where the
 * wasm and the texts lie, each with its digest.
 */
import init, { Client, type Form } from "cardseal-wasm";
import type { TextOverrides, Token } from "../card.js";
import type { Failure } from "../error.js";
import type { TextName } from "../locale.js";
import { HANDOVER, parse, type Told, type ToFrame, type ToldName, type ToPage } from "./message.js";

const { key = "", origins = "", keys } = document.documentElement.dataset;
let jwks = keys;

/**
 * The vault's key set comes with the document, which no cache keeps. So whoever can put a key of theirs into the set that everybody
 * fetches, and into nothing else, gets no card. When the key is not known any more, the document is asked for anew.
 */
const { fetch: ask } = window;
window.fetch = async (address, init) => {
  if (!/jwks/.test(String(address))) return ask(address, init);
  if (init?.cache) jwks = /data-keys='(.*?)'/.exec(await (await ask(location.href)).text())?.[1];
  return new Response(jwks);
};

addEventListener("message", function take(event) {
  const [port] = event.ports;
  const comesFromPage = origins.split(" ").includes(event.origin) && event.source === parent;
  if (!comesFromPage || !port || event.data?.cardseal !== HANDOVER.cardseal) return;
  removeEventListener("message", take);
  void serve(port);
});

async function serve(port: MessagePort): Promise<void> {
  const say = (message: ToPage) => port.postMessage(message);
  say({ type: "hello" });
  try {
    await Promise.all([init({ module_or_path: load('[data-asset="wasm"]') }), texts()]);
  } catch {
    return say({ type: "failed", failure: NOT_LOADED });
  }
  let form: Promise<Served> | undefined;
  // The port keeps what has come meanwhile, and delivers it from here on.
  port.onmessage = async ({ data }) => {
    const message = parse(data);
    if (!message) {
      const asked = Number.isSafeInteger(data?.id);
      // The page waits for an answer to these, and has perhaps misspelt an option.
      if (!asked && (data?.type !== "start" || form)) return;
      const failure: Failure = { code: "invalid_options", message: "the card form does not know one of these options" };
      return say({ type: "failed", ...(asked && { id: data.id }), failure });
    }
    try {
      if (message.type === "start") await (form ??= Served.start(message, say));
      else if (form) {
        // What comes while the form is being made waits for it.
        const value = await (await form).answer(message);
        if ("id" in message) say({ type: "done", id: message.id, ...(value !== undefined && { value }) });
      }
    } catch (thrown) {
      // Where nobody asked, as for the focus of a field that is not there, the form is no worse for it.
      if (!("id" in message) && message.type !== "start") return;
      say({ type: "failed", ...("id" in message && { id: message.id }), failure: describe(thrown) });
    }
  };
}

/** The form, once the page has said what it is made from. */
class Served {
  readonly #form: Form;
  readonly #say: (message: ToPage) => void;
  #overrides: TextOverrides;
  #locale: string;
  /** What the page wants changed meanwhile. */
  readonly #later: (() => Promise<void>)[] = [];
  /** The field that has the caret, until the person is there. */
  #held: HTMLElement | undefined;

  static async start(start: ToFrame & { type: "start" }, say: (message: ToPage) => void): Promise<Served> {
    return new Served(start, await texts(start.locale), say);
  }

  private constructor(start: ToFrame & { type: "start" }, known: Texts, say: (message: ToPage) => void) {
    const { profile, fields, appearance, texts: overrides, locale, colorScheme, disabled } = start;
    this.#say = say;
    this.#overrides = overrides;
    this.#locale = locale;
    setColorScheme(colorScheme);
    const height = () => {
      const pixels = document.body.getBoundingClientRect().height;
      // A frame that is not shown has no height to tell.
      if (pixels > 0) say({ type: "height", pixels });
    };
    const all = said(known, overrides);
    this.#form = new Client(key, location.origin, String(profile)).form(
      { fields, appearance, texts: all, language: language(locale), place: "frame" },
      (name: ToldName | "ready", detail: never) => {
        if (name === "ready") return;
        say({ type: "told", name, detail } as Told);
        if ((name === "blur" || name === "submit") && !this.#form.isTyping()) for (const change of this.#later.splice(0)) change().catch(console.warn);
      },
    );
    this.#form.setDisabled(disabled);
    this.#form.mount(document.body);
    // The height goes ahead, so that what is shown has its place.
    height();
    say({ type: "ready", title: all.title });
    new ResizeObserver(height).observe(document.body);
    for (const used of ["pointerdown", "keydown"]) addEventListener(used, () => (this.#held = undefined), true);
    addEventListener("focus", () => {
      if (document.activeElement === document.body) this.#held?.focus();
      this.#held = undefined;
    });
  }

  async answer(message: ToFrame): Promise<boolean | Token | undefined> {
    const form = this.#form;
    switch (message.type) {
      case "update":
        return this.#change(async () => {
          if (message.colorScheme !== undefined) setColorScheme(message.colorScheme);
          if (message.appearance) form.setAppearance(message.appearance);
          if (message.disabled !== undefined) form.setDisabled(message.disabled);
          if (message.texts || message.locale) {
            this.#overrides = message.texts ?? this.#overrides;
            this.#locale = message.locale ?? this.#locale;
            form.setTexts(said(await texts(this.#locale), this.#overrides), language(this.#locale));
          }
        });
      case "focus":
        form.focus(message.field);
        this.#hold();
        return undefined;
      case "clear":
        return this.#change(async () => form.clear());
      case "validate": {
        const valid = form.reportValidity();
        this.#hold();
        if (!valid) this.#say({ type: "led" });
        return valid;
      }
      case "tokenize": {
        const asked = form.tokenize(message.details);
        this.#hold();
        return asked.catch((thrown) => {
          // What the form finds itself; what the vault answers comes too late to move the caret.
          const { field, status } = describe(thrown);
          if (field && !status) this.#say({ type: "led" });
          throw thrown;
        });
      }
    }
    return undefined;
  }

  /** Changes something now, or once the person has left what they are typing. */
  async #change(change: () => Promise<void>): Promise<undefined> {
    if (!this.#form.isTyping()) await change();
    else this.#later.push(change);
  }

  /**
   * Holds on to the field that has the caret now. What made the page ask was often a click on a button of the page's, and the
   * browser may tell this frame of that click only now: then it takes the focus away once more, and the caret with it. The
   * loader gives the frame the focus back, and the frame its field the caret.
   */
  #hold(): void {
    const { activeElement } = document;
    this.#held = activeElement instanceof HTMLInputElement ? activeElement : undefined;
  }
}

/** Takes the words that CSS has for a `color-scheme`, and nothing else. Browsers put them in different orders. */
function setColorScheme(scheme: unknown): void {
  if (typeof scheme === "string" && /^((normal|light|dark|only) ?)+$/.test(scheme)) {
    document.documentElement.style.colorScheme = scheme;
  }
}

/** All that the form says, in one language. Of an entry that was interrupted it speaks in its own words. */
type Texts = Record<TextName | "interrupted", string>;

function said(known: Texts, overrides: TextOverrides): Texts {
  return { ...known, ...overrides, interrupted: known.interrupted };
}

/** `auto` is what the vault chose by the browser's languages. */
function language(locale: string): string {
  return locale === "auto" ? document.documentElement.lang : locale;
}

async function texts(locale = "auto"): Promise<Texts> {
  return (await load(`[data-asset="locale"][hreflang="${CSS.escape(language(locale))}"]`)).json();
}

/** What a link in the document leads to, if it is what the document says it is. */
async function load(selector: string): Promise<Response> {
  const link = document.querySelector<HTMLLinkElement>(`link${selector}`);
  if (!link) throw { code: "invalid_options", message: "locale is one of auto, en, ja, th", retryable: false };
  const { integrity } = link.dataset;
  if (!integrity) throw NOT_LOADED;
  const response = await fetch(link.href, { integrity }).catch(() => undefined);
  if (!response?.ok) throw NOT_LOADED;
  return response;
}

const NOT_LOADED: Failure = {
  code: "load_failed",
  message: "the frame has loaded, but its wasm or its texts have not; try again",
  retryable: true,
};

/** A failure as the wasm describes it; a trap's own words say nothing useful. */
function describe(thrown: unknown): Failure {
  if (typeof thrown === "object" && thrown !== null && "retryable" in thrown) return thrown as Failure;
  return { code: "internal_error", message: "cardseal failed inside; load the page again" };
}
