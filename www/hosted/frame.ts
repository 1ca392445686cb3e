import { ALL_FIELDS, type CardOptions } from "../card.js";
import { CardsealError } from "../error.js";
import { HANDOVER, type ToFrame, type ToPage } from "../frame/message.js";
import { language, type Locale } from "../locale.js";
import { skeleton, styled } from "./skeleton.js";
import { WORDS } from "./words.js";

/** How long a frame may take to load, and then to take its port, in milliseconds. */
const PATIENCE = { load: 30_000, hello: 5_000 };

/** What a frame is made from. */
export interface FrameOptions extends CardOptions {
  vault: string;
  publicKey: string;
  locale: Locale | "auto";
  disabled: boolean;
}

/** What the frame says besides what {@link Frame} deals with itself; `failed` comes at most once without an id. */
export type Told = Exclude<ToPage, { type: "hello" | "height" }>;

/** A message that asks for an answer, but for its id. */
type Request = ToFrame extends infer Message ? (Message extends { id: number } ? Omit<Message, "id"> : never) : never;

/** A form's place in the page: a skeleton, then the iframe with the form, or words where it could not be had. */
export class Frame {
  readonly #holder = styled("div", { position: "relative" });
  readonly #options: FrameOptions;
  readonly #tell: (message: Told) => void;
  readonly #waiting = new Map<number, { resolve: (value: never) => void; reject: (error: CardsealError) => void }>();
  #iframe: HTMLIFrameElement | undefined;
  #port: MessagePort | undefined;
  #ready = false;
  #attempts = 0;
  #requests = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(target: Element, options: FrameOptions, tell: (message: Told) => void) {
    this.#options = options;
    this.#tell = tell;
    target.append(this.#holder);
    document.addEventListener("securitypolicyviolation", this.#onViolation);
    this.#load();
  }

  /** Whether the form can be typed into. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Whether the form has been told what it is made from; what it is asked from then on, it answers once it is ready. */
  get started(): boolean {
    return this.#port !== undefined;
  }

  /** The page's `color-scheme` where the form stands. The frame takes the same; it is opaque otherwise. */
  get colorScheme(): string {
    return getComputedStyle(this.#holder).colorScheme || "normal";
  }

  /** Takes everything out of the page. What waits for an answer fails. */
  remove(): void {
    this.#stop({ code: "not_mounted", message: "the card form was taken out of the page before it could answer" });
    this.#holder.remove();
  }

  /** Posts a message that has no answer. */
  post(message: ToFrame): void {
    this.#port?.postMessage(message);
  }

  /** Posts a message and waits for its answer. */
  ask<Value>(request: Request): Promise<Value> {
    return new Promise((resolve, reject) => {
      const id = this.#requests++;
      this.#waiting.set(id, { resolve, reject });
      this.post({ ...request, id } as ToFrame);
    });
  }

  focus(): void {
    this.#iframe?.focus();
  }

  #load(): void {
    const { vault, publicKey, locale, fields = ALL_FIELDS, appearance = {} } = this.#options;
    this.#attempts++;
    const query = new URLSearchParams({ key: publicKey, origin: location.origin });
    if (locale !== "auto") query.set("locale", locale);
    const iframe = styled("iframe", {
      position: "absolute",
      // The form keeps that much room for the line around a field in focus.
      margin: "-2px",
      width: "calc(100% + 4px)",
      height: "100%",
      border: "0",
      opacity: "0",
    });
    iframe.title = this.#words.title;
    iframe.referrerPolicy = "no-referrer";
    iframe.src = `${vault}/frame?${query}`;
    // Again, too, when the page has moved the iframe, which makes it load anew.
    iframe.addEventListener("load", () => this.#handOver(iframe));
    this.#iframe = iframe;
    this.#holder.ariaBusy = "true";
    this.#holder.replaceChildren(iframe, skeleton(fields, appearance));
    // Out of the page nothing loads, for as long as the page likes.
    if (iframe.isConnected) this.#expect(PATIENCE.load);
  }

  /** Gives the frame its end of a fresh channel. Nobody but the vault's own document gets the message. */
  #handOver(iframe: HTMLIFrameElement): void {
    const { vault, fields = ALL_FIELDS, appearance = {}, texts = {}, locale, disabled } = this.#options;
    this.#disconnect({ code: "not_mounted", message: "the page moved the card form, which made it load anew" });
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<ToPage>) => this.#hear(data);
    this.#port = port1;
    this.#expect(PATIENCE.hello);
    iframe.contentWindow?.postMessage(HANDOVER, vault, [port2]);
    this.post({
      type: "start",
      fields,
      appearance,
      texts,
      disabled,
      colorScheme: this.colorScheme,
      ...(locale === "auto" ? {} : { locale }),
    });
  }

  #hear(message: ToPage): void {
    switch (message.type) {
      case "hello":
        return this.#expect(PATIENCE.load);
      case "height":
        // A frame that is not shown has no height to tell.
        if (message.pixels > 0) this.#iframe?.style.setProperty("height", `${message.pixels}px`);
        return;
      case "ready":
        this.#show();
        break;
      case "done":
        this.#waiting.get(message.id)?.resolve(message.value as never);
        this.#waiting.delete(message.id);
        return;
      case "failed":
        if (message.id === undefined) return this.#fail(new CardsealError(message.failure));
        this.#waiting.get(message.id)?.reject(new CardsealError(message.failure));
        this.#waiting.delete(message.id);
        return;
    }
    this.#tell(message);
  }

  #show(): void {
    clearTimeout(this.#timer);
    this.#ready = true;
    this.#holder.ariaBusy = null;
    this.#holder.lastElementChild?.remove();
    Object.assign(this.#iframe!.style, { position: "", display: "block", marginBottom: "-2px", opacity: "" });
  }

  #expect(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#diagnose(), milliseconds);
  }

  readonly #onViolation = ({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent) => {
    const { vault } = this.#options;
    if (this.#ready || !blockedURI.startsWith(vault) || !/^(frame|child)-src/.test(effectiveDirective)) return;
    const message = `the page's Content-Security-Policy keeps the card form out; add "frame-src ${vault}" to it`;
    this.#fail(new CardsealError({ code: "frame_blocked", message }));
  };

  /** Nothing came: either there is no vault, or something in the browser lets it through but not into a frame. */
  async #diagnose(): Promise<void> {
    const { vault } = this.#options;
    const iframe = this.#iframe;
    const reached = await fetch(`${vault}/livez`, { mode: "no-cors", credentials: "omit", cache: "no-store" }).then(
      () => true,
      () => false,
    );
    if (iframe !== this.#iframe || this.#ready) return;
    this.#fail(
      new CardsealError(
        reached
          ? { code: "frame_blocked", message: `${vault} answers, but something, an ad blocker perhaps, keeps its frame out` }
          : { code: "load_failed", message: `${vault} cannot be reached; is it the vault's address?`, retryable: true },
      ),
    );
  }

  /** Tries once more where that may help; then it says so, to the page and to the person. */
  #fail(error: CardsealError): void {
    if (this.#attempts < 2 && (error.retryable || error.code === "frame_blocked")) return this.#load();
    const failed = document.createElement("p");
    failed.role = "alert";
    failed.textContent = this.#words.failed;
    this.#stop(error);
    this.#holder.ariaBusy = null;
    this.#holder.replaceChildren(failed);
    this.#tell({ type: "failed", failure: error });
  }

  #stop(failure: { code: CardsealError["code"]; message: string }): void {
    clearTimeout(this.#timer);
    document.removeEventListener("securitypolicyviolation", this.#onViolation);
    this.#disconnect(failure);
    this.#iframe = undefined;
  }

  #disconnect(failure: { code: CardsealError["code"]; message: string }): void {
    this.#ready = false;
    this.#port?.close();
    this.#port = undefined;
    for (const { reject } of this.#waiting.values()) reject(new CardsealError(failure));
    this.#waiting.clear();
  }

  get #words() {
    return WORDS[language(this.#options.locale) ?? "en"];
  }
}
