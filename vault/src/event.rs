//! What happened, for merchants' servers.

use serde_json::{Map, Value};

use crate::id::EventId;
use crate::time::Timestamp;

/// Something that happened to an object.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// The name of what happened. It need not be an [`EventKey`]'s: a newer version of the vault may have told it.
    pub key: String,
    /// When.
    pub created_at: Timestamp,
    /// The object as it was then, as the API showed it.
    pub data: Map<String, Value>,
}

/// What may happen, in Omise's words where it has any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKey {
    /// A customer's card was deleted.
    CardDestroy,
    /// A customer's card was changed.
    CardUpdate,
    /// What became of a charge is known.
    ChargeComplete,
    /// A charge was made; its outcome is not known yet.
    ChargeCreate,
    /// What was told of a charge was wrong: it was held for failed, and the money was taken.
    ChargeUpdate,
    /// A customer was made.
    CustomerCreate,
    /// A customer was deleted, with all cards.
    CustomerDestroy,
    /// A customer was changed.
    CustomerUpdate,
    /// A customer was changed, and got a card or the one it had anew.
    CustomerUpdateCard,
    /// A card became a vendor's token.
    VendorTokenCreate,
    /// A vendor's token was deleted.
    VendorTokenDestroy,
    /// A vendor's token or its card was changed.
    VendorTokenUpdate,
}

impl EventKey {
    /// Every key.
    pub(crate) const ALL: [Self; 12] = [
        Self::CardDestroy,
        Self::CardUpdate,
        Self::ChargeComplete,
        Self::ChargeCreate,
        Self::ChargeUpdate,
        Self::CustomerCreate,
        Self::CustomerDestroy,
        Self::CustomerUpdate,
        Self::CustomerUpdateCard,
        Self::VendorTokenCreate,
        Self::VendorTokenDestroy,
        Self::VendorTokenUpdate,
    ];

    /// Its name in Omise's API and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CardDestroy => "card.destroy",
            Self::CardUpdate => "card.update",
            Self::ChargeComplete => "charge.complete",
            Self::ChargeCreate => "charge.create",
            Self::ChargeUpdate => "charge.update",
            Self::CustomerCreate => "customer.create",
            Self::CustomerDestroy => "customer.destroy",
            Self::CustomerUpdate => "customer.update",
            Self::CustomerUpdateCard => "customer.update.card",
            Self::VendorTokenCreate => "vendor_token.create",
            Self::VendorTokenDestroy => "vendor_token.destroy",
            Self::VendorTokenUpdate => "vendor_token.update",
        }
    }
}
