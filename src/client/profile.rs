//! Where a card ends up: which vendor's token it becomes.

use crate::card::Field;
use crate::plain::{FromPlain, Plain, Wrong};

/// What a form turns its card into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Profile {
    /// The vault's own token.
    #[default]
    Cardseal,
    /// Omise's token, from Omise itself: its vault takes cards from browsers.
    Omise,
    /// Payment Options' stored payment method: the vault's own token first, as a charge is what makes one there.
    PaymentOptions,
    /// Thales D1's token, through the vault, which cannot open the seal.
    ThalesD1,
    /// Thales's PCI token, through the vault, which cannot open the seal.
    ThalesPci,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 5] =
        [Self::Cardseal, Self::Omise, Self::PaymentOptions, Self::ThalesD1, Self::ThalesPci];

    /// Its name in options, attributes and addresses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cardseal => "cardseal",
            Self::Omise => "omise",
            Self::PaymentOptions => "payment-options",
            Self::ThalesD1 => "thales-d1",
            Self::ThalesPci => "thales-pci",
        }
    }

    /// The profile of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.as_str() == name)
    }

    /// Whether a card of this profile may have the field. Thales takes number and expiry, and nothing else.
    #[must_use]
    pub const fn takes(self, field: Field) -> bool {
        match self {
            Self::Cardseal | Self::Omise | Self::PaymentOptions => true,
            Self::ThalesD1 | Self::ThalesPci => matches!(field, Field::Number | Field::Expiry),
        }
    }

    /// Its path at a vault.
    #[cfg(feature = "seal")]
    pub(super) fn path(self) -> String {
        ["/profiles/", self.as_str()].concat()
    }
}

impl FromPlain for Profile {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        Self::parse(&String::from_plain(plain)?).ok_or_else(|| Wrong::new("expected a profile"))
    }
}
