//! Why there is no token.

use thiserror::Error;

use crate::card::{Field, Reason};
use crate::seal::jwk::Unusable;

/// Why a card did not become a token. The variant says whose fault it is; [`Error::is_retryable`] whether to try again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// A field of the card stops short. The cardholder's to mend.
    #[error("the card's {field} is incomplete", field = .0.id())]
    Incomplete(Field),
    /// A field of the card cannot be right. The cardholder's to mend.
    #[error("the card's {field} is invalid: {1}", field = .0.id())]
    Invalid(Field, Reason),
    /// The vault understood and said no. Mostly the merchant's to mend: its words say what.
    #[error("{message}")]
    Refused {
        /// What it said no to.
        refusal: Refusal,
        /// The HTTP status.
        status: u16,
        /// The vault's own words.
        message: String,
    },
    /// The vault asked to slow down and went on asking (429). Nobody's fault; later it may do.
    #[error("the vault takes no more requests for now; try again later")]
    RateLimited,
    /// The vault is there and cannot serve (5xx). Its operator's fault; later it may do.
    #[error("the vault cannot answer for now (status {status}); try again later")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// No answer came at all. The network's fault, or an address or an origin that the vault was not told of.
    #[error(
        "the vault could not be reached: the network is down, its address is wrong, the page's Content-Security-Policy \
         does not name it, or the page's origin is not registered with it"
    )]
    Network,
    /// No answer came in time. The network's or the vault's fault; later it may do.
    #[error("the vault did not answer in time; try again later")]
    Timeout,
    /// Something answered that does not speak as a vault does. The merchant's (a wrong address) or the operator's fault.
    #[error("what answered at the vault's address (status {status}) is no vault")]
    BadAnswer {
        /// The HTTP status.
        status: u16,
    },
    /// The vault offers no key that a card may be sealed to. Its operator's fault.
    #[error("the vault has no key to seal to: {0}")]
    Key(Unusable),
    /// The browser gives no random bytes. Nobody's fault here; trying again may help.
    #[error("the browser's random source failed")]
    Random,
}

impl Error {
    /// Its code in JavaScript, one of a closed list.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Incomplete(_) => "incomplete_card",
            Self::Invalid(..) => "invalid_card",
            Self::Refused { refusal, .. } => refusal.code(),
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
            Self::RateLimited | Self::Unavailable { .. } | Self::Network | Self::Timeout | Self::Random
        )
    }

    /// The field to look at, when it is the card's fault.
    #[must_use]
    pub const fn field(&self) -> Option<Field> {
        match self {
            Self::Incomplete(field) | Self::Invalid(field, _) => Some(*field),
            _ => None,
        }
    }

    /// The HTTP status behind it, when there was an answer.
    #[must_use]
    pub const fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } | Self::Unavailable { status } | Self::BadAnswer { status } => {
                Some(*status)
            }
            Self::RateLimited => Some(429),
            _ => None,
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
    /// The card, as the vault sees it.
    InvalidCard,
    /// The seal does not open, or is another merchant's.
    InvalidSeal,
    /// The page's origin is not registered for this merchant.
    OriginNotAllowed,
    /// The vault does not hold, or no longer holds, the key that was sealed to.
    UnknownKid,
}

impl Refusal {
    /// The refusal that a code of the vault's means.
    #[must_use]
    pub fn from_code(code: &str) -> Self {
        match code {
            "authentication_failure" => Self::AuthenticationFailure,
            "expired_seal" => Self::ExpiredSeal,
            "invalid_card" => Self::InvalidCard,
            "invalid_seal" | "replayed_seal" | "wrong_merchant" => Self::InvalidSeal,
            "origin_not_allowed" => Self::OriginNotAllowed,
            "unknown_kid" => Self::UnknownKid,
            _ => Self::BadRequest,
        }
    }

    const fn code(self) -> &'static str {
        match self {
            Self::AuthenticationFailure => "authentication_failure",
            Self::BadRequest => "bad_request",
            Self::ExpiredSeal => "expired_seal",
            Self::InvalidCard => "invalid_card",
            Self::InvalidSeal => "invalid_seal",
            Self::OriginNotAllowed => "origin_not_allowed",
            Self::UnknownKid => "unknown_kid",
        }
    }
}
