import { loadCardseal } from "cardseal";

// A real shop has these in its settings.
const settings = new URLSearchParams(location.search);
const cardseal = await loadCardseal({
  publicKey: settings.get("key"),
  vault: settings.get("vault"),
  mode: "inline",
});

const card = cardseal.card().mount("#card");
document.querySelector("#checkout").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const token = await card.tokenize();
    document.querySelector("#checkout").innerHTML = '<output id="token"></output>';
    document.querySelector("#token").textContent = token.id;
  } catch (error) {
    document.querySelector("#problem").textContent = `${error.code}: ${error.message}`;
  }
});
