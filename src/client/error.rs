//! Why there is no token.
//!
//! Words are put together here and nowhere formatted: that machinery would weigh a kilobyte in the wasm.

use std::fmt;

use thiserror::Error;

use super::{Lost, Vendor};
use crate::card::{Field, Reason};
use crate::plain::decimal;
#[cfg(feature = "seal")]
use crate::seal::SealError;
use crate::seal::jwk::Unusable;

/// Why a card did not become a token. The variant says whose fault it is; [`Error::is_retryable`] whether to try again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// A field of the card stops short. The cardholder's to mend.
    Incomplete(Field),
    /// A field of the card cannot be right. The cardholder's to mend.
    Invalid(Field, Reason),
    /// The vault, or Omise's, understood and said no. Mostly the merchant's to mend: its words say what.
    Refused {
        /// What it said no to.
        refusal: Refusal,
        /// The HTTP status.
        status: u16,
        /// Its own words.
        message: String,
        /// The vendor that it is about.
        vendor: Option<Vendor>,
    },
    /// Payment Options needs a billing address, and these members of it are missing. The merchant's to mend.
    MissingBilling(Vec<&'static str>),
    /// Omise takes cards without a seal. The merchant's to mend.
    NoSeal,
    /// The vendor cannot serve, and made nothing. Its fault, or that of what is between it and the vault; later it may do.
    VendorUnavailable {
        /// The HTTP status.
        status: u16,
        /// Which vendor.
        vendor: Vendor,
    },
    /// The vault asked to slow down and went on asking (429). Nobody's fault; later it may do.
    RateLimited,
    /// The vault is there and cannot serve (5xx). Its operator's fault; later it may do.
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// No answer came at all. The network's fault, or an address or an origin that the vault was not told of.
    Network,
    /// No answer came in time. The network's or the vault's fault; later it may do.
    Timeout,
    /// Something answered that does not speak as a vault does. The merchant's (a wrong address) or the operator's fault.
    BadAnswer {
        /// The HTTP status.
        status: u16,
    },
    /// The vault offers no key that a card may be sealed to. Its operator's fault.
    Key(Unusable),
    /// The browser gives no random bytes. Nobody's fault here; trying again may help.
    Random,
}

impl Error {
    /// What went wrong, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let detail;
        match self {
            Self::Incomplete(field) => ["the card's ", field.id(), " is incomplete", ""],
            Self::Invalid(field, reason) => ["the card's ", field.id(), " is invalid: ", reason.words()],
            Self::Refused { message, .. } => [message, "", "", ""],
            Self::MissingBilling(members) => {
                detail = members.join(", ");
                ["Payment Options needs of the billing address also: ", &detail, "", ""]
            }
            Self::NoSeal => {
                ["under the profile omise there is no seal: Omise takes cards as they are", "", "", ""]
            }
            Self::VendorUnavailable { .. } => ["the vendor cannot answer for now", LATER, "", ""],
            Self::RateLimited => ["the vault takes no more requests for now", LATER, "", ""],
            Self::Unavailable { status } => {
                detail = decimal((*status).into());
                ["the vault cannot answer for now (status ", &detail, ")", LATER]
            }
            Self::Network => [
                "the vault could not be reached: the network is down, its address is wrong, the page's \
                 Content-Security-Policy does not name it, or the page's origin is not registered with it",
                "",
                "",
                "",
            ],
            Self::Timeout => ["the vault did not answer in time", LATER, "", ""],
            Self::BadAnswer { status } => {
                detail = decimal((*status).into());
                ["what answered at the vault's address (status ", &detail, ") is no vault", ""]
            }
            Self::Key(unusable) => ["the vault has no key to seal to: ", unusable.words(), "", ""],
            Self::Random => ["the browser's random source failed", "", "", ""],
        }
        .concat()
    }

    /// Its code in JavaScript, one of a closed list.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Incomplete(_) => "incomplete_card",
            Self::Invalid(..) => "invalid_card",
            Self::Refused { refusal, .. } => refusal.code(),
            Self::MissingBilling(_) => "missing_billing",
            Self::NoSeal => "invalid_options",
            Self::VendorUnavailable { .. } => "vendor_unavailable",
            Self::RateLimited => "rate_limited",
            Self::Unavailable { .. } => "vault_unavailable",
            Self::Network => "network_error",
            Self::Timeout => "timeout",
            Self::BadAnswer { .. } => "bad_answer",
            Self::Key(_) => "unusable_key",
            Self::Random => "random_failure",
        }
    }

    /// Whether the same call may succeed later with nothing changed.
    #[must_use]
    pub const fn is_retryable(&self) -> bool {
        matches!(
            self,
            Self::RateLimited
                | Self::Unavailable { .. }
                | Self::VendorUnavailable { .. }
                | Self::Network
                | Self::Timeout
                | Self::Random
        )
    }

    /// The field to look at, when it is the card's fault.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Incomplete(field) | Self::Invalid(field, _) => Some(*field),
            Self::Refused { refusal: Refusal::InvalidCard(field), .. } => *field,
            _ => None,
        }
    }

    /// The HTTP status behind it, when there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. }
            | Self::Unavailable { status }
            | Self::VendorUnavailable { status, .. }
            | Self::BadAnswer { status } => Some(*status),
            Self::RateLimited => Some(429),
            _ => None,
        }
    }

    /// The vendor that it is about.
    #[must_use]
    pub const fn vendor(&self) -> Option<&Vendor> {
        match self {
            Self::Refused { vendor, .. } => vendor.as_ref(),
            Self::VendorUnavailable { vendor, .. } => Some(vendor),
            _ => None,
        }
    }
}

/// What ends the words of what may pass.
const LATER: &str = "; try again later";

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.words())
    }
}

impl From<Lost> for Error {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Network => Self::Network,
            Lost::Timeout => Self::Timeout,
        }
    }
}

#[cfg(feature = "seal")]
impl From<SealError> for Error {
    fn from(error: SealError) -> Self {
        match error {
            SealError::Random => Self::Random,
            SealError::Key => Self::Key(Unusable::Modulus),
        }
    }
}

/// What a vault says no to, by the code in its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The public key is missing, unknown or not a public key.
    AuthenticationFailure,
    /// Something about the request that has no code of its own.
    BadRequest,
    /// The seal's time is outside the vault's window, by the vault's clock.
    ExpiredSeal,
    /// The card, as the vault or the vendor sees it; a field of it, where that was said.
    InvalidCard(Option<Field>),
    /// The seal does not open, or is another merchant's.
    InvalidSeal,
    /// The page's origin is not registered for this merchant.
    OriginNotAllowed,
    /// The merchant has no account with this vendor. The merchant's, and the vault's operator's, to mend.
    ProfileNotAllowed,
    /// The vault does not hold, or no longer holds, the key that was sealed to.
    UnknownKid,
    /// The vendor said no, and to something else than the card. The merchant's or the operator's to mend.
    VendorRefused,
    /// Whether the vendor made a token is not known. For a person to find out; a program must not try again.
    VendorOutcomeUnknown,
}

impl Refusal {
    /// The refusal that a code of the vault's means.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "authentication_failure" => Self::AuthenticationFailure,
            "expired_seal" => Self::ExpiredSeal,
            "invalid_card" => Self::InvalidCard(None),
            "invalid_seal" | "replayed_seal" | "wrong_merchant" => Self::InvalidSeal,
            "origin_not_allowed" => Self::OriginNotAllowed,
            "profile_not_allowed" => Self::ProfileNotAllowed,
            "unknown_kid" => Self::UnknownKid,
            "vendor_refused" => Self::VendorRefused,
            "vendor_outcome_unknown" => Self::VendorOutcomeUnknown,
            _ => Self::BadRequest,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::AuthenticationFailure => "authentication_failure",
            Self::BadRequest => "bad_request",
            Self::ExpiredSeal => "expired_seal",
            Self::InvalidCard(_) => "invalid_card",
            Self::InvalidSeal => "invalid_seal",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::ProfileNotAllowed => "profile_not_allowed",
            Self::UnknownKid => "unknown_kid",
            Self::VendorRefused => "vendor_refused",
            Self::VendorOutcomeUnknown => "vendor_outcome_unknown",
        }
    }
}
