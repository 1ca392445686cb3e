//! What stands for a card, once.

use std::fmt;

use cardseal::card::Brand;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::charge::ChargeStatus;
use crate::id::{CardId, ChargeId, CustomerId, TokenId};
use crate::keys::fingerprint::Fingerprint;
use crate::text::holds_card_number;
use crate::time::Timestamp;

/// A token, with what may be known of its card.
#[derive(Clone, Debug)]
pub struct Token {
    /// Its id.
    pub id: TokenId,
    /// When it was made.
    pub created_at: Timestamp,
    /// Its card.
    pub card: CardFacts,
    /// What became of it.
    pub usage: Usage,
}

/// What became of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Usage {
    /// It can still be charged.
    Unused,
    /// It has been charged, with this outcome.
    Charged(ChargeStatus),
    /// Its card is a customer's.
    OnFile,
}

/// What a token was used for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UsedBy {
    /// A charge.
    Charge(ChargeId),
    /// A customer's card on file.
    Customer(CustomerId),
}

impl UsedBy {
    /// The id of what it was used for.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Charge(id) => id.as_str(),
            Self::Customer(id) => id.as_str(),
        }
    }

    /// Reads the id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        ChargeId::parse(text).map(Self::Charge).or_else(|| CustomerId::parse(text).map(Self::Customer))
    }
}

impl fmt::Display for UsedBy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Charge(id) => write!(formatter, "charge {id}"),
            Self::Customer(id) => write!(formatter, "customer {id}"),
        }
    }
}

/// What may be known of a card: nothing that it could be charged with.
#[derive(Clone, Debug)]
pub struct CardFacts {
    /// Its id, which Omise's clients expect it to have.
    pub id: CardId,
    /// When its token was made.
    pub created_at: Timestamp,
    /// Its brand; the card's own if it is co-badged.
    pub brand: Brand,
    /// The last four digits of its number.
    pub last_digits: String,
    /// Tells it from the merchant's other cards.
    pub fingerprint: Fingerprint,
    /// Whether its security code was checked and is right.
    pub security_code_check: bool,
    /// Expiry, name and address.
    pub details: Details,
}

/// What a token shows of its card, and the store keeps encrypted.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Details {
    /// Month of expiry, 1 to 12.
    pub expiration_month: u8,
    /// Year of expiry, four digits.
    pub expiration_year: u16,
    /// The holder's name.
    pub name: Option<String>,
    /// Where the holder lives and can be reached.
    #[serde(flatten)]
    pub billing: Billing,
}

/// The optional address and contact of a cardholder, under the names of Omise's card parameters.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct Billing {
    /// City.
    pub city: Option<Line>,
    /// Country, ISO 3166-1 alpha-2.
    pub country: Option<Line>,
    /// E-mail address.
    pub email: Option<Line>,
    /// Telephone number.
    pub phone_number: Option<Line>,
    /// Postal code.
    pub postal_code: Option<Line>,
    /// State, province or prefecture.
    pub state: Option<Line>,
    /// First line of the street address.
    pub street1: Option<Line>,
    /// Second line of the street address.
    pub street2: Option<Line>,
}

/// One line of text beside a card or a charge: 1 to [`Line::MAX_CHARS`] characters, none of them a control character,
/// with no card number in it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub struct Line(String);

impl Line {
    /// Most characters of a line. Omise documents no limit; no address or description is longer.
    pub const MAX_CHARS: usize = 255;

    /// Reads a line.
    ///
    /// # Errors
    /// [`NotALine`]
    pub fn parse(text: &str) -> Result<Self, NotALine> {
        let line = Self::bounded(text)?;
        if holds_card_number(text) { Err(NotALine::HoldsCardNumber) } else { Ok(line) }
    }

    /// Reads a telephone number.
    ///
    /// One that begins with `+` is taken for what it says it is, up to the 15 digits that E.164 allows. Without it, one of
    /// up to 13 digits is: `4915112345678` has the form of a card number too, and the check digit fits every tenth such
    /// number, but no card is issued with 13 digits any more. From 14 on, Diners Club's and American Express's length,
    /// it is a card in the wrong field.
    ///
    /// # Errors
    /// [`NotALine`]
    pub fn parse_phone_number(text: &str) -> Result<Self, NotALine> {
        let digits = cardseal::card::digits::fold(text).len();
        let longest = if text.trim_start().starts_with(['+', '\u{FF0B}']) { 15 } else { 13 };
        if digits > longest { Self::parse(text) } else { Self::bounded(text) }
    }

    /// Reads a country.
    ///
    /// # Errors
    /// [`NotALine`]
    pub fn parse_country(text: &str) -> Result<Self, NotALine> {
        let is_code = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        if is_code { Ok(Self(text.into())) } else { Err(NotALine::NotACountry) }
    }

    /// A line out of the store, which took it under the rules of its day.
    pub(crate) const fn kept(text: String) -> Self {
        Self(text)
    }

    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn bounded(text: &str) -> Result<Self, NotALine> {
        if text.chars().count() > Self::MAX_CHARS {
            return Err(NotALine::TooLong);
        }
        if text.chars().any(char::is_control) {
            return Err(NotALine::ControlCharacter);
        }
        Ok(Self(text.into()))
    }
}

/// Why a text is refused beside a card or a charge. The sender's fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum NotALine {
    /// It has a line break or another control character.
    #[error("has a control character")]
    ControlCharacter,
    /// It has a card number in it, which would be stored where none belongs.
    #[error("contains a card number; card numbers go into the sealed card only")]
    HoldsCardNumber,
    /// It is no country code.
    #[error("is not a two-letter country code (ISO 3166-1)")]
    NotACountry,
    /// It is too long.
    #[error("is longer than 255 characters")]
    TooLong,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_no_card_number() {
        assert_eq!(Line::parse("c/o 4242 4242 4242 4242"), Err(NotALine::HoldsCardNumber));
        assert!(Line::parse("1448/4 Praditmanutham Road").is_ok());
        assert_eq!(Line::parse(&"x".repeat(256)), Err(NotALine::TooLong));
        assert_eq!(Line::parse("a\nb"), Err(NotALine::ControlCharacter));
    }

    #[test]
    fn telephone_numbers_may_look_like_short_card_numbers() {
        assert!(holds_card_number("4222222222222"));
        assert!(Line::parse_phone_number("4222222222222").is_ok());
        assert!(Line::parse_phone_number("+66 2 252 8777").is_ok());
        assert!(Line::parse_phone_number("+491511234567890").is_ok(), "fifteen digits, as E.164 allows");
    }

    #[test]
    fn a_card_number_is_no_telephone_number() {
        for card in [
            "4242 4242 4242 4242",
            "378282246310005",
            "3782 822463 10005",
            "36021042000004",
            "+4242424242424242",
        ] {
            assert_eq!(Line::parse_phone_number(card), Err(NotALine::HoldsCardNumber), "{card}");
        }
    }

    #[test]
    fn countries_are_two_letters() {
        assert!(Line::parse_country("th").is_ok());
        assert!(Line::parse_country("TH").is_ok());
        for text in ["Thailand", "t", "t1", "ไท"] {
            assert_eq!(Line::parse_country(text), Err(NotALine::NotACountry));
        }
    }
}
