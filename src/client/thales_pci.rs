//! Thales's PCI token: what its service finds in a seal.

use super::thales_d1::month_and_year;
use crate::card::Card;
use crate::plain::Json;
use crate::seal::Plaintext;

/// Number and expiry, under the names of Thales's token service. It takes no security code and no name (Thales, "Create a
/// PCI token").
#[must_use]
pub fn plaintext(card: &Card) -> Plaintext {
    // EXPOSE: the number is what the seal is for.
    let number = Json::Text(card.number.expose());
    Plaintext::new(&[("fpan", Some(number)), ("exp", Some(Json::Text(&month_and_year(card))))])
}
