//! What the cardholder sees: fields for number, expiry, security code and name.
//!
//! [`mask`], [`locale`] and [`appearance`] are pure. The form itself needs a browser.

pub mod appearance;
pub mod locale;
pub mod mask;

#[cfg(target_arch = "wasm32")]
mod card_form;
#[cfg(target_arch = "wasm32")]
mod element;
#[cfg(target_arch = "wasm32")]
mod field;
#[cfg(target_arch = "wasm32")]
mod state;

#[cfg(target_arch = "wasm32")]
pub(crate) use card_form::{CardForm, Options};
