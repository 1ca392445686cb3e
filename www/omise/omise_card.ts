import type { Cardseal } from "../cardseal.js";
import { amount } from "./amount.js";
import { appearance } from "./appearance.js";
import { call } from "./callback.js";
import { DEFAULTS, localeOf, merge, type OmiseCardConfig, warn } from "./config.js";
import { publicKey } from "./omise.js";
import { type Content, type Outcome, Popup } from "./popup.js";
import { type CardPayload, type RequestDetails, SecureForm } from "./secure_form.js";
import { query, TargetForm } from "./target_form.js";
import { cardsealOf } from "./vault.js";

/** A button and what it opens, as `configureButton` returns it. */
export interface ConfiguredButton {
  buttonId: string;
  configuration: OmiseCardConfig;
}

let defaults: OmiseCardConfig = DEFAULTS;
let configured: ConfiguredButton[] = [];
let attached = new Map<Element, AbortController>();
let popup: Popup | undefined;
let secureForm: SecureForm | undefined;

/** `OmiseCard` of Omise.js: a pop-up with a card form, or a card form in an element. */
export const OmiseCard = {
  /** Sets what holds from now on. @returns all of it */
  configure(config?: OmiseCardConfig): OmiseCardConfig {
    defaults = merge(defaults, config);
    return defaults;
  },

  /** Says what a button opens; `attach()` makes it do so. */
  configureButton(selector: string, config?: OmiseCardConfig): ConfiguredButton {
    const button = { buttonId: selector, configuration: merge(defaults, config) };
    configured.push(button);
    return button;
  },

  /** Makes every configured button that is in the page open the pop-up. @returns those buttons */
  attach(): Element[] {
    return configured.map(attach).filter((button) => button !== undefined);
  },

  /**
   * Opens the pop-up, or puts the form into `element`. A pop-up that stands already makes room for the new one, and its
   * callbacks are no longer called.
   * @param opened called with the element that the pop-up stands in
   * @returns whether there is a page to open it in
   */
  open(config?: OmiseCardConfig, opened?: (popup: HTMLElement) => void): boolean {
    if (typeof document === "undefined") return false;
    const merged = merge(defaults, config);
    if (merged.customCardForm) return openSecureForm(merged);
    if (merged.customInstallmentForm) {
      console.error("OmiseCard: there is no form for payment by instalments: a vault takes cards only");
      return false;
    }
    return openPopup(merged, "for the callback", TargetForm.find(merged, undefined), opened);
  },

  /** Closes the pop-up. @returns whether there is a page it could stand in */
  close(closed?: (popup: HTMLElement | undefined) => void): boolean {
    if (typeof document === "undefined") return false;
    const host = popup?.host;
    queueMicrotask(() => call(closed, host));
    popup?.close();
    return true;
  },

  /** Asks the form in `element` for a token, which comes to its `onCreateTokenSuccess`. */
  requestCardToken(details?: RequestDetails | null): void {
    if (secureForm) void secureForm.request(details);
    else console.error("OmiseCard: there is no form to ask for a token; OmiseCard.open({ customCardForm: true, element }) makes one");
  },

  /** Closes what is open, and forgets every configuration and button. */
  destroy(): void {
    popup?.close();
    secureForm?.destroy();
    secureForm = undefined;
    for (const listener of attached.values()) listener.abort();
    attached = new Map();
    configured = [];
    defaults = DEFAULTS;
  },
};

/** Puts the button of `<script data-key="…">` behind that script. */
export function addScriptButton(script: HTMLScriptElement): void {
  // Read when they are needed: pages change the amount.
  const config = (): OmiseCardConfig => merge(defaults, { ...script.dataset } as OmiseCardConfig);
  const form = TargetForm.find(config(), script);
  if (!form) {
    console.error("OmiseCard: a script with data-key stands in the form that takes the token, or names it in data-submit-form-target");
    return;
  }
  // The form's default button, as Omise.js has it: Enter in a field of the page's opens the pop-up, too.
  const button = document.createElement("button");
  button.className = "omise-checkout-button";
  button.textContent = config().buttonLabel ?? DEFAULTS.buttonLabel;
  button.addEventListener("click", (event) => {
    press(event);
    openPopup(config(), "sent", form);
  });
  script.after(button);
}

function attach({ buttonId, configuration }: ConfiguredButton): Element | undefined {
  const button = query(buttonId);
  if (!button) {
    console.error(`OmiseCard: nothing in the page matches "${buttonId}", so nothing opens the card form there`);
    return undefined;
  }
  const { buttonLabel } = configuration;
  const isItsOwn = buttonLabel !== undefined && buttonLabel !== defaults.buttonLabel;
  if (isItsOwn || !button.hasChildNodes()) button.textContent = buttonLabel ?? DEFAULTS.buttonLabel;
  const form = TargetForm.find(configuration, button);
  attached.get(button)?.abort();
  const listener = new AbortController();
  attached.set(button, listener);
  const onClick = (event: Event) => {
    press(event);
    openPopup(configuration, "sent", form);
  };
  button.addEventListener("click", onClick, { signal: listener.signal });
  return button;
}

/** Leaves to the pop-up what a click would do, and gives it something to give the focus back to: Safari focuses no button. */
function press(event: Event): void {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus({ preventScroll: true });
}

/** What becomes of a form with a token in it: Omise.js sends a button's, and leaves the rest to the page's callback. */
type Use = "sent" | "for the callback";

function openPopup(
  config: OmiseCardConfig,
  use: Use,
  form: TargetForm | undefined,
  opened?: (popup: HTMLElement) => void,
): boolean {
  warn(config);
  const { onCreateTokenSuccess, onFormClosed } = config;
  const end = (outcome: Outcome) => {
    popup = undefined;
    if (outcome === "replaced") return;
    queueMicrotask(() => {
      if (outcome !== "closed") {
        form?.put(outcome.id);
        if (use === "sent" || !onCreateTokenSuccess) form?.submit(config);
        // The type says that it takes text and an object, as either is right somewhere.
        call(onCreateTokenSuccess, outcome.id as string & CardPayload, false);
      }
      call(onFormClosed, host);
    });
  };
  popup?.close("replaced");
  popup = new Popup(content(config), cardseal(config), end);
  const { host } = popup;
  queueMicrotask(() => call(opened, host));
  return true;
}

function content(config: OmiseCardConfig): Content {
  const { image = "", frameLabel = "", frameDescription = "", submitLabel = "" } = config;
  const locale = localeOf(config);
  return {
    locale,
    image,
    label: frameLabel,
    description: frameDescription,
    submit: submitLabel,
    amount: amount(config, locale),
  };
}

function openSecureForm(config: OmiseCardConfig): boolean {
  const { element, style, customCardFormTheme, customCardFormHideRememberCard, onCreateTokenSuccess, onError } = config;
  const target = typeof element === "string" ? query(element) : element;
  if (!target) {
    console.error("OmiseCard: customCardForm needs an element for the form to stand in");
    return false;
  }
  warn(config);
  secureForm?.destroy();
  const options = {
    card: { appearance: appearance(style) },
    locale: localeOf(config),
    theme: customCardFormTheme,
    hidesRemember: customCardFormHideRememberCard === true,
    style: style ?? {},
    onToken: (payload: CardPayload) => call(onCreateTokenSuccess, payload as string & CardPayload, false),
    onError: (message: string) => call(onError, message),
  };
  secureForm = new SecureForm(target, options, cardseal(config));
  return true;
}

function cardseal(config: OmiseCardConfig): Promise<Cardseal> {
  return cardsealOf(config.key || publicKey(), localeOf(config));
}
