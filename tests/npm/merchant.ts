// A merchant's pages in TypeScript: every member of every entry, and mistakes that the compiler has to find. It is
// compiled, never run.
import { createElement, createRef } from "react";
import { h, type ComponentPublicInstance } from "vue";
import {
  CardsealError,
  loadCardseal,
  type Appearance,
  type BillingAddress,
  type Card,
  type CardEvents,
  type CardListener,
  type CardOptions,
  type Cardseal,
  type CardState,
  type CardToken,
  type ErrorCode,
  type FieldName,
  type FieldState,
  type FontFamily,
  type LoadOptions,
  type Locale,
  type OwnFieldsCard,
  type Profile,
  type Reason,
  type TextName,
  type TextOverrides,
  type Token,
  type TokenizeDetails,
  type UpdateOptions,
  type Vendor,
  type VendorToken,
} from "cardseal";
import { CardsealCardElement, CardsealError as ElementError, type CardsealCardEventMap } from "cardseal/element";
import {
  Omise,
  OmiseCard,
  type CardPayload,
  type ConfiguredButton,
  type OmiseCardAttributes,
  type OmiseCardConfig,
  type OmiseCardObject,
  type OmiseCardStyle,
  type OmiseError,
  type OmiseHandler,
  type OmiseToken,
  type RequestDetails,
} from "cardseal/omise";
import { CardFields as ReactCardFields, type CardFieldsHandle, type CardFieldsProps } from "cardseal/react";
import { CardFields as VueCardFields } from "cardseal/vue";

const FIELDS: readonly FieldName[] = ["number", "expiry", "security_code", "name"];
const fontFamily: FontFamily = "noto-sans-jp";
const appearance: Appearance = {
  colorText: "#111",
  colorBackground: "#ffffff",
  colorBorder: "#c3cad5",
  colorAccent: "#2557d6",
  colorError: "#b3261eff",
  radius: 8,
  fontSize: 16,
  gap: 14,
  fontFamily,
};
const wording: TextName = "number_label";
const texts: TextOverrides = { [wording]: "Card", name_incomplete: "Who?" };
const billing: Required<BillingAddress> = {
  street1: "1-2-3 Shinjuku",
  street2: "2F",
  city: "Shinjuku-ku",
  state: "Tokyo",
  country: "JP",
  postal_code: "1600022",
};
const details: Required<TokenizeDetails> = {
  name: "Somchai Prasert",
  email: "somchai@example.com",
  phone_number: "0312345678",
  billing,
};

export async function pay(): Promise<Token | ErrorCode> {
  const locale: Locale = "ja";
  const options: LoadOptions = { publicKey: "pkey_test_1", vault: "https://vault.example", mode: "hosted", locale };
  const cardseal: Cardseal = await loadCardseal(options);
  const card: Card = cardseal.card({ fields: FIELDS, appearance, texts } satisfies CardOptions);
  card.mount("#card").mount(document.body);
  const stop: () => void = card.on("change", (state: CardState) => {
    const { complete, empty, brand, fields } = state;
    const number: FieldState | undefined = fields.number;
    const reason: Reason | undefined = number?.status === "invalid" ? number.reason : undefined;
    const name: "empty" | "incomplete" | "valid" | "invalid" | undefined = fields.name?.status;
    console.log(complete && !empty, brand?.toUpperCase(), reason, name, fields.expiry, fields.security_code);
  });
  stop();
  const onReady: CardListener<"ready"> = () => card.focus();
  card.on("ready", onReady);
  card.off("ready", onReady);
  card.on("focus", ({ field }) => field satisfies FieldName);
  card.on("blur", ({ field }) => field satisfies FieldName);
  card.on("submit", () => undefined);
  card.on("escape", () => undefined);
  card.on("error", (error: CardsealError) => report(error));
  card.focus("security_code");
  await card.update({ appearance, locale: "auto", texts: {}, disabled: true } satisfies Required<UpdateOptions>);
  if (!(await card.reportValidity())) return "incomplete_card";
  card.clear();
  card.unmount();
  card.destroy();

  const own: OwnFieldsCard = { number: "4242 4242 4242 4242", expiry: "12/30", security_code: "123", ...details };
  const jwe: string = await cardseal.seal(own);
  const token: Token = await cardseal.createToken(own);
  const { id, livemode, created_at, card: shown } = token;
  console.log(jwe, id, livemode, created_at, shown.brand, shown.last_digits);
  console.log(shown.expiration_month + shown.expiration_year, whose(token));
  try {
    return await card.tokenize(details);
  } catch (error) {
    if (error instanceof CardsealError) return report(error);
    throw error;
  }
}

/** The profile says which token it is, and the compiler then knows its members. */
function whose(token: Token): string | undefined {
  if (token.profile === "thales-pci" || token.profile === "thales-d1") {
    const { id, state }: VendorToken = token;
    // @ts-expect-error Thales does not tell
    token.used;
    // @ts-expect-error nor a name
    token.card.name;
    return state === "ACTIVE" ? id : state.toLowerCase();
  }
  const { profile, used, card }: CardToken = token;
  console.log(profile satisfies "cardseal" | "omise" | "payment-options", used, card.security_code_check);
  return card.name;
}

function report(error: CardsealError): ErrorCode {
  const { code, message, retryable, field, reason, status, correlationId } = error;
  console.log(message.length, retryable === true, field, reason, status?.toFixed(), correlationId?.length);
  const vendor: Vendor | undefined = error.vendor;
  console.log(vendor?.name satisfies Profile | undefined, vendor?.status, vendor?.code, vendor?.correlationId?.length);
  return code;
}

export async function loading(wasm: WebAssembly.Module | BufferSource | URL | string): Promise<void> {
  await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example" });
  await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example", mode: "inline", wasm });
  for (const profile of ["cardseal", "omise", "payment-options", "thales-d1", "thales-pci"] satisfies Profile[]) {
    await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example", profile });
  }
  // @ts-expect-error there is no such profile
  await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example", profile: "thales" });
  // @ts-expect-error a vault is needed
  await loadCardseal({ publicKey: "pkey_test_1" });
  // @ts-expect-error there is no such mode
  await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example", mode: "popup" });
  // @ts-expect-error nor such a language
  await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example", locale: "tlh" });
  // @ts-expect-error nor such an option
  await loadCardseal({ publicKey: "pkey_test_1", vault: "https://vault.example", secretKey: "skey_test_1" });
}

export function mistakes(cardseal: Cardseal, card: Card): void {
  // @ts-expect-error there is no such event
  card.on("keystroke", () => {});
  // @ts-expect-error there is no such field
  cardseal.card({ fields: ["pin"] });
  // @ts-expect-error a length is a number
  cardseal.card({ appearance: { radius: "8px" } });
  // @ts-expect-error a style sheet is no appearance
  cardseal.card({ appearance: { css: "input { color: red }" } });
  // @ts-expect-error a typeface comes with the system
  cardseal.card({ appearance: { fontFamily: "Comic Sans MS" } });
  // @ts-expect-error there is no such text
  cardseal.card({ texts: { pin_label: "PIN" } });
  // @ts-expect-error fields cannot be exchanged
  void card.update({ fields: ["number", "expiry"] });
  // @ts-expect-error there is no such detail
  void card.tokenize({ amount: 100 });
  // @ts-expect-error a postal code is no number: it may begin with 0
  void card.tokenize({ billing: { postal_code: 1600022 } });
  // @ts-expect-error an expiry is needed
  void cardseal.createToken({ number: "4242424242424242" });
  // @ts-expect-error numbers of cards are no numbers
  void cardseal.seal({ number: 4242424242424242, expiry: "12/30" });
  // @ts-expect-error what is told of a card has no number in it
  card.on("change", ({ number }) => number);
  // @ts-expect-error there is no such event to be told of
  type Nothing = CardEvents["keystroke"];
  // @ts-expect-error nor such a reason for a failure
  const code: ErrorCode = "too_bad";
  console.log(code satisfies unknown as Nothing);
}

export async function element(form: HTMLFormElement): Promise<Token | undefined> {
  const card: CardsealCardElement = document.createElement("cardseal-card");
  card.publicKey = "pkey_test_1";
  card.vault = "https://vault.example";
  card.mode = "inline";
  card.profile = "thales-pci";
  card.name = "card_token";
  card.locale = "auto";
  card.fields = ["number", "expiry"];
  card.appearance = appearance;
  card.texts = texts;
  card.optional = card.disabled = false;
  card.fields = card.appearance = card.texts = undefined;
  form.append(card);
  const inner: Card | undefined = card.card;
  const strings: string[] = [card.value, card.type, card.validationMessage, card.mode, card.locale, ...card.fields];
  const owner: HTMLFormElement | null = card.form;
  console.log(inner, strings, owner === form, card.labels.length, card.validity.valueMissing, card.willValidate);
  card.addEventListener("cardseal-ready", () => card.focus());
  card.addEventListener("cardseal-change", ({ detail }) => detail satisfies CardState);
  card.addEventListener("cardseal-focus", ({ detail }) => detail.field satisfies FieldName);
  card.addEventListener("cardseal-blur", ({ detail }) => detail.field satisfies FieldName);
  card.addEventListener("cardseal-submit", (event) => event.preventDefault());
  card.addEventListener("cardseal-escape", () => card.blur());
  card.addEventListener("cardseal-token", ({ detail }) => detail satisfies Token);
  form.addEventListener("cardseal-error", ({ detail }: CardsealCardEventMap["cardseal-error"]) => {
    if (detail instanceof ElementError) report(detail);
  });
  card.setCustomValidity("");
  // @ts-expect-error there is no such mode
  card.mode = "popup";
  // @ts-expect-error nor such a profile
  card.profile = "stripe";
  // @ts-expect-error there is no such field
  card.fields = ["pin"];
  // @ts-expect-error the value comes from the vault
  card.value = "tokn_test_1";
  // @ts-expect-error the form's submission does that by itself
  card.make();
  if (!card.checkValidity() || !card.reportValidity()) return undefined;
  card.clear();
  return card.tokenize(details);
}

export async function react(cardseal: Promise<Cardseal>): Promise<unknown> {
  const ref = createRef<CardFieldsHandle>();
  const props: CardFieldsProps = {
    cardseal,
    fields: FIELDS,
    appearance,
    texts,
    locale: "ja",
    disabled: false,
    id: "card",
    className: "card",
    style: { maxWidth: 480 },
    onReady: () => ref.current?.focus("number"),
    onChange: ({ complete }) => complete satisfies boolean,
    onFocus: ({ field }) => field satisfies FieldName,
    onBlur: ({ field }) => field satisfies FieldName,
    onSubmit: () => undefined,
    onEscape: () => undefined,
    onError: (error) => report(error),
  };
  ref.current?.clear();
  const isComplete: boolean | undefined = await ref.current?.reportValidity();
  const token: Token | undefined = await ref.current?.tokenize(details);
  // @ts-expect-error what loadCardseal() gives is needed
  const nothing = createElement(ReactCardFields, { ref });
  // @ts-expect-error there is no such property
  const wrong = createElement(ReactCardFields, { cardseal, publicKey: "pkey_test_1" });
  // @ts-expect-error there is no such field
  const pin = createElement(ReactCardFields, { cardseal, fields: ["pin"] });
  return [createElement(ReactCardFields, { ...props, ref }), nothing, wrong, pin, isComplete, token];
}

export async function vue(cardseal: Cardseal): Promise<unknown> {
  let card: InstanceType<typeof VueCardFields> | undefined;
  const node = h(VueCardFields, {
    ref: (instance) => (card = instance as ComponentPublicInstance as typeof card),
    cardseal,
    fields: FIELDS,
    appearance,
    texts,
    locale: "ja",
    disabled: false,
    onReady: () => card?.focus("number"),
    onChange: ({ complete }: CardState) => complete,
    onFocus: ({ field }: { field: FieldName }) => field,
    onBlur: ({ field }: { field: FieldName }) => field,
    onSubmit: () => undefined,
    onEscape: () => undefined,
    onError: (error: CardsealError) => report(error),
  });
  card?.clear();
  const isComplete: boolean | undefined = await card?.reportValidity();
  const token: Token | undefined = await card?.tokenize(details);
  // @ts-expect-error there is no such field
  const pin = h(VueCardFields, { cardseal, fields: ["pin"] });
  // @ts-expect-error what is told of a card is no token
  const wrong = h(VueCardFields, { cardseal, onChange: (given: Token) => given });
  return [node, pin, wrong, isComplete, token];
}

export function omise(place: Element): unknown {
  const key: string = Omise.setPublicKey("pkey_test_1");
  Omise.setVault("https://vault.example");
  const handler: OmiseHandler = (statusCode: number, response: OmiseToken | OmiseError) => {
    if (response.object === "error") return console.log(statusCode, response.code, response.message, response.error);
    const { id, livemode, location, used, charge_status, created_at } = response;
    const card: OmiseCardObject = response.card;
    console.log(id, livemode && used, location, charge_status, created_at, card.last_digits, card.security_code_check);
    console.log(card.brand, card.expiration_month + card.expiration_year, card.name, card.city, card.postal_code);
  };
  const attributes: Required<OmiseCardAttributes> = {
    name: "Somchai Prasert",
    number: "4242424242424242",
    expiration_month: 12,
    expiration_year: "2030",
    security_code: "123",
    phone_number: "0312345678",
    email: "somchai@example.com",
    ...billing,
  };
  Omise.createToken("card", attributes, handler);
  Omise.createSource("promptpay", { amount: 100, currency: "THB" }, handler);
  const style: OmiseCardStyle = { fontSize: 16, input: { height: 44, borderRadius: 8 } };
  const config: OmiseCardConfig = {
    publicKey: key,
    amount: 12345,
    currency: "THB",
    submitAuto: "no",
    customCardForm: true,
    element: place,
    style,
    onCreateTokenSuccess: (nonce: string, isSource: false) => console.log(nonce, isSource),
    onFormClosed: (popup: HTMLElement) => popup.remove(),
    onError: (message: string) => console.log(message),
  };
  OmiseCard.configure({ ...config, onCreateTokenSuccess: ({ token, remember }: CardPayload) => console.log(token, remember) });
  const button: ConfiguredButton = OmiseCard.configureButton("#pay", config);
  const attached: Element[] = OmiseCard.attach();
  const isOpen: boolean = OmiseCard.open(config, (popup) => popup.focus());
  OmiseCard.requestCardToken({ email: "somchai@example.com", billingAddress: billing } satisfies RequestDetails);
  const isClosed: boolean = OmiseCard.close((popup) => popup?.remove());
  OmiseCard.destroy();
  // @ts-expect-error a card is all that becomes a token
  Omise.createToken("bank_account", attributes, handler);
  // @ts-expect-error an expiry is needed
  Omise.createToken("card", { name: "Somchai Prasert", number: "4242424242424242" }, handler);
  // @ts-expect-error there is no such option
  OmiseCard.open({ secretKey: "skey_test_1" });
  return [button.buttonId, button.configuration, attached, isOpen, isClosed];
}
