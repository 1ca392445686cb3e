import type { CardEvents, CardOptions, UpdateOptions } from "../card.js";
import { CardsealError, fail, type FieldName } from "../error.js";
import { HANDOVER, type ToFrame, type ToPage } from "../frame/message.js";
import type { Locale } from "../locale.js";
import { skeleton, styled } from "./skeleton.js";
import { notLoaded } from "./words.js";

/** How long a frame may take to load, and then to take its port, in milliseconds. */
const PATIENCE = { load: 30_000, hello: 5_000 };

/** The form keeps two pixels of room around it, for the line around a field in focus. */
const STYLE = "display:block;border:0;margin:-2px;width:calc(100% + 4px)";

const GONE = "the page removed or moved the card form before it could answer";

/** What a frame is made from. */
export interface FrameOptions extends Required<CardOptions> {
  vault: string;
  publicKey: string;
  locale: Locale | "auto";
  disabled: boolean;
}

/** Tells the page's listeners. */
type Emit = <Name extends keyof CardEvents>(name: Name, detail: CardEvents[Name]) => void;

/** A message that asks for an answer, but for its id. */
type Request = ToFrame extends infer Message ? (Message extends { id: number } ? Omit<Message, "id"> : never) : never;

/** Who asked for something. */
interface Waiting {
  resolve: (value: never) => void;
  reject: (error: CardsealError) => void;
}

/** A form's place in the page: a skeleton, then the iframe with the form, or words where it could not be had. */
export class Frame {
  readonly #holder = styled("div", "position:relative;display:flow-root");
  readonly #options: FrameOptions;
  readonly #emit: Emit;
  readonly #waiting = new Map<number, Waiting>();
  #iframe: HTMLIFrameElement | undefined;
  #port: MessagePort | undefined;
  #ready = false;
  #attempts = 0;
  #requests = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(target: Element, options: FrameOptions, emit: Emit) {
    this.#options = options;
    this.#emit = emit;
    target.append(this.#holder);
    document.addEventListener("securitypolicyviolation", this.#onViolation);
    this.#load();
  }

  /** Whether the form can be typed into. */
  get ready(): boolean {
    return this.#ready;
  }

  /** Takes everything out of the page. What waits for an answer fails. */
  remove(): void {
    this.#stop(fail("not_mounted", GONE));
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

  focus(field: FieldName): void {
    this.#iframe?.focus();
    this.post({ type: "focus", field });
  }

  /** Changes a form that has been told what it is made from; one that has not begins with the options as they are then. */
  async update(changes: UpdateOptions): Promise<void> {
    if (this.#port) await this.ask({ type: "update", ...changes, colorScheme: this.#colorScheme });
  }

  #load(): void {
    const { vault, publicKey: key, locale, fields, appearance } = this.#options;
    this.#attempts++;
    const iframe = styled("iframe", `${STYLE};position:absolute;opacity:0;height:100%`);
    iframe.referrerPolicy = "no-referrer";
    iframe.src = `${vault}/frame?${new URLSearchParams({ key, locale, origin: location.origin })}`;
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
    const { vault, publicKey: _, ...start } = this.#options;
    this.#disconnect(fail("not_ready", GONE, true));
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<ToPage>) => this.#hear(data);
    this.#port = port1;
    this.#expect(PATIENCE.hello);
    iframe.contentWindow?.postMessage(HANDOVER, vault, [port2]);
    this.post({ type: "start", ...start, colorScheme: this.#colorScheme });
  }

  #hear(message: ToPage): void {
    switch (message.type) {
      case "hello":
        return this.#expect(PATIENCE.load);
      case "height":
        // A frame that is not shown has no height to tell.
        if (message.pixels > 0) this.#iframe!.style.height = `${message.pixels}px`;
        return;
      case "ready":
        this.#show(message.title);
        return this.#emit("ready", undefined);
      case "told":
        return this.#emit(message.name, message.detail);
      case "done":
        return this.#settle(message.id, ({ resolve }) => resolve(message.value as never));
      case "failed": {
        const error = new CardsealError(message.failure);
        return message.id === undefined ? this.#fail(error) : this.#settle(message.id, ({ reject }) => reject(error));
      }
    }
  }

  #settle(id: number, settle: (waiting: Waiting) => void): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (waiting) settle(waiting);
  }

  #show(title: string): void {
    clearTimeout(this.#timer);
    this.#ready = true;
    this.#holder.ariaBusy = null;
    const iframe = this.#iframe!;
    // The skeleton, if it is still there: a frame that the page has moved is ready once more.
    iframe.nextElementSibling?.remove();
    iframe.title = title;
    iframe.style.cssText = `${STYLE};height:${iframe.style.height}`;
  }

  #expect(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#diagnose(), milliseconds);
  }

  readonly #onViolation = ({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent) => {
    const { vault } = this.#options;
    if (this.#ready || !blockedURI.startsWith(vault) || !/^(frame|child)-src/.test(effectiveDirective)) return;
    this.#fail(fail("frame_blocked", `the page's Content-Security-Policy needs "frame-src ${vault}"`));
  };

  /** Nothing came: either there is no vault, or something in the browser lets it through but not into a frame. */
  async #diagnose(): Promise<void> {
    const { vault } = this.#options;
    const iframe = this.#iframe;
    const reached = await fetch(`${vault}/livez`, { mode: "no-cors", credentials: "omit" }).catch(() => undefined);
    if (iframe !== this.#iframe || this.#ready) return;
    this.#fail(
      reached
        ? fail("frame_blocked", `${vault} answers, but its frame is kept out: an ad blocker?`)
        : fail("load_failed", `${vault} cannot be reached; is it the vault's address?`, true),
    );
  }

  /** Tries once more where that may help; then it says so, to the page and to the person. */
  #fail(error: CardsealError): void {
    if (this.#attempts < 2 && (error.retryable || error.code === "frame_blocked")) return this.#load();
    const failed = document.createElement("p");
    failed.role = "alert";
    failed.textContent = notLoaded(this.#options.locale);
    this.#stop(error);
    this.#holder.ariaBusy = null;
    this.#holder.replaceChildren(failed);
    this.#emit("error", error);
  }

  /** The page's where the form stands. The frame takes the same; it is opaque otherwise. */
  get #colorScheme(): string {
    return getComputedStyle(this.#holder).colorScheme;
  }

  #stop(error: CardsealError): void {
    clearTimeout(this.#timer);
    document.removeEventListener("securitypolicyviolation", this.#onViolation);
    this.#disconnect(error);
    this.#iframe = undefined;
  }

  #disconnect(error: CardsealError): void {
    this.#ready = false;
    this.#port?.close();
    this.#port = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}
