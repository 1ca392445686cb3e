//! Which fields a card may have.

use crate::card::Field;
use crate::client::Profile;
use crate::failure::Failure;

/// Holds the fields of a form against what a card needs, and what the profile takes.
pub(crate) fn check_fields(fields: &[Field], profile: Profile) -> Result<(), Failure> {
    let times = |name| fields.iter().filter(|field| **field == name).count();
    let required = times(Field::Number) == 1 && times(Field::Expiry) == 1;
    if !required || times(Field::SecurityCode) > 1 || times(Field::Holder) > 1 {
        return Err(Failure::InvalidOptions("fields must name number and expiry, and none twice".into()));
    }
    fields.iter().try_for_each(|field| check_field(*field, profile))
}

/// A field that the vendor has no place for is the page's mistake: the cardholder must not be asked for it.
pub(super) fn check_field(field: Field, profile: Profile) -> Result<(), Failure> {
    if profile.takes(field) {
        return Ok(());
    }
    let message = ["under the profile ", profile.as_str(), " a card has no ", field.id()].concat();
    Err(Failure::InvalidOptions(message))
}
