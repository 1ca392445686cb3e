//! The codes of errors, and what each means to those who meet it.

use std::fmt;

use axum::http::StatusCode;

/// Makes the codes, so that none is missing in their list.
macro_rules! codes {
    ($($code:ident $text:literal $status:ident $fault:ident $advice:literal;)*) => {
        /// An error's code. Codes stay as they are; messages may change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(super) enum Code {
            $($code,)*
        }

        impl Code {
            /// Every code, sorted by its text.
            pub(super) const ALL: &[Self] = &[$(Self::$code,)*];

            /// Its text.
            pub(super) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$code => $text,)*
                }
            }

            /// The status it comes with.
            pub(super) const fn status(self) -> StatusCode {
                match self {
                    $(Self::$code => StatusCode::$status,)*
                }
            }

            /// Who can put it right.
            pub(super) const fn fault(self) -> Fault {
                match self {
                    $(Self::$code => Fault::$fault,)*
                }
            }

            /// What to do.
            pub(super) const fn advice(self) -> &'static str {
                match self {
                    $(Self::$code => $advice,)*
                }
            }
        }
    };
}

codes! {
    AcquirerNotConfigured "acquirer_not_configured" UNPROCESSABLE_ENTITY Operator
        "Nobody takes this merchant's live charges yet: its operator connects it with a vendor that does. The token was not \
         used, so it can be charged later.";
    AuthenticationFailure "authentication_failure" UNAUTHORIZED Caller
        "Send the key as user name of Basic authentication: pages the public key, servers the secret key.";
    BadRequest "bad_request" BAD_REQUEST Caller
        "The message names the parameter. Put it right: the same request is refused again.";
    BodyTooLarge "body_too_large" PAYLOAD_TOO_LARGE Caller
        "A body has at most 8 KiB. Send less.";
    ClearCardNotAllowed "clear_card_not_allowed" FORBIDDEN Caller
        "Seal the card. If the merchant may send clear ones, its operator adds it with --clear-card.";
    DeletedToken "deleted_token" GONE Caller
        "The card behind the token was deleted and cannot come back. Ask for the card again.";
    ExpiredSeal "expired_seal" BAD_REQUEST Nobody
        "A clock is off, or the seal was kept for too long. Seal again; the vault's time is in the Date header.";
    HeadTooLarge "head_too_large" REQUEST_HEADER_FIELDS_TOO_LARGE Caller
        "A request's head has at most 16 KiB and 64 headers. Send fewer, or shorter ones.";
    IdempotencyMismatch "idempotency_mismatch" UNPROCESSABLE_ENTITY Caller
        "Another request had this Idempotency-Key within a day. Use a new key for each thing that you ask for.";
    InternalError "internal_error" INTERNAL_SERVER_ERROR Vault
        "Try again. If it stays, the operator finds the cause in the log by the X-Request-Id header.";
    InvalidAmount "invalid_amount" BAD_REQUEST Caller
        "Send a whole number of the currency's smallest unit.";
    InvalidCard "invalid_card" BAD_REQUEST Cardholder
        "Ask for the card again: the message names what is wrong with it.";
    InvalidSeal "invalid_seal" BAD_REQUEST Caller
        "Seal the card to a key of /.well-known/jwks.json, with RSA-OAEP-256 and A256GCM.";
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED Caller
        "Use a method of the Allow header.";
    MissingCard "missing_card" BAD_REQUEST Caller
        "Name the token to charge as card, or a customer that has a card as customer.";
    NotFound "not_found" NOT_FOUND Caller
        "Check the address and the id. What belongs to another merchant is not found either.";
    NotPermitted "not_permitted" FORBIDDEN Caller
        "The key is known, but not for this. Use one that has the scope, or ask the operator for one.";
    OriginNotAllowed "origin_not_allowed" FORBIDDEN Operator
        "Register the page's origin with: cardseal-vault merchant origins";
    ProfileNotAllowed "profile_not_allowed" FORBIDDEN Operator
        "Connect the merchant with the vendor: cardseal-vault merchant connect. Or use another profile.";
    RepeatedRequest "repeated_request" CONFLICT Caller
        "Give each request an x-correlation-id of its own. The same one is for the same request again only.";
    ReplayedSeal "replayed_seal" BAD_REQUEST Caller
        "Seal the card again, each time with a jti of its own: a seal is good once, and for one merchant.";
    RequestTimeout "request_timeout" REQUEST_TIMEOUT Caller
        "Try again on a better connection: the body did not arrive in time.";
    ServiceUnavailable "service_unavailable" SERVICE_UNAVAILABLE Vault
        "Try again after the seconds in the Retry-After header.";
    TooManyRequests "too_many_requests" TOO_MANY_REQUESTS Caller
        "Try again after the seconds in the Retry-After header. The message says what there was too much of.";
    UnknownKid "unknown_kid" BAD_REQUEST Nobody
        "Keys are replaced. Fetch /.well-known/jwks.json and seal again.";
    UnsupportedMediaType "unsupported_media_type" UNSUPPORTED_MEDIA_TYPE Caller
        "Send JSON or a form in UTF-8, and say which as Content-Type.";
    UsedToken "used_token" BAD_REQUEST Caller
        "A token is used once. The message names the charge or the customer: look that up.";
    VendorOutcomeUnknown "vendor_outcome_unknown" FAILED_DEPENDENCY Vendor
        "The vendor may have done it or not, so nobody asks again by itself. The member vendor has what to ask it with.";
    VendorRefused "vendor_refused" FAILED_DEPENDENCY Operator
        "The vendor refused. The member vendor has its status and code; the merchant or the operator puts it right.";
    VendorUnavailable "vendor_unavailable" BAD_GATEWAY Vendor
        "Try again: the vendor cannot be reached or is busy, and has done nothing.";
    WrongMerchant "wrong_merchant" BAD_REQUEST Caller
        "Seal for the public key that the request is sent with.";
}

impl Code {
    /// Where it stands on the page of all errors: `used-token`.
    pub(super) fn anchor(self) -> String {
        self.as_str().replace('_', "-")
    }
}

/// Who can put an error right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Caller,
    Cardholder,
    Nobody,
    Operator,
    Vault,
    Vendor,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Caller => "the caller",
            Self::Cardholder => "the cardholder",
            Self::Nobody => "nobody",
            Self::Operator => "the vault's operator",
            Self::Vault => "the vault",
            Self::Vendor => "the vendor",
        })
    }
}
