/** `Omise` and `OmiseCard` for pages that were made for Omise.js, from a bundler; they have to be told the vault. */
export type { OmiseCardObject, OmiseError, OmiseToken } from "./answer.js";
export type { OmiseCardConfig, OmiseCardStyle } from "./config.js";
export { Omise, type OmiseCardAttributes, type OmiseHandler } from "./omise.js";
export { type ConfiguredButton, OmiseCard } from "./omise_card.js";
export type { CardPayload, RequestDetails } from "./secure_form.js";
