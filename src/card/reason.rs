use std::fmt;

use thiserror::Error;

/// Why a text can never become a valid field. All of them are the cardholder's to correct; trying the same
/// text again gives the same answer.
#[derive(Clone, Copy, Debug, Eq, Error, Hash, PartialEq)]
pub enum Reason {
    /// A name that is a card number, or holds more digits than a name has: a card number must not end up where
    /// names are stored and logged, nor leave the form as parts of a name.
    IsCardNumber,
    /// The check digit does not fit (ISO/IEC 7812-1, Annex B): a digit was mistyped, or two were swapped.
    Luhn,
    /// The month is 00, or more than 12.
    MonthOutOfRange,
    /// The card's last month is over.
    Past,
    /// The expiry lies further ahead than any card is issued for; see
    /// [`Expiry::YEARS_AHEAD`](super::Expiry::YEARS_AHEAD).
    TooFarAhead,
    /// More digits or characters than the field can hold.
    TooLong,
    /// A character that has no place in the field: a letter in a number, a control character in a name.
    UnexpectedCharacter,
    /// No brand issues numbers that begin like this one.
    UnknownBrand,
}

impl Reason {
    /// What is wrong, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::IsCardNumber => "the name has as many digits as part of a card number",
            Self::Luhn => "the check digit of the card number does not fit",
            Self::MonthOutOfRange => "the month of expiry is not between 1 and 12",
            Self::Past => "the card has expired",
            Self::TooFarAhead => "the expiry lies too far ahead",
            Self::TooLong => "the entry is too long",
            Self::UnexpectedCharacter => "the entry has a character that does not belong there",
            Self::UnknownBrand => "no known brand has card numbers that begin like this",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.words())
    }
}

impl Reason {
    /// The reason's name in JavaScript and on the wire.
    pub const fn code(self) -> &'static str {
        match self {
            Self::IsCardNumber => "is_card_number",
            Self::Luhn => "luhn",
            Self::MonthOutOfRange => "month_out_of_range",
            Self::Past => "past",
            Self::TooFarAhead => "too_far_ahead",
            Self::TooLong => "too_long",
            Self::UnexpectedCharacter => "unexpected_character",
            Self::UnknownBrand => "unknown_brand",
        }
    }
}
