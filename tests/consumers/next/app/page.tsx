import { CardsealError, loadCardseal, type FieldName } from "cardseal";
import { Checkout } from "./checkout";

const FIELDS: readonly FieldName[] = ["number", "expiry", "security_code", "name"];

/** Rendered on the server, which also finds out there whether the settings are right. */
export default async function Page() {
  try {
    await loadCardseal({ publicKey: "pkey_test_example", vault: "https://vault.example" });
  } catch (error) {
    if (error instanceof CardsealError) return <p>The checkout is not set up: {error.message}</p>;
    throw error;
  }
  return <Checkout fields={FIELDS} />;
}
