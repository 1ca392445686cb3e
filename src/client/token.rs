//! What a card became.

use super::{cardseal, relay};

/// A token. Which of the two it is, the profile says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// The vault's own, or Omise's, which has the same members.
    Card(cardseal::Token),
    /// That of a vendor behind the vault.
    Vendor(relay::VendorToken),
}
