//! Payment Options: what it asks of a card, which becomes the vault's own token first.

use super::Error;
use super::cardseal::Billing;
use crate::card::{Card, Field, Reason};

/// Holds the card against what Payment Options takes (its OpenAPI document, `card` and `billing_address`), so that the
/// cardholder is told now and not when the merchant charges.
pub(super) fn check(card: &Card, billing: &Billing) -> Result<(), Error> {
    // EXPOSE: for its length.
    if card.number.expose().len() > MAX_DIGITS {
        return Err(Error::Invalid(Field::Number, Reason::TooLong));
    }
    let Billing { street1, city, country, postal_code, .. } = billing;
    let mut missing = Vec::new();
    for (name, given) in
        [("street1", street1), ("city", city), ("country", country), ("postal_code", postal_code)]
    {
        if given.as_deref().is_none_or(str::is_empty) {
            missing.push(name);
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(Error::MissingBilling(missing)) }
}

/// The most digits that it takes of a number.
const MAX_DIGITS: usize = 16;
