//! A card from fields that the page drew itself.

use wasm_bindgen::prelude::*;
use zeroize::Zeroizing;

use super::details::{Details, accept};
use super::fields::check_field;
use super::read_unquoted;
use crate::card::{Card, Expiry, Field, Number, SecurityCode, YearMonth};
use crate::client::Profile;
use crate::client::cardseal::Billing;
use crate::failure::Failure;
use crate::plain::{FromPlain, Plain, Wrong};

/// `{ number, expiry, security_code? }` and the [`Details`].
pub(crate) struct OwnFields {
    number: Zeroizing<String>,
    expiry: Zeroizing<String>,
    security_code: Option<Zeroizing<String>>,
    details: Details,
}

impl FromPlain for OwnFields {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.closed_object(|members| Self {
            number: members.required("number"),
            expiry: members.required("expiry"),
            security_code: members.optional("security_code"),
            details: Details::take(members),
        })
    }
}

impl OwnFields {
    /// Reads what was given to `createToken()` or `seal()`.
    pub(crate) fn read(card: &JsValue) -> Result<Self, Failure> {
        let shape = "a card is { number, expiry, security_code?, name?, email?, phone_number?, billing? }, all strings";
        read_unquoted(card, shape)
    }

    /// The card, and what goes with it.
    pub(crate) fn into_card(self, profile: Profile, today: YearMonth) -> Result<(Card, Billing), Failure> {
        let Self { number, expiry, security_code, details } = self;
        if security_code.is_some() {
            check_field(Field::SecurityCode, profile)?;
        }
        let number = accept(Field::Number, Number::parse_finished(&number))?;
        let expiry = accept(Field::Expiry, Expiry::parse(&expiry, today))?;
        // An empty code is a field that its cardholder missed, not one that the page does not have.
        let security_code = match security_code {
            Some(code) => {
                Some(accept(Field::SecurityCode, SecurityCode::parse(&code, Some(number.brand())))?)
            }
            None => None,
        };
        let holder = details.holder()?;
        Ok((Card { number, expiry, security_code, holder }, details.billing()))
    }
}
