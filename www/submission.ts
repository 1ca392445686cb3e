/**
 * A form's way from the click on its button to the post, where something has to be made in between.
 *
 * The first `submit` event is caught before any listener of the page hears it: on its way down, at the window (at the
 * shadow root, where the form stands in one). When everything is made, `requestSubmit()` sends a second one, which
 * passes, with the same button. So the page's listeners hear of every attempt once, when the form has its values:
 * they may read them with `new FormData(form)`, they may call `preventDefault()` and send them their own way, and the
 * button's name, value and `formaction` count. Running last instead would need to know that no listener of the page
 * has a mind to prevent it later, which nothing can know. The price: a token that the page then has no use for. It
 * costs nothing, and nobody can charge it.
 *
 * `form.submit()` sends no event, by definition (HTML, "form submission algorithm"), so nothing can be made for it.
 */

/** A control whose value has to be made before its form can be posted. */
export interface Part {
  /** Whether the post has to wait for it, as things stand. */
  isWanted(submitter: Submitter | undefined): boolean;
  /** Makes the value. Never rejects. @returns whether there is one now */
  make(): Promise<boolean>;
  /** Forgets the value. */
  drop(): void;
}

/** What a form is submitted by. */
export type Submitter = HTMLButtonElement | HTMLInputElement;

type Phase =
  /** Nothing is under way. */
  | "idle"
  /** Values are being made; the form waits. */
  | "making"
  /** Our own `submit` event is on its way. */
  | "passing"
  /** The page has prevented ours more than once, and submits by script: the next passes with the values of the last. */
  | "held"
  /** The browser has posted the form, and this page is about to end. */
  | "posted";

/**
 * How long the browser is waited for after a post, in milliseconds: until then, another press of the button is one too
 * many. An answer that is no page, or a person who stopped the loading, must not leave the button dead for ever.
 */
const PATIENCE = 60_000;

const submissions = new WeakMap<HTMLFormElement, Submission>();

/** The submissions of one form. */
export class Submission {
  readonly #form: HTMLFormElement;
  readonly #parts = new Set<Part>();
  #phase: Phase = "idle";
  /** Changes whenever what was made counts no more, so that an attempt that was overtaken notices. */
  #attempt = 0;
  /** Our event, as it passes. */
  #final: SubmitEvent | undefined;
  /** Whether a person has done anything since the last attempt. */
  #isActed = false;
  #root: Node | undefined;
  #listening: AbortController | undefined;

  /** The one of this form; there are two parts where a form has two cards. */
  static of(form: HTMLFormElement): Submission {
    const submission = submissions.get(form) ?? new Submission(form);
    submissions.set(form, submission);
    return submission;
  }

  private constructor(form: HTMLFormElement) {
    this.#form = form;
  }

  /** From now on the form waits for this one too. */
  join(part: Part): void {
    this.#parts.add(part);
    this.#listen();
  }

  /** The form no longer waits for it. */
  leave(part: Part): void {
    this.#parts.delete(part);
    this.#abandon();
    if (this.#parts.size) return;
    this.#listening?.abort();
    this.#root = undefined;
  }

  /** A person has done something. */
  act(): void {
    this.#isActed = true;
    if (this.#phase === "held") this.#phase = "idle";
  }

  /** What the values are made from has changed: the next attempt is another one, even if the last has been posted. */
  edit(): void {
    this.act();
    if (this.#phase === "posted") this.#phase = "idle";
  }

  /** What was made, or is being made, counts no more. */
  reset(): void {
    this.#abandon();
    for (const part of this.#parts) part.drop();
  }

  #abandon(): void {
    this.#phase = "idle";
    this.#attempt += 1;
  }

  #listen(): void {
    const root = this.#form.getRootNode();
    if (root === this.#root) return;
    this.#root = root;
    this.#listening?.abort();
    this.#listening = new AbortController();
    const { signal } = this.#listening;
    const top: EventTarget = root === document ? window : root;
    top.addEventListener("submit", (event) => this.#onSubmit(event as SubmitEvent), { capture: true, signal });
    for (const act of ["click", "keydown"]) {
      addEventListener(act, ({ isTrusted }) => isTrusted && this.act(), { capture: true, signal });
    }
    // Back in a page that the browser has kept: what it posted has been used.
    addEventListener("pageshow", ({ persisted }) => persisted && this.reset(), { signal });
  }

  #onSubmit(event: SubmitEvent): void {
    if (event.target !== this.#form) return;
    const submitter = (event.submitter as Submitter | null | undefined) ?? undefined;
    if (this.#phase === "passing") {
      this.#final = event;
      return;
    }
    if (event.defaultPrevented) return;
    if (isDialog(this.#form, submitter)) return this.#abandon();
    switch (this.#phase) {
      case "making":
      case "posted":
        return swallow(event);
      case "held":
        this.#pass(event);
        setTimeout(this.#settle, 0, this.#attempt, submitter, true);
        return;
      case "idle": {
        const parts = [...this.#parts].filter((part) => part.isWanted(submitter));
        if (!parts.length) return;
        swallow(event);
        void this.#make(parts, submitter);
      }
    }
  }

  async #make(parts: readonly Part[], submitter: Submitter | undefined): Promise<void> {
    const isByScript = !this.#isActed;
    this.#isActed = false;
    this.#phase = "making";
    const attempt = (this.#attempt += 1);
    const made = await Promise.all(parts.map((part) => part.make()));
    if (attempt !== this.#attempt) return parts.forEach((part) => part.drop());
    if (!made.every(Boolean)) return this.reset();
    this.#pass(undefined);
    try {
      // A page may have drawn its button anew meanwhile.
      this.#form.requestSubmit(submitter?.form === this.#form ? submitter : undefined);
    } finally {
      this.#settle(attempt, submitter, isByScript);
    }
  }

  #pass(event: SubmitEvent | undefined): void {
    this.#phase = "passing";
    this.#final = event;
  }

  /** Sees what has become of our event. */
  readonly #settle = (attempt: number, submitter: Submitter | undefined, isByScript: boolean) => {
    if (attempt !== this.#attempt) return;
    // None was sent where a control that is not valid kept it back.
    if (this.#final?.defaultPrevented) {
      // The values stay, for a page that sends them later. One that prevents every event but its own, to ask something
      // before it submits, would ask for ever if each of its own events began anew.
      this.#phase = isByScript ? "held" : "idle";
    } else {
      this.reset();
      if (!this.#final || !endsPage(this.#form, submitter)) return;
      this.#phase = "posted";
      const posted = this.#attempt;
      setTimeout(() => posted === this.#attempt && this.edit(), PATIENCE);
    }
  };
}

function swallow(event: Event): void {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** Whether it closes a dialog and posts nothing. */
function isDialog(form: HTMLFormElement, submitter: Submitter | undefined): boolean {
  return attribute("method", form, submitter) === "dialog";
}

/** Whether the answer to the post takes this page's place. */
function endsPage(form: HTMLFormElement, submitter: Submitter | undefined): boolean {
  const target = attribute("target", form, submitter) ?? document.querySelector("base[target]")?.getAttribute("target");
  return !target || /^_(self|top|parent)$/i.test(target);
}

/** As attributes: an input of the form's may be called "method", and would stand in the property's place. */
function attribute(name: string, form: HTMLFormElement, submitter: Submitter | undefined): string | undefined {
  return (submitter?.getAttribute(`form${name}`) ?? form.getAttribute(name))?.toLowerCase();
}
