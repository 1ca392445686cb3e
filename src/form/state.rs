//! What the page may know of the form: which fields are empty, valid or not, and the brand. Never a digit.

use serde::Serialize;

use crate::card::{Brand, Entry, Field};

/// The form as a `change` event tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct State {
    /// Every field is valid: the card can be tokenized.
    pub(super) complete: bool,
    /// Nothing has been entered anywhere.
    pub(super) empty: bool,
    /// The id of the brand that the number belongs to, as far as it is known.
    pub(super) brand: Option<&'static str>,
    /// Each field that the form has.
    pub(super) fields: Fields,
}

/// The fields by the names that JavaScript knows them under.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Fields {
    #[serde(skip_serializing_if = "Option::is_none")]
    number: Option<FieldState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expiry: Option<FieldState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    security_code: Option<FieldState>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<FieldState>,
}

/// One field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub(super) enum FieldState {
    /// Nothing was entered, and something must be.
    Empty,
    /// What was entered stops short.
    Incomplete,
    /// What was entered is right, or nothing need be.
    Valid,
    /// What was entered cannot be right.
    Invalid {
        /// Why, as `CardsealError.reason` names it.
        reason: &'static str,
    },
}

impl FieldState {
    pub(super) fn of(is_empty: bool, verdict: &Entry<()>) -> Self {
        match verdict {
            Entry::Incomplete if is_empty => Self::Empty,
            Entry::Incomplete => Self::Incomplete,
            Entry::Valid(()) => Self::Valid,
            Entry::Invalid(reason) => Self::Invalid { reason: reason.code() },
        }
    }
}

impl State {
    /// The state that these fields make together.
    pub(super) fn of(
        fields: impl Iterator<Item = (Field, FieldState)>,
        empty: bool,
        brand: Option<Brand>,
    ) -> Self {
        let mut state =
            Self { complete: true, empty, brand: brand.map(Brand::id), fields: Fields::default() };
        for (field, field_state) in fields {
            state.complete &= field_state == FieldState::Valid;
            let slot = match field {
                Field::Number => &mut state.fields.number,
                Field::Expiry => &mut state.fields.expiry,
                Field::SecurityCode => &mut state.fields.security_code,
                Field::Holder => &mut state.fields.name,
            };
            *slot = Some(field_state);
        }
        state
    }
}
