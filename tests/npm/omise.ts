// A page that was made for Omise.js, in TypeScript. It is compiled, never run.
import { Omise, OmiseCard, type OmiseCardConfig, type OmiseError, type OmiseToken } from "cardseal/omise";

export function token(): void {
  Omise.setVault("https://vault.example");
  const key: string = Omise.setPublicKey("pkey_test_1");
  const card = { name: "Somchai Prasert", number: "4242424242424242", expiration_month: 12, expiration_year: "2030" };
  Omise.createToken("card", { ...card, security_code: "123", city: "Bangkok", country: "TH" }, (statusCode, response) => {
    if (response.object === "error") console.log(statusCode, response.code, response.message, key);
    else console.log(response.id.toUpperCase(), response.card.last_digits, response.card.security_code_check);
  });
  Omise.createToken("card", card, (statusCode: number, response: OmiseToken | OmiseError) => console.log(statusCode, response));
  Omise.createSource("promptpay", { amount: 100, currency: "THB" }, (statusCode, response) => console.log(statusCode, response));
  // @ts-expect-error there is a card only
  Omise.createToken("tokenization", card, () => {});
  // @ts-expect-error a card has a name
  Omise.createToken("card", { number: "", expiration_month: 1, expiration_year: 2030 }, () => {});
}

export function popUp(): void {
  const config: OmiseCardConfig = OmiseCard.configure({ publicKey: "pkey_test_1", currency: "thb", frameLabel: "Tea House" });
  const { buttonId } = OmiseCard.configureButton("#pay", { ...config, amount: "12345", submitAuto: "no" });
  const buttons: Element[] = OmiseCard.attach();
  const isOpen: boolean = OmiseCard.open(
    {
      amount: 12345,
      onCreateTokenSuccess: (nonce) => console.log(nonce.startsWith("tokn_")),
      onFormClosed: () => console.log(buttonId, buttons, isOpen),
    },
    (popup) => popup.id,
  );
  OmiseCard.open({ onCreateTokenSuccess: (nonce: string, isSource: boolean) => console.log(nonce, isSource) });
  OmiseCard.open({
    customCardForm: true,
    element: document.querySelector("#card"),
    style: { fontSize: 16, input: { color: "black" } },
    onCreateTokenSuccess: ({ token, remember }: { token: string; remember: boolean }) => console.log(token, remember),
    onError: (message) => console.log(message.length),
  });
  OmiseCard.requestCardToken({ email: "somchai@example.com", billingAddress: { city: "Bangkok", country: "TH" } });
  OmiseCard.requestCardToken(null);
  OmiseCard.close(() => OmiseCard.destroy());
  // @ts-expect-error there is no such option
  OmiseCard.configure({ publickey: "pkey_test_1" });
  // @ts-expect-error it is yes or no
  OmiseCard.open({ submitAuto: true });
}
