//! What the form says, in the cardholder's language.

use crate::card::{Entry, Field, Reason};
use crate::plain::{FromPlain, Members, Plain, Wrong};

/// Every text that the form shows or has spoken. One file a language lies in `www/locales`.
#[derive(Clone, Debug, Default)]
pub struct Texts {
    title: String,
    interrupted: String,
    number: FieldTexts,
    number_unknown_brand: String,
    expiry: FieldTexts,
    expiry_past: String,
    security_code: FieldTexts,
    name: FieldTexts,
    name_is_card_number: String,
}

/// What every field has.
#[derive(Clone, Debug, Default)]
struct FieldTexts {
    label: String,
    placeholder: String,
    incomplete: String,
    invalid: String,
}

impl Texts {
    /// The label of the form as a whole.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// What to say of a field that lost the focus half way, and not by the person's doing.
    #[must_use]
    pub fn interrupted(&self) -> &str {
        &self.interrupted
    }

    /// The label of a field.
    #[must_use]
    pub fn label(&self, field: Field) -> &str {
        &self.of(field).label
    }

    /// What an empty field shows.
    #[must_use]
    pub fn placeholder(&self, field: Field) -> &str {
        &self.of(field).placeholder
    }

    /// What to say of an entry that will not do, and nothing of one that will.
    #[must_use]
    pub fn complaint(&self, field: Field, entry: &Entry<()>) -> &str {
        match (field, entry) {
            (_, Entry::Valid(())) => "",
            (Field::Number, Entry::Invalid(Reason::UnknownBrand)) => &self.number_unknown_brand,
            (Field::Expiry, Entry::Invalid(Reason::Past)) => &self.expiry_past,
            (Field::Holder, Entry::Invalid(Reason::IsCardNumber)) => &self.name_is_card_number,
            (_, Entry::Incomplete) => &self.of(field).incomplete,
            (_, Entry::Invalid(_)) => &self.of(field).invalid,
        }
    }

    fn of(&self, field: Field) -> &FieldTexts {
        match field {
            Field::Number => &self.number,
            Field::Expiry => &self.expiry,
            Field::SecurityCode => &self.security_code,
            Field::Holder => &self.name,
        }
    }
}

impl FromPlain for Texts {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.closed_object(|members| Self {
            title: members.required("title"),
            interrupted: members.required("interrupted"),
            number: FieldTexts::take(members, Field::Number),
            number_unknown_brand: members.required("number_unknown_brand"),
            expiry: FieldTexts::take(members, Field::Expiry),
            expiry_past: members.required("expiry_past"),
            security_code: FieldTexts::take(members, Field::SecurityCode),
            name: FieldTexts::take(members, Field::Holder),
            name_is_card_number: members.required("name_is_card_number"),
        })
    }
}

impl FieldTexts {
    /// Takes those of one field, such as `number_label`, out of the members of a language file.
    fn take(members: &mut Members, field: Field) -> Self {
        let mut text = |kind| members.required(&[field.id(), kind].concat());
        Self {
            label: text("_label"),
            placeholder: text("_placeholder"),
            incomplete: text("_incomplete"),
            invalid: text("_invalid"),
        }
    }
}
