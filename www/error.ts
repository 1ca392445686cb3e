import type { Profile } from "./card.js";

/**
 * Every reason for a failure.
 *
 * The cardholder's to mend: `incomplete_card`, `invalid_card` (see `field` and `reason`).
 *
 * Nobody's fault, try again: `network_error`, `timeout`, `rate_limited`, `vault_unavailable`,
 * `vendor_unavailable`, `random_failure`.
 *
 * The merchant's to mend: `authentication_failure`, `bad_request`, `busy`, `destroyed`, `frame_blocked`,
 * `invalid_options`, `invalid_public_key`, `invalid_target`, `invalid_vault_address`, `load_failed`, `no_document`,
 * `missing_billing`, `not_mounted`, `not_ready`, `origin_not_allowed`, `profile_not_allowed`, `unsupported_mode`,
 * `vendor_refused`.
 *
 * For a person to look into, and never to try again by program: `vendor_outcome_unknown`.
 *
 * The vault operator's to mend: `bad_answer`, `expired_seal`, `invalid_seal`, `unknown_kid`, `unusable_key`; and to look
 * into at once, as somebody may be in the vault's place: `untrusted_keys`.
 *
 * The browser is too old: `unsupported_browser`. A mistake in cardseal itself: `internal_error`.
 */
export type ErrorCode =
  | "authentication_failure"
  | "bad_answer"
  | "bad_request"
  | "busy"
  | "destroyed"
  | "expired_seal"
  | "frame_blocked"
  | "incomplete_card"
  | "internal_error"
  | "invalid_card"
  | "invalid_options"
  | "invalid_public_key"
  | "invalid_seal"
  | "invalid_target"
  | "invalid_vault_address"
  | "load_failed"
  | "missing_billing"
  | "network_error"
  | "no_document"
  | "not_mounted"
  | "not_ready"
  | "origin_not_allowed"
  | "profile_not_allowed"
  | "random_failure"
  | "rate_limited"
  | "timeout"
  | "unknown_kid"
  | "unsupported_browser"
  | "unsupported_mode"
  | "untrusted_keys"
  | "unusable_key"
  | "vault_unavailable"
  | "vendor_outcome_unknown"
  | "vendor_refused"
  | "vendor_unavailable";

/** A field of the form. */
export type FieldName = "number" | "expiry" | "security_code" | "name";

/** What can be wrong with a field. */
export type Reason =
  | "is_card_number"
  | "luhn"
  | "month_out_of_range"
  | "past"
  | "too_far_ahead"
  | "too_long"
  | "unexpected_character"
  | "unknown_brand";

/** The vendor that a failure is about: what its support asks for. */
export interface Vendor {
  /** Which vendor. */
  name: Profile;
  /** The HTTP status of its answer, if there was one. */
  status?: number | undefined;
  /** Its own code for what went wrong. */
  code?: string | undefined;
  /** Names the call in its log. */
  correlationId?: string | undefined;
}

/** What a failure is made from. @internal */
export interface Failure {
  code: ErrorCode;
  message: string;
  retryable?: boolean;
  field?: FieldName | undefined;
  reason?: Reason | undefined;
  status?: number | undefined;
  correlationId?: string | undefined;
  vendor?: Vendor | undefined;
}

/** Why something did not work. Nothing of the card is in it, so it may be logged. */
export class CardsealError extends Error {
  /** What went wrong, for a program. */
  declare readonly code: ErrorCode;
  /** Whether the same call may succeed later with nothing changed. */
  declare readonly retryable: boolean;
  /** The field to look at, for `incomplete_card` and `invalid_card`. */
  declare readonly field: FieldName | undefined;
  /** What is wrong with it, for `invalid_card`. */
  declare readonly reason: Reason | undefined;
  /** The HTTP status of the vault's answer, if there was one. */
  declare readonly status: number | undefined;
  /** Names the call in the vault's log. */
  declare readonly correlationId: string | undefined;
  /** The vendor that it is about, if it is about one. */
  declare readonly vendor: Vendor | undefined;

  /** @internal */
  constructor(failure: Failure) {
    super();
    Object.assign(this, { name: "CardsealError", retryable: false }, failure);
  }
}

/** The error for a failure that the page's own side of cardseal finds. @internal */
export function fail(code: ErrorCode, message: string, retryable = false): CardsealError {
  return new CardsealError({ code, message, retryable });
}

/** The error that was thrown; what is none of cardseal's is a mistake in it. @internal */
export function errorFrom(thrown: unknown): CardsealError {
  if (thrown instanceof Error && thrown.name === "CardsealError") return thrown as CardsealError;
  return fail("internal_error", "cardseal failed inside; load the page again");
}
