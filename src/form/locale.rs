//! What the form says, in the cardholder's language.

use serde::Deserialize;

use crate::card::{Entry, Field, Reason};

/// Every text that the form shows or has spoken. One file a language lies in `www/locales`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the names are those of the language files, which show each text")]
pub struct Texts {
    pub title: String,
    pub number_label: String,
    pub number_placeholder: String,
    pub number_incomplete: String,
    pub number_invalid: String,
    pub number_unknown_brand: String,
    pub expiry_label: String,
    pub expiry_placeholder: String,
    pub expiry_incomplete: String,
    pub expiry_invalid: String,
    pub expiry_past: String,
    pub security_code_label: String,
    pub security_code_placeholder: String,
    pub security_code_incomplete: String,
    pub security_code_invalid: String,
    pub name_label: String,
    pub name_placeholder: String,
    pub name_incomplete: String,
    pub name_invalid: String,
    pub name_is_card_number: String,
}

impl Texts {
    /// The label of a field.
    #[must_use]
    pub fn label(&self, field: Field) -> &str {
        match field {
            Field::Number => &self.number_label,
            Field::Expiry => &self.expiry_label,
            Field::SecurityCode => &self.security_code_label,
            Field::Holder => &self.name_label,
        }
    }

    /// What a field shows while it is empty.
    #[must_use]
    pub fn placeholder(&self, field: Field) -> &str {
        match field {
            Field::Number => &self.number_placeholder,
            Field::Expiry => &self.expiry_placeholder,
            Field::SecurityCode => &self.security_code_placeholder,
            Field::Holder => &self.name_placeholder,
        }
    }

    /// What to say of an entry that will not do, and nothing of one that will.
    #[must_use]
    pub fn complaint(&self, field: Field, entry: &Entry<()>) -> &str {
        match (field, entry) {
            (_, Entry::Valid(())) => "",
            (Field::Number, Entry::Incomplete) => &self.number_incomplete,
            (Field::Number, Entry::Invalid(Reason::UnknownBrand)) => &self.number_unknown_brand,
            (Field::Number, Entry::Invalid(_)) => &self.number_invalid,
            (Field::Expiry, Entry::Incomplete) => &self.expiry_incomplete,
            (Field::Expiry, Entry::Invalid(Reason::Past)) => &self.expiry_past,
            (Field::Expiry, Entry::Invalid(_)) => &self.expiry_invalid,
            (Field::SecurityCode, Entry::Incomplete) => &self.security_code_incomplete,
            (Field::SecurityCode, Entry::Invalid(_)) => &self.security_code_invalid,
            (Field::Holder, Entry::Incomplete) => &self.name_incomplete,
            (Field::Holder, Entry::Invalid(Reason::IsCardNumber)) => &self.name_is_card_number,
            (Field::Holder, Entry::Invalid(_)) => &self.name_invalid,
        }
    }
}
