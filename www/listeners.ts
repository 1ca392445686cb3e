import type { CardEvents, CardListener } from "./card.js";

/** What a form has for those who listen to it. */
export class Listeners {
  readonly #all = new Map<keyof CardEvents, Set<CardListener<never>>>();

  on<Name extends keyof CardEvents>(name: Name, listener: CardListener<Name>): () => void {
    const listeners = this.#all.get(name) ?? new Set();
    this.#all.set(name, listeners.add(listener));
    return () => this.off(name, listener);
  }

  off<Name extends keyof CardEvents>(name: Name, listener: CardListener<Name>): void {
    this.#all.get(name)?.delete(listener);
  }

  /**
   * Tells everyone.
   * @param target where the form stands
   */
  protected emit<Name extends keyof CardEvents>(name: Name, detail: CardEvents[Name], target: Element | undefined): void {
    const listeners = [...(this.#all.get(name) ?? [])] as CardListener<Name>[];
    for (const listener of listeners) {
      try {
        listener(detail);
      } catch (thrown) {
        // The page's mistake; it shows up in the page's console and does the form no harm.
        reportError(thrown);
      }
    }
    if (name === "submit" && !listeners.length) submit(target?.closest("form"));
  }
}

/** Submits a form as a browser does when Enter is pressed in an input: by its first button, if that can be pressed. */
export function submit(form: HTMLFormElement | null | undefined): void {
  const controls = [...(form?.elements ?? [])] as HTMLButtonElement[];
  const button = controls.find(({ type }) => type === "submit");
  button ? button.click() : form?.requestSubmit();
}

/** The element that a page means. @returns a sentence instead, where there is none */
export function find(target: string | Element): Element | string {
  if (target instanceof Element) return target;
  try {
    const found = document.querySelector(target);
    if (found) return found;
  } catch {
    // It is no selector.
  }
  return `nothing in the page matches "${target}"`;
}
