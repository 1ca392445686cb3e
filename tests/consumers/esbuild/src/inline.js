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
    const output = document.createElement("output");
    output.id = "token";
    output.textContent = token.id;
    event.target.replaceChildren(output);
  } catch (error) {
    document.querySelector("#problem").textContent = `${error.code}: ${error.message}`;
  }
});
