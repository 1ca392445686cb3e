import type { CardToken, OwnFieldsCard } from "../card.js";
import { errorFrom } from "../error.js";
import { type Answer, failure, join, type OmiseError, type OmiseToken, refusal, success } from "./answer.js";
import { call } from "./callback.js";
import { cardsealOf, setVault } from "./vault.js";

/** A card from the page's own fields, under Omise's names. What is not text is taken for what it is as text. */
export interface OmiseCardAttributes {
  name: string;
  number: string | number;
  /** `12`, `"12"`, `"01"` */
  expiration_month: string | number;
  /** `2030`, `"30"` */
  expiration_year: string | number;
  security_code?: string | number | undefined;
  street1?: string | null | undefined;
  street2?: string | null | undefined;
  city?: string | null | undefined;
  state?: string | null | undefined;
  /** ISO 3166-1 alpha-2, such as `TH`. */
  country?: string | null | undefined;
  postal_code?: string | number | null | undefined;
  phone_number?: string | number | null | undefined;
  email?: string | null | undefined;
}

/**
 * Called once with an HTTP status (200: there is a token; 0: the vault did not answer) and a token or an error.
 * `invalid_card` is the cardholder's to mend, and its message says what.
 */
export type OmiseHandler = (statusCode: number, response: OmiseToken | OmiseError) => void;

let key = "";

/** The key that was set. */
export function publicKey(): string {
  return key;
}

/** `Omise` of Omise.js. No function throws: what is wrong comes to the handler. */
export const Omise = {
  /** Says whose tokens are made. @returns the key */
  setPublicKey(publicKey: string): string {
    key = String(publicKey);
    return key;
  },

  /**
   * Says where the vault is. `omise.js` from a vault knows. With the thumbprint of the key that the vault signs its
   * sealing keys with, `createToken` seals to no others.
   */
  setVault,

  /**
   * Seals a card from the page's own fields and exchanges it for a token.
   * @param as `"card"`; there is nothing else
   */
  createToken(as: "card", attributes: OmiseCardAttributes, handler: OmiseHandler): void {
    void tokenize(as, attributes).then(({ status, response }) => call(handler, status, response));
  },

  /** Sources are for other ways to pay than by card, which there are none of: the handler gets an error. */
  createSource(_type: string, _options: unknown, handler: OmiseHandler): void {
    const message = "sources are not there: a vault takes cards only";
    const { status, response } = refusal(0, "create_source_error", message);
    queueMicrotask(() => call(handler, status, { ...response, error: message }));
  },
};

async function tokenize(as: string, attributes: OmiseCardAttributes): Promise<Answer> {
  if (as !== "card") return refusal(400, "bad_request", `"${as}" cannot be made a token of; "card" can`);
  try {
    const given = texts(attributes);
    const wrong = problems(given);
    if (wrong.length) return refusal(400, "invalid_card", join(wrong));
    const cardseal = await cardsealOf(key, "en");
    const token = await cardseal.createToken(ownFields(given));
    // Nothing else comes of the profile that it is loaded with.
    return success(token as CardToken, given);
  } catch (thrown) {
    return failure(errorFrom(thrown));
  }
}

/** Everything that was given, as text without spaces around it. */
function texts(attributes: object | null | undefined): Record<string, string> {
  const given = Object.entries(attributes ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value).trim()]));
}

/** What Omise finds missing in a card. The rest shows when the card is sealed. */
function problems({ name, number, expiration_month: month, expiration_year: year }: Record<string, string>): string[] {
  const problems = [];
  if (!name) problems.push("name can't be blank");
  if (!number) problems.push("number can't be blank", "brand not supported (unknown)");
  if (!month) problems.push("expiration month can't be blank");
  if (!/^(0?[1-9]|1[0-2])?$/.test(month ?? "")) problems.push("expiration month is not between 1 and 12");
  if (!year) problems.push("expiration year can't be blank");
  else if (!/^(\d\d|\d{4})$/.test(year)) problems.push("expiration year is invalid");
  return problems;
}

function ownFields(given: Record<string, string>): OwnFieldsCard {
  const { number = "", expiration_month = "", expiration_year = "", security_code, name, email, phone_number } = given;
  const { street1, street2, city, state, country, postal_code } = given;
  return {
    number,
    expiry: `${expiration_month.padStart(2, "0")}/${expiration_year}`,
    ...named({ security_code, name, email, phone_number }),
    billing: named({ street1, street2, city, state, country, postal_code }),
  };
}

/** The members that are there. */
function named<Name extends string>(members: Record<Name, string | undefined>): Partial<Record<Name, string>> {
  const there = Object.entries(members).filter(([, value]) => value !== undefined);
  return Object.fromEntries(there) as Partial<Record<Name, string>>;
}
