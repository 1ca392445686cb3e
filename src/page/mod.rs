//! What a page gives: options, details, cards from fields of its own.

mod details;
mod fields;
mod own_fields;

use wasm_bindgen::prelude::*;

pub(crate) use details::Details;
pub(crate) use fields::check_fields;
pub(crate) use own_fields::OwnFields;

use crate::client::Profile;
use crate::failure::Failure;
use crate::plain::{FromPlain, Plain, Wrong};

/// Reads a value; the failure says what is wrong with it.
pub(crate) fn read<T: FromPlain>(value: &JsValue) -> Result<T, Failure> {
    let plain = Plain::of(value).ok_or_else(|| Wrong::new("it cannot be read"));
    plain.and_then(|plain| T::from_plain(&plain)).map_err(|wrong| Failure::InvalidOptions(wrong.into_words()))
}

/// The same for what may hold a card: the shape that was expected is told, and nothing of what was there.
pub(crate) fn read_unquoted<T: FromPlain>(value: &JsValue, shape: &str) -> Result<T, Failure> {
    read(value).map_err(|_| Failure::InvalidOptions(shape.into()))
}

/// The profile of this name.
pub(crate) fn profile(name: &str) -> Result<Profile, Failure> {
    Profile::parse(name).ok_or_else(|| {
        let names = Profile::ALL.map(Profile::as_str).join(", ");
        Failure::InvalidOptions(["profile is one of ", &names].concat())
    })
}
