use crate::plain::{FromPlain, Plain, Wrong};

/// A field of a card, as errors and events name it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Field {
    /// The primary account number.
    Number,
    /// Month and year of expiry.
    Expiry,
    /// The security code (CVC, CVV, CID …).
    SecurityCode,
    /// The cardholder's name.
    Holder,
}

impl Field {
    /// Every field, in the order in which a form shows them.
    pub const ALL: &[Self] = &[Self::Number, Self::Expiry, Self::SecurityCode, Self::Holder];

    /// The name of the field in JavaScript and on the wire.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Expiry => "expiry",
            Self::SecurityCode => "security_code",
            Self::Holder => "name",
        }
    }
}

impl FromPlain for Field {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        let all = [Self::Number, Self::Expiry, Self::SecurityCode, Self::Holder];
        plain.choice(&all.map(|field| (field.id(), field)))
    }
}
