//! The wire format of tokens of vendors that take sealed cards, from servers alone. The vault passes the seal on, and cannot
//! open it.

use crate::card::Card;
use crate::plain::{self, FromPlain, Json, Plain, Wrong};

/// The body of `POST /profiles/{profile}/tokens`.
pub(super) fn create_token(sealed: &str) -> String {
    let mut json = String::new();
    plain::write(&mut json, &[("encryptedData", Some(Json::Text(sealed)))]);
    json
}

/// The vault's answer. It says nothing of the card, of which the vault has seen nothing.
pub(super) struct Made {
    id: String,
    livemode: bool,
    state: String,
    created_at: String,
}

impl FromPlain for Made {
    fn from_plain(plain: &Plain) -> Result<Self, Wrong> {
        plain.object(|members| Self {
            id: members.required("id"),
            livemode: members.required("livemode"),
            state: members.required("state"),
            created_at: members.required("created_at"),
        })
    }
}

impl Made {
    /// The token, with the card that it was made of.
    pub(super) fn of(self, card: &Card) -> VendorToken {
        let Self { id, livemode, state, created_at } = self;
        VendorToken { id, livemode, state, card: VendorCard::of(card), created_at }
    }
}

/// A vendor's token, as the merchant's page and servers hold it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorToken {
    /// The vendor's `tokenId`.
    pub id: String,
    /// Whether it stands for a real card.
    pub livemode: bool,
    /// The token's state in the vendor's words, such as `ACTIVE`. Vendors may add others.
    pub state: String,
    /// What may be known of the card.
    pub card: VendorCard,
    /// When it was made, ISO 8601 in UTC.
    pub created_at: String,
}

/// What a page may know of such a card, from the form itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VendorCard {
    /// Brand as Omise writes it, such as `Visa`.
    pub brand: &'static str,
    /// The last four digits of the number.
    pub last_digits: String,
    /// Month of expiry, 1 to 12.
    pub expiration_month: u8,
    /// Year of expiry, four digits.
    pub expiration_year: u16,
}

impl VendorCard {
    fn of(card: &Card) -> Self {
        Self {
            brand: card.number.brand().name(),
            last_digits: card.number.last_digits().into(),
            expiration_month: card.expiry.month(),
            expiration_year: card.expiry.year(),
        }
    }
}
