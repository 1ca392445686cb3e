import { CardsealError, loadCardseal, type Token } from "cardseal";
import { CardFields, type CardFieldsHandle } from "cardseal/react";
import { type FormEvent, useRef, useState } from "react";

// A real shop has these in its settings.
const settings = new URLSearchParams(location.search);
const cardseal = loadCardseal({
  publicKey: settings.get("key") ?? "",
  vault: settings.get("vault") ?? "",
  mode: settings.get("mode") === "inline" ? "inline" : "hosted",
});

export function Checkout() {
  const card = useRef<CardFieldsHandle>(null);
  const [complete, setComplete] = useState(false);
  const [token, setToken] = useState<Token>();
  const [problem, setProblem] = useState("");

  async function pay(event: FormEvent) {
    event.preventDefault();
    try {
      setToken(await card.current?.tokenize({ email: "somchai@example.com" }));
    } catch (error) {
      if (!(error instanceof CardsealError)) throw error;
      setProblem(`${error.code}: ${error.message}`);
    }
  }

  return (
    <form onSubmit={pay}>
      <CardFields
        ref={card}
        cardseal={cardseal}
        appearance={{ radius: 8 }}
        onChange={(state) => setComplete(state.complete)}
        onError={(error) => setProblem(`${error.code}: ${error.message}`)}
      />
      <button id="pay" disabled={!complete}>
        Pay
      </button>
      <p role="alert" id="problem">
        {problem}
      </p>
      {token && <output id="token">{token.id}</output>}
    </form>
  );
}
