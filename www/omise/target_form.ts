import { type OmiseCardConfig, submits } from "./config.js";

/** The form that takes a token to the merchant's server. */
export class TargetForm {
  readonly #form: HTMLFormElement;

  /**
   * The form that a configuration names, or else the one around an element. It has Omise.js's two hidden inputs from then
   * on.
   */
  static find({ submitFormTarget }: OmiseCardConfig, around: Element | undefined): TargetForm | undefined {
    const form = submitFormTarget ? query(submitFormTarget) : around?.closest("form");
    return form instanceof HTMLFormElement ? new TargetForm(form) : undefined;
  }

  private constructor(form: HTMLFormElement) {
    this.#form = form;
    this.#input("omiseToken");
    this.#input("omiseSource");
  }

  put(token: string): void {
    this.#input("omiseToken").value = token;
  }

  /** Sends it where the configuration says so. */
  submit(config: OmiseCardConfig): void {
    // A field that is named "submit" stands in the way of the form's own method.
    if (submits(config)) HTMLFormElement.prototype.submit.call(this.#form);
  }

  #input(name: string): HTMLInputElement {
    const there = this.#form.querySelector<HTMLInputElement>(`input[name="${name}"]`);
    if (there) return there;
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = name;
    this.#form.append(input);
    return input;
  }
}

/** The first element that a selector of the page's finds. */
export function query(selector: string): Element | undefined {
  try {
    return document.querySelector(selector) ?? undefined;
  } catch {
    return undefined;
  }
}
