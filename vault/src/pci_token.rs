//! PCI tokens, shaped like Thales's: a card's number and expiry, kept until they are asked for or deleted.

use aws_lc_rs::rand;
use cardseal::card::{Brand, Expiry, Number};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::id::PciTokenId;
use crate::text::name_holds_card_number;
use crate::time::Timestamp;

/// A PCI token, with what may be known of its card.
#[derive(Clone, Debug)]
pub struct PciToken {
    /// Its id, which Thales calls `tokenId`.
    pub id: PciTokenId,
    /// The last four digits of its card's number.
    pub last_digits: String,
    /// What became of it.
    pub state: State,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state changed last.
    pub updated_at: Timestamp,
}

/// The two states of a PCI token (Thales COF Client API).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It stands for a card.
    Active {
        /// Its card's brand.
        brand: Brand,
        /// Its card's expiry.
        expiry: MonthYear,
    },
    /// Its card is gone.
    Deleted,
}

/// An expiry as it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct MonthYear {
    /// 1 to 12.
    pub month: u8,
    /// Four digits.
    pub year: u16,
}

impl MonthYear {
    /// Reads it as Thales writes it: `MMYY`, of this century; `None` for any other text.
    #[must_use]
    pub fn from_mmyy(text: &str) -> Option<Self> {
        let is_digits = text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit());
        let (month, year) = is_digits.then(|| text.split_at(2))?;
        let (month, year) = (month.parse().ok()?, year.parse::<u16>().ok()?);
        (1..=12).contains(&month).then_some(Self { month, year: 2000 + year })
    }

    /// As Thales writes it: `MMYY`.
    #[must_use]
    pub fn mmyy(self) -> String {
        format!("{:02}{:02}", self.month, self.year % 100)
    }
}

impl From<&Expiry> for MonthYear {
    fn from(expiry: &Expiry) -> Self {
        Self { month: expiry.month(), year: expiry.year() }
    }
}

/// The card behind a PCI token, in the clear.
#[derive(Debug)]
pub struct Detokenized {
    /// Its number.
    pub number: Number,
    /// Its expiry.
    pub expiry: MonthYear,
}

/// What a caller calls a tokenization: `x-correlation-id`, 1 to 36 visible characters, unique for each (Thales ETP
/// Server API). Another request with it is the same one again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CorrelationId(String);

impl CorrelationId {
    /// Most characters of one: a UUID with hyphens.
    pub const MAX_CHARS: usize = 36;

    /// A new one: a random UUID (RFC 9562, version 4). D1 takes it as well, `^[A-Za-z0-9_-]{1,64}$`.
    #[must_use]
    #[expect(clippy::expect_used, reason = "AWS-LC ends the process rather than give no random bytes")]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        rand::fill(&mut bytes).expect("random bytes");
        (bytes[6], bytes[8]) = (bytes[6] & 0x0f | 0x40, bytes[8] & 0x3f | 0x80);
        let groups = [0..4, 4..6, 6..8, 8..10, 10..16]
            .map(|group| bytes[group].iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}")));
        Self(groups.join("-"))
    }

    /// Reads one.
    ///
    /// # Errors
    /// [`NotACorrelationId`]
    pub fn parse(text: &str) -> Result<Self, NotACorrelationId> {
        let allowed = |byte: u8| byte.is_ascii_graphic();
        let is_short = (1..=Self::MAX_CHARS).contains(&text.len());
        let fits = is_short && text.bytes().all(allowed) && !name_holds_card_number(text);
        if fits { Ok(Self(text.into())) } else { Err(NotACorrelationId) }
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Not a correlation id. The caller's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the header x-correlation-id has 1 to 36 visible characters and no card number, another for each request"
)]
pub struct NotACorrelationId;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn correlation_ids_have_up_to_36_characters() {
        assert!(CorrelationId::parse("6f1d3c1e-5b7a-4a9b-9f0e-2f6f6f0c9a11").is_ok());
        for text in ["", "6f1d3c1e-5b7a-4a9b-9f0e-2f6f6f0c9a111", "a b", "4242424242424242"] {
            assert_eq!(CorrelationId::parse(text), Err(NotACorrelationId), "{text:?}");
        }
    }

    #[test]
    fn an_expiry_is_written_month_first() {
        assert_eq!(MonthYear { month: 8, year: 2030 }.mmyy(), "0830");
    }
}
