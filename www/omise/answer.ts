import type { CardToken } from "../card.js";
import type { CardsealError } from "../error.js";
import { location } from "./vault.js";

/** A token in Omise's shape (API version 2019-05-29). What only the merchant's server may know is null or empty. */
export interface OmiseToken {
  object: "token";
  /** `tokn_test_…` or `tokn_…` */
  id: string;
  livemode: boolean;
  location: string;
  used: boolean;
  charge_status: "unknown";
  card: OmiseCardObject;
  /** ISO 8601 */
  created_at: string;
}

/** A token's card. */
export interface OmiseCardObject extends Record<AddressName, string | null> {
  object: "card";
  id: null;
  livemode: boolean;
  location: null;
  deleted: false;
  financing: "";
  bank: "";
  /** Such as `Visa`. */
  brand: string;
  fingerprint: null;
  first_digits: null;
  last_digits: string;
  name: string | null;
  expiration_month: number;
  expiration_year: number;
  /** Whether the security code was given and not found to be wrong. */
  security_code_check: boolean;
  tokenization_method: null;
  created_at: string;
}

/** Why there is no token, in Omise's shape. */
export interface OmiseError {
  object: "error";
  /** `invalid_card`, `authentication_failure`, `rpc_error`, … */
  code: string;
  /** In words; for `invalid_card`, of the kind that Omise uses. */
  message: string;
  /** The message once more, from `createSource`. */
  error?: string;
}

/** What a handler is called with. */
export interface Answer<Response = OmiseToken | OmiseError> {
  /** An HTTP status, or 0 where there was no answer. */
  status: number;
  response: Response;
}

const ADDRESS = ["street1", "street2", "city", "state", "phone_number", "postal_code", "country"] as const;
type AddressName = (typeof ADDRESS)[number];

/** The answer with a token. */
export function success(token: CardToken, attributes: Readonly<Record<string, string>>): Answer<OmiseToken> {
  const address = Object.fromEntries(ADDRESS.map((name) => [name, attributes[name] || null]));
  const card = {
    object: "card",
    id: null,
    livemode: token.livemode,
    location: null,
    deleted: false,
    ...(address as Record<AddressName, string | null>),
    financing: "",
    bank: "",
    brand: token.card.brand,
    fingerprint: null,
    first_digits: null,
    last_digits: token.card.last_digits,
    // The vault does not tell it to pages; this one gave it.
    name: attributes["name"] || (token.card.name ?? null),
    expiration_month: token.card.expiration_month,
    expiration_year: token.card.expiration_year,
    security_code_check: token.card.security_code_check,
    tokenization_method: null,
    created_at: token.created_at,
  } satisfies OmiseCardObject;
  return {
    status: 200,
    response: {
      object: "token",
      id: token.id,
      livemode: token.livemode,
      location: location(`/tokens/${token.id}`),
      used: token.used,
      charge_status: "unknown",
      card,
      created_at: token.created_at,
    },
  };
}

/** The answer without one. */
export function failure(error: CardsealError): Answer<OmiseError> {
  const { code, status = 0, message } = error;
  switch (code) {
    case "incomplete_card":
    case "invalid_card":
      // The vault's own words are Omise's already.
      return refusal(400, "invalid_card", error.status ? message : problem(error));
    case "authentication_failure":
    case "invalid_public_key":
      return refusal(401, "authentication_failure", message);
    case "network_error":
    case "timeout":
    case "load_failed":
    case "invalid_vault_address":
      return refusal(0, "rpc_error", message);
    case "bad_request":
    case "invalid_options":
      return refusal(status || 400, "bad_request", message);
    default:
      return refusal(status, code, message);
  }
}

/** An answer that says no. */
export function refusal(status: number, code: string, message: string): Answer<OmiseError> {
  return { status, response: { object: "error", code, message } };
}

/** What is wrong with a card, in the words by which Omise's clients find the field. */
function problem({ field, reason, code }: CardsealError): string {
  switch (field) {
    case "number":
      if (reason === "unknown_brand") return "brand not supported (unknown)";
      return "number is invalid";
    case "expiry":
      if (reason === "past") return "expiration date cannot be in the past";
      if (reason === "month_out_of_range") return "expiration month is not between 1 and 12";
      if (reason === "too_far_ahead") return "expiration year is invalid";
      return "expiration date is invalid";
    case "security_code":
      return code === "incomplete_card" ? "security code can't be blank" : "security code is invalid";
    case "name":
      return code === "incomplete_card" ? "name can't be blank" : "name is invalid";
    default:
      return "card is invalid";
  }
}

/** `a`, `a and b`, `a, b, and c`, as Omise joins them. */
export function join(problems: readonly string[]): string {
  if (problems.length < 3) return problems.join(" and ");
  return `${problems.slice(0, -1).join(", ")}, and ${problems.at(-1)}`;
}
