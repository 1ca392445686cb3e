/**
 * What `<script src="https://vault.example/v1/omise.js">` runs: it defines `Omise` and `OmiseCard`, and puts a button
 * behind itself where it has `data-key`.
 */
import { beside } from "../beside_verified.js";
import { Omise } from "./omise.js";
import { addScriptButton, OmiseCard } from "./omise_card.js";

/** By this a second script finds what the first has defined, and with it what the page has configured meanwhile. */
const START = Symbol.for("cardseal.omise");

interface Page {
  Omise?: typeof Omise;
  OmiseCard?: typeof OmiseCard & { [START]?: typeof start };
}

const page = window as Window & Page;
// Some loaders of scripts run what they load by themselves; then there is no current one.
const script = document.currentScript ?? document.querySelector('script[src*="/v1/omise"]');
if (page.OmiseCard?.[START]) {
  page.OmiseCard[START](script);
} else {
  page.Omise = Omise;
  page.OmiseCard = Object.defineProperty(OmiseCard, START, { value: start });
  start(script);
}

function start(script: Element | null): void {
  if (!(script instanceof HTMLScriptElement) || !script.src) return;
  const { origin } = new URL(script.src);
  Omise.setVault(origin, script.dataset.vaultKey);
  beside.from = script.src;
  if (script.dataset.key || script.dataset.publicKey) addScriptButton(script);
}
