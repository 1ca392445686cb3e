//! What a page gives: options, details, cards from fields of its own.

mod details;
mod own_fields;
mod value;

use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

pub(crate) use details::Details;
pub(crate) use own_fields::OwnFields;

use crate::failure::Failure;

/// Reads a value; the failure says what is wrong with it.
pub(crate) fn read<T: DeserializeOwned>(value: &JsValue) -> Result<T, Failure> {
    value::read(value).map_err(|error| Failure::InvalidOptions(error.to_string()))
}

/// The same for what may hold a card: the shape that was expected is told, and nothing of what was there.
pub(crate) fn read_unquoted<T: DeserializeOwned>(value: &JsValue, shape: &str) -> Result<T, Failure> {
    value::read(value).map_err(|_| Failure::InvalidOptions(shape.into()))
}
