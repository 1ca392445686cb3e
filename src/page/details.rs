//! What may go with a card.

use serde::Deserialize;
use wasm_bindgen::prelude::*;

use super::read_unquoted;
use crate::card::{Entry, Field, Holder};
use crate::client::Error;
use crate::client::cardseal::Billing;
use crate::failure::Failure;

/// `{ name?, email?, phone_number?, billing? }`. An empty string is as good as nothing: inputs that were left alone have one.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Details {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    pub(super) phone_number: Option<String>,
    #[serde(default)]
    pub(super) billing: Address,
}

/// `billing`: `{ street1?, street2?, city?, state?, country?, postal_code? }`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Address {
    street1: Option<String>,
    street2: Option<String>,
    city: Option<String>,
    state: Option<String>,
    country: Option<String>,
    postal_code: Option<String>,
}

impl Details {
    /// Reads what was given to `tokenize()`.
    pub(crate) fn read(details: &JsValue) -> Result<Self, Failure> {
        if details.is_undefined() {
            return Ok(Self::default());
        }
        read_unquoted(details, "details are { name?, email?, phone_number?, billing? }, all strings")
    }

    /// The holder's name, where there is one.
    pub(crate) fn holder(&self) -> Result<Option<Holder>, Error> {
        match self.name.as_deref() {
            None | Some("") => Ok(None),
            Some(name) => accept(Field::Holder, Holder::parse(name)).map(Some),
        }
    }

    /// Address and contact.
    pub(crate) fn billing(self) -> Billing {
        let Self { email, phone_number, billing, name: _ } = self;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Billing {
            email: given(email),
            phone_number: given(phone_number),
            street1: given(billing.street1),
            street2: given(billing.street2),
            city: given(billing.city),
            state: given(billing.state),
            country: given(billing.country),
            postal_code: given(billing.postal_code),
        }
    }
}

/// The value, or what is wrong with the field.
pub(super) fn accept<T>(field: Field, entry: Entry<T>) -> Result<T, Error> {
    match entry {
        Entry::Valid(value) => Ok(value),
        Entry::Incomplete => Err(Error::Incomplete(field)),
        Entry::Invalid(reason) => Err(Error::Invalid(field, reason)),
    }
}
