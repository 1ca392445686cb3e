import "cardseal/element";

// A real shop has these in its settings, and the element in its page.
const settings = new URLSearchParams(location.search);
const card = document.createElement("cardseal-card");
card.setAttribute("public-key", settings.get("key"));
card.setAttribute("vault", settings.get("vault"));
card.setAttribute("name", "card_token");
document.querySelector("#checkout").prepend(card);
