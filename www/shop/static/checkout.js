// The merchant's part of the page: card fields in, token out, then the form is posted like any other.
import { dress } from "./dress.js";

const form = document.querySelector("#checkout");
const pay = document.querySelector("#pay");
const problem = document.querySelector("#payment-problem");
const value = (name) => form.elements.namedItem(name).value;

const { publicKey, vault, locale, mode, profile } = form.dataset;
// A form in the page is served by the shop itself; one in a frame by the vault, its loader included.
const { loadCardseal } = await import(mode === "inline" ? "/cardseal/inline.js" : `${vault}/v1/cardseal.js`);
const cardseal = await loadCardseal({ publicKey, vault, locale, mode, profile });
const card = cardseal.card();
await dress(card);
card.on("ready", () => (pay.disabled = false));
card.on("submit", () => form.requestSubmit());
card.on("change", () => (problem.textContent = ""));
card.mount("#card");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (pay.disabled) return;
  pay.disabled = true;
  problem.textContent = "";
  try {
    const token = await card.tokenize({
      name: value("name"),
      email: value("email"),
      phone_number: value("phone_number"),
      billing: {
        street1: value("street1"),
        street2: value("street2"),
        city: value("city"),
        state: value("state"),
        country: value("country"),
        postal_code: value("postal_code"),
      },
    });
    form.elements.namedItem("card_token").value = token.id;
    form.submit();
  } catch (error) {
    const { checkCard, tryAgain, cannotPay } = form.dataset;
    problem.textContent = error.field ? checkCard : error.retryable ? tryAgain : `${cannotPay} (${error.code})`;
    pay.disabled = false;
  }
});
