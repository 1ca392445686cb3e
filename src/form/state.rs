//! What the page may know of the form: which fields are empty, valid or not, and the brand. Never a digit.

use wasm_bindgen::prelude::*;

use crate::card::{Brand, Entry, Field, Reason};
use crate::object::Object;

/// The form as a `change` event tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct State {
    /// Every field is valid: the card can be tokenized.
    pub(super) complete: bool,
    /// Nothing has been entered anywhere.
    pub(super) empty: bool,
    /// The id of the brand that the number belongs to, as far as it is known.
    pub(super) brand: Option<&'static str>,
    /// Each field that the form has, in its order.
    pub(super) fields: Vec<(Field, FieldState)>,
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldState {
    /// Nothing was entered, and something must be.
    Empty,
    /// What was entered stops short.
    Incomplete,
    /// What was entered is right, or nothing need be.
    Valid,
    /// What was entered cannot be right.
    Invalid(Reason),
}

impl FieldState {
    pub(super) fn of(is_empty: bool, verdict: &Entry<()>) -> Self {
        match verdict {
            Entry::Incomplete if is_empty => Self::Empty,
            Entry::Incomplete => Self::Incomplete,
            Entry::Valid(()) => Self::Valid,
            Entry::Invalid(reason) => Self::Invalid(*reason),
        }
    }

    fn to_js(self) -> JsValue {
        let status = match self {
            Self::Empty => "empty",
            Self::Incomplete => "incomplete",
            Self::Valid => "valid",
            Self::Invalid(_) => "invalid",
        };
        let object = Object::new();
        object.text("status", status);
        if let Self::Invalid(reason) = self {
            object.text("reason", reason.code());
        }
        object.into()
    }
}

impl State {
    /// The state that these fields make together.
    pub(super) fn of(fields: Vec<(Field, FieldState)>, empty: bool, brand: Option<Brand>) -> Self {
        let complete = fields.iter().all(|(_, state)| *state == FieldState::Valid);
        Self { complete, empty, brand: brand.map(Brand::id), fields }
    }

    /// The detail of a `change` event, each field by the name that JavaScript knows it under.
    pub(super) fn to_js(&self) -> JsValue {
        let fields = Object::new();
        for (field, state) in &self.fields {
            fields.set(field.id(), &state.to_js());
        }
        let object = Object::new();
        object.flag("complete", self.complete);
        object.flag("empty", self.empty);
        object.text("brand", self.brand);
        object.set("fields", &fields.into());
        object.into()
    }
}
