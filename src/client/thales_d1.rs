//! Thales D1's token: what D1 finds in a seal.

use zeroize::Zeroizing;

use crate::card::Card;
use crate::plain::Json;
use crate::seal::Plaintext;

/// Number and expiry, under D1's names. It takes no security code and no name (Thales D1, "Data encryption").
#[must_use]
pub fn plaintext(card: &Card) -> Plaintext {
    // EXPOSE: the number is what the seal is for.
    let number = Json::Text(card.number.expose());
    Plaintext::new(&[("pan", Some(number)), ("exp", Some(Json::Text(&month_and_year(card))))])
}

/// The expiry as both of Thales's services take it: `MMYY`.
pub(super) fn month_and_year(card: &Card) -> Zeroizing<String> {
    let (month, year) = (card.expiry.month(), card.expiry.year() % 100);
    let digits = [u16::from(month) / 10, u16::from(month) % 10, year / 10, year % 10];
    Zeroizing::new(digits.into_iter().filter_map(|digit| char::from_digit(digit.into(), 10)).collect())
}
