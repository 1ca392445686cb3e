//! What may go with a card.

use wasm_bindgen::prelude::*;

use super::read_unquoted;
use crate::card::{Entry, Field, Holder};
use crate::client::Error;
use crate::client::cardseal::Billing;
use crate::failure::Failure;
use crate::plain::{FromPlain, Members, Plain, Wrong};

/// `{ name?, email?, phone_number?, billing? }`. An empty string is as good as nothing: inputs that were left alone have one.
#[derive(Default)]
pub(crate) struct Details {
    name: Option<String>,
    billing: Billing,
}

impl Details {
    /// Reads what was given to `tokenize()`.
    pub(crate) fn read(details: &JsValue) -> Result<Self, Failure> {
        if details.is_undefined() {
            return Ok(Self::default());
        }
        read_unquoted(details, "details are { name?, email?, phone_number?, billing? }, all strings")
    }

    /// Takes its own out of the members of an object that may have more.
    pub(super) fn take(members: &mut Members) -> Self {
        let name = given(members, "name");
        let email = given(members, "email");
        let phone_number = given(members, "phone_number");
        let Address(address) = members.optional("billing").unwrap_or_default();
        Self { name, billing: Billing { email, phone_number, ..address } }
    }

    /// The holder's name, where there is one.
    pub(crate) fn holder(&self) -> Result<Option<Holder>, Error> {
        self.name.as_deref().map(|name| accept(Field::Holder, Holder::parse(name))).transpose()
    }

    /// Address and contact.
    pub(crate) fn billing(self) -> Billing {
        self.billing
    }
}

impl FromPlain for Details {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.closed_object(Self::take)
    }
}

/// `billing`: `{ street1?, street2?, city?, state?, country?, postal_code? }`.
#[derive(Default)]
struct Address(Billing);

impl FromPlain for Address {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.closed_object(|members| {
            Self(Billing {
                street1: given(members, "street1"),
                street2: given(members, "street2"),
                city: given(members, "city"),
                state: given(members, "state"),
                country: given(members, "country"),
                postal_code: given(members, "postal_code"),
                email: None,
                phone_number: None,
            })
        })
    }
}

fn given(members: &mut Members, name: &str) -> Option<String> {
    members.optional::<String>(name).filter(|text| !text.is_empty())
}

/// The value, or what is wrong with the field.
pub(super) fn accept<T>(field: Field, entry: Entry<T>) -> Result<T, Error> {
    match entry {
        Entry::Valid(value) => Ok(value),
        Entry::Incomplete => Err(Error::Incomplete(field)),
        Entry::Invalid(reason) => Err(Error::Invalid(field, reason)),
    }
}
