"use client";

import { loadCardseal, type Cardseal, type FieldName, type Token } from "cardseal";
import { CardFields, type CardFieldsHandle } from "cardseal/react";
import { type FormEvent, useEffect, useRef, useState } from "react";

export function Checkout({ fields }: { fields: readonly FieldName[] }) {
  const card = useRef<CardFieldsHandle>(null);
  const [cardseal, setCardseal] = useState<Promise<Cardseal> | null>(null);
  const [token, setToken] = useState<Token>();
  const [problem, setProblem] = useState("");

  useEffect(() => {
    // A real shop has these in its settings, and calls loadCardseal() where it imports it.
    const settings = new URLSearchParams(location.search);
    setCardseal(
      loadCardseal({
        publicKey: settings.get("key") ?? "",
        vault: settings.get("vault") ?? "",
        mode: settings.get("mode") === "inline" ? "inline" : "hosted",
      }),
    );
  }, []);

  async function pay(event: FormEvent) {
    event.preventDefault();
    setToken(await card.current?.tokenize());
  }

  return (
    <form onSubmit={pay}>
      <CardFields
        ref={card}
        cardseal={cardseal}
        fields={fields}
        onError={(error) => setProblem(`${error.code}: ${error.message}`)}
      />
      <button id="pay">Pay</button>
      <p id="problem" role="alert">
        {problem}
      </p>
      {token && <output id="token">{token.id}</output>}
    </form>
  );
}
