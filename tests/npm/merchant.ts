// A merchant's page in TypeScript. It is compiled, never run.
import { CardsealError, loadCardseal, type ErrorCode, type Token } from "cardseal";

export async function pay(): Promise<Token | ErrorCode> {
  const cardseal = await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example", mode: "inline" });
  const card = cardseal.card({ fields: ["number", "expiry", "security_code", "name"] });
  card.mount("#card");
  card.on("change", ({ complete, brand, fields }) => {
    const number: "empty" | "incomplete" | "valid" | "invalid" | undefined = fields.number?.status;
    console.log(complete, brand?.toUpperCase(), number);
  });
  // @ts-expect-error there is no such event
  card.on("keystroke", () => {});
  // @ts-expect-error there is no such field
  cardseal.card({ fields: ["pin"] });
  try {
    return await card.tokenize({ email: "somchai@example.com", billing: { city: "Bangkok", country: "TH" } });
  } catch (error) {
    if (error instanceof CardsealError) return error.code;
    throw error;
  }
}
