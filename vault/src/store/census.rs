use super::{Store, StoreError, seconds, unsigned};
use crate::time::Timestamp;

/// How much a store keeps, of all merchants together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Census {
    /// Tokens that can be used.
    pub unused_tokens: u64,
    /// Tokens that were used.
    pub used_tokens: u64,
    /// Tokens that nobody used in their time, and that are still to be deleted.
    pub expired_tokens: u64,
    /// Customers' cards on file.
    pub cards: u64,
    /// PCI tokens that stand for a card.
    pub pci_tokens: u64,
    /// Charges whose outcome is not known yet.
    pub open_charges: u64,
}

impl Store {
    /// Counts what it keeps, which takes a while when that is much.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn census(&self, now: Timestamp) -> Result<Census, StoreError> {
        let row = sqlx::query(
            "SELECT
                (SELECT count(*) FROM tokens WHERE used_by IS NULL AND expires_at > $1) AS unused_tokens,
                (SELECT count(*) FROM tokens WHERE used_by IS NOT NULL) AS used_tokens,
                (SELECT count(*) FROM tokens WHERE used_by IS NULL AND expires_at <= $1) AS expired_tokens,
                (SELECT count(*) FROM cards) AS cards,
                (SELECT count(*) FROM pci_tokens WHERE status = 'ACTIVE') AS pci_tokens,
                (SELECT count(*) FROM charges WHERE status = 'pending') AS open_charges",
        )
        .bind(seconds(now))
        .fetch_one(&self.readers)
        .await?;
        Ok(Census {
            unused_tokens: unsigned(&row, "unused_tokens")?,
            used_tokens: unsigned(&row, "used_tokens")?,
            expired_tokens: unsigned(&row, "expired_tokens")?,
            cards: unsigned(&row, "cards")?,
            pci_tokens: unsigned(&row, "pci_tokens")?,
            open_charges: unsigned(&row, "open_charges")?,
        })
    }
}
