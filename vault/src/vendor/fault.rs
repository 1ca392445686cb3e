//! What a vendor says instead of doing what it was asked for.

use axum::http::StatusCode;
use cardseal::client::Profile;
use serde::Deserialize;
use thiserror::Error;

use super::http::{Lost, Reply};
use crate::pci_token::CorrelationId;

/// Why a vendor did not do it, or may not have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failed {
    /// It does not take the card. The cardholder's fault: another card may do.
    #[error("the vendor does not take the card")]
    Card(Fault),
    /// It knows of no such thing.
    #[error("the vendor knows of no such thing")]
    Missing(Fault),
    /// It refused for another reason. The merchant's or the operator's to put right; asking again is of no use.
    #[error("the vendor refused")]
    Refused(Fault),
    /// It did nothing: it could not be reached, or says that it is busy. Asking again may help.
    #[error("the vendor cannot be asked now")]
    Unavailable(Fault),
    /// It may have done it or not. Nobody asks again by itself.
    #[error("it is not known what the vendor did")]
    Unknown(Fault),
}

/// What may be known outside of a vendor's refusal: nothing in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Whose it is.
    pub profile: Profile,
    /// The status it answered with, if it answered.
    pub status: Option<StatusCode>,
    /// Its own code, if it gave one.
    pub code: Option<FaultCode>,
    /// What the request was called. Of several, the last one.
    pub correlation_id: CorrelationId,
}

/// A vendor's own code: 1 to 64 capital letters, digits and underscores, with a letter in front, and four digits at most: none
/// has the form of a card number, or of a half of one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultCode(String);

impl FaultCode {
    /// Reads one; `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let allowed = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_uppercase());
        // No code is mostly digits, and a number behind a letter would be one nonetheless.
        let digits = text.bytes().filter(u8::is_ascii_digit).count();
        (begins && text.len() <= 64 && digits <= 4 && text.bytes().all(allowed)).then(|| Self(text.into()))
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Fault {
    /// What comes of a request without an answer.
    pub(super) fn lost(profile: Profile, lost: Lost, correlation_id: CorrelationId) -> Failed {
        let fault = Self { profile, status: None, code: None, correlation_id };
        match lost {
            Lost::NotSent => Failed::Unavailable(fault),
            Lost::Unknown => Failed::Unknown(fault),
        }
    }

    /// A reply that says that it was done, or what it says instead: by its status, as of these two APIs only that is
    /// documented. 429 and 503 are said before anything is done, other servers' errors may be said after it.
    pub(super) fn judge(
        profile: Profile,
        reply: Reply,
        correlation_id: CorrelationId,
    ) -> Result<Reply, Failed> {
        if reply.status.is_success() {
            return Ok(reply);
        }
        let status = reply.status;
        let fault = Self { profile, status: Some(status), code: code(&reply.body), correlation_id };
        Err(match status {
            StatusCode::UNPROCESSABLE_ENTITY => Failed::Card(fault),
            StatusCode::NOT_FOUND | StatusCode::GONE => Failed::Missing(fault),
            StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => Failed::Unavailable(fault),
            status if status.is_server_error() => Failed::Unknown(fault),
            _ => Failed::Refused(fault),
        })
    }

    /// What comes of an answer that says that it was done, and does not say what.
    pub(super) fn unreadable(profile: Profile, reply: &Reply, correlation_id: CorrelationId) -> Failed {
        Failed::Unknown(Self { profile, status: Some(reply.status), code: None, correlation_id })
    }
}

impl Failed {
    /// What the vendor said.
    #[must_use]
    pub const fn fault(&self) -> &Fault {
        let (Self::Card(fault)
        | Self::Missing(fault)
        | Self::Refused(fault)
        | Self::Unavailable(fault)
        | Self::Unknown(fault)) = self;
        fault
    }

    /// The same of a request that only asks: whether it was answered makes no difference.
    pub(super) fn of_a_question(self) -> Self {
        match self {
            Self::Unknown(fault) => Self::Unavailable(fault),
            other => other,
        }
    }
}

fn code(body: &[u8]) -> Option<FaultCode> {
    #[derive(Deserialize)]
    struct Body {
        code: String,
    }
    let Body { code } = serde_json::from_slice(body).ok()?;
    FaultCode::parse(&code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_words_and_no_numbers() {
        for text in ["INVALID_FIELD", "CARD_NOT_ENROLLED", "E4001"] {
            assert!(FaultCode::parse(text).is_some(), "{text}");
        }
        for text in [
            "",
            "4242424242424242",
            "E4242424242424242",
            "E4242_4242_4242",
            "E42424242",
            "invalid",
            "A B",
            &"A".repeat(65),
        ] {
            assert!(FaultCode::parse(text).is_none(), "{text}");
        }
    }
}
