import type { CardEvents, CardOptions, Profile, UpdateOptions } from "../card.js";
import { CardsealError, fail, type FieldName } from "../error.js";
import { HANDOVER, type ToFrame, type ToPage } from "../frame/message.js";
import type { Locale } from "../locale.js";
import { skeleton, styled } from "./skeleton.js";
import { notLoaded } from "./words.js";

/** What a frame is made from. */
export interface FrameOptions extends Required<CardOptions> {
  vault: string;
  publicKey: string;
  profile: Profile;
  locale: Locale | "auto";
  disabled: boolean;
}

/** A form's place in the page: a skeleton, then the iframe with the form, or words where it could not be had. */
export interface Frame {
  /** Why there is no form to ask anything; nothing, once there is one. */
  idle(): CardsealError | undefined;
  /** Posts a message that has no answer. */
  post(message: ToFrame): void;
  /** Posts a message and waits for its answer. */
  ask<Value>(request: Request): Promise<Value>;
  focus(field: FieldName): void;
  /** Changes a form that has been told what it is made from; one that has not begins with the options as they are then. */
  update(changes: UpdateOptions): Promise<void>;
  /** Takes everything out of the page. What waits for an answer fails. */
  remove(): void;
}

/** A message that asks for an answer, but for its id. */
type Request = ToFrame extends infer Message ? (Message extends { id: number } ? Omit<Message, "id"> : never) : never;

/** Who asked for something. */
interface Waiting {
  resolve: (value: never) => void;
  reject: (error: CardsealError) => void;
}

/** How long a frame may take to load, and then to take its port, in milliseconds. */
const PATIENCE = { load: 30_000, hello: 5_000 };

/** The form keeps two pixels of room around it, for the line around a field in focus. */
const STYLE = "display:block;border:0;margin:-2px;width:calc(100% + 4px)";

const LOADING = 'the card form is loading; wait for "ready"';

/**
 * Puts a frame at the end of an element.
 * @param emit tells the page's listeners
 */
export function frame(
  target: Element,
  options: FrameOptions,
  emit: <Name extends keyof CardEvents>(name: Name, detail: CardEvents[Name]) => void,
): Frame {
  const { vault, publicKey: key } = options;
  const holder = styled("div", "position:relative;display:flow-root");
  const waiting = new Map<number, Waiting>();
  let iframe: HTMLIFrameElement | undefined;
  let port: MessagePort | undefined;
  let idle: CardsealError | undefined = fail("not_ready", LOADING, true);
  let attempts = 0;
  let requests = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const load = () => {
    attempts++;
    const loading = styled("iframe", `${STYLE};position:absolute;opacity:0;height:100%`);
    loading.src = `${vault}/frame?${new URLSearchParams({ key, locale: options.locale, origin: location.origin })}`;
    // Again, too, when the page has moved the iframe, which makes it load anew.
    loading.addEventListener("load", () => handOver(loading));
    iframe = loading;
    holder.replaceChildren(loading, skeleton(options.fields, options.appearance));
    // Out of the page nothing loads, for as long as the page likes.
    if (loading.isConnected) expect(PATIENCE.load);
  };

  /** Gives the frame its end of a fresh channel. Nobody but the vault's own document gets the message. */
  const handOver = ({ contentWindow }: HTMLIFrameElement) => {
    const { vault: _, publicKey: __, ...start } = options;
    disconnect(fail("not_ready", LOADING, true));
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = ({ data }: MessageEvent<ToPage>) => hear(data);
    port = port1;
    expect(PATIENCE.hello);
    contentWindow?.postMessage(HANDOVER, vault, [port2]);
    post({ type: "start", ...start, colorScheme: colorScheme() });
  };

  const hear = (message: ToPage) => {
    switch (message.type) {
      case "hello":
        return expect(PATIENCE.load);
      case "height":
        iframe!.style.height = `${message.pixels}px`;
        return;
      case "ready":
        show(message.title);
        return emit("ready", undefined);
      case "led":
        // Where it has the focus already, this would take it away first.
        if ((iframe!.getRootNode() as Document).activeElement !== iframe) iframe!.focus();
        return;
      case "told":
        return emit(message.name, message.detail);
      case "done":
        return answered(message.id)?.resolve(message.value as never);
      case "failed": {
        const error = new CardsealError(message.failure);
        return message.id === undefined ? onFailure(error) : answered(message.id)?.reject(error);
      }
    }
  };

  /** Who asked, waiting no longer. */
  const answered = (id: number) => {
    const asker = waiting.get(id);
    waiting.delete(id);
    return asker;
  };

  const show = (title: string) => {
    clearTimeout(timer);
    idle = undefined;
    // The skeleton, if it is still there: a frame that the page has moved is ready once more.
    iframe!.nextElementSibling?.remove();
    iframe!.title = title;
    iframe!.style.cssText = `${STYLE};height:${iframe!.style.height}`;
  };

  const expect = (milliseconds: number) => {
    clearTimeout(timer);
    timer = setTimeout(diagnose, milliseconds);
  };

  const onViolation = ({ blockedURI, effectiveDirective }: SecurityPolicyViolationEvent) => {
    if (!idle || !blockedURI.startsWith(vault) || effectiveDirective !== "frame-src") return;
    onFailure(fail("frame_blocked", `the page's Content-Security-Policy needs "frame-src ${vault}"`));
  };

  /** Nothing came: either there is no vault, or something in the browser lets it through but not into a frame. */
  const diagnose = async () => {
    const silent = iframe;
    const signal = AbortSignal.timeout(PATIENCE.hello);
    const reached = await fetch(`${vault}/livez`, { mode: "no-cors", signal }).catch(() => undefined);
    if (iframe !== silent || !idle) return;
    onFailure(
      reached
        ? fail("frame_blocked", `${vault} answers, but its frame is kept out; an ad blocker?`)
        : fail("load_failed", `${vault} cannot be reached`, true),
    );
  };

  /** Tries once more where that may help; then it says so, to the page and to the person. */
  const onFailure = (error: CardsealError) => {
    if (attempts < 2 && (error.retryable || error.code === "frame_blocked")) return load();
    const failed = styled("p", "");
    failed.role = "alert";
    failed.textContent = notLoaded(options.locale);
    stop(error);
    holder.replaceChildren(failed);
    emit("error", error);
  };

  const stop = (error: CardsealError) => {
    clearTimeout(timer);
    document.removeEventListener("securitypolicyviolation", onViolation);
    disconnect(error);
    iframe = undefined;
  };

  const disconnect = (error: CardsealError) => {
    idle = error;
    port?.close();
    port = undefined;
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };

  /** The page's where the form stands, which a meta element can set too. The frame takes the same; it is opaque otherwise. */
  const colorScheme = () => {
    const { colorScheme } = getComputedStyle(holder);
    if (colorScheme !== "normal") return colorScheme;
    return document.querySelector<HTMLMetaElement>("meta[name=color-scheme]")?.content;
  };

  const post = (message: ToFrame) => port?.postMessage(message);

  const ask = <Value>(request: Request) =>
    new Promise<Value>((resolve, reject) => {
      const id = requests++;
      waiting.set(id, { resolve, reject });
      post({ ...request, id } as ToFrame);
    });

  target.append(holder);
  document.addEventListener("securitypolicyviolation", onViolation);
  load();
  return {
    idle: () => idle,
    post,
    ask,
    focus(field) {
      iframe?.focus();
      post({ type: "focus", field });
    },
    async update(changes) {
      if (port) await ask({ type: "update", ...changes, colorScheme: colorScheme() });
    },
    remove() {
      stop(fail("not_mounted", "the card form was taken out of the page"));
      holder.remove();
    },
  };
}
