//! Deleting what is kept for a time, a few rows at a time: others write meanwhile.

use sqlx::AssertSqlSafe;

use super::{Store, StoreError, seconds};
use crate::time::Timestamp;

/// Most rows that [`Store::delete_expired`] deletes. On SQLite, which has one writer, tokens wait for it for a few milliseconds.
pub const DELETED_AT_ONCE: u16 = 250;

/// What is kept for a time. The moment is the one at which its time is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// Security codes whose time ended by then.
    SecurityCodes(Timestamp),
    /// Counted numbers whose day ended by then.
    CountedNumbers(Timestamp),
    /// Requests' keys that came by then.
    IdempotencyKeys(Timestamp),
    /// Events from before then.
    Events(Timestamp),
    /// Seals for vendors' keys that nobody has seen since. What became of them stays.
    PassedSeals(Timestamp),
    /// Tokens that nobody used in their time.
    UnusedTokens {
        /// Their time ended by then.
        by: Timestamp,
        /// They were made before then.
        made_before: Timestamp,
    },
    /// Used tokens that were made before then.
    UsedTokens(Timestamp),
}

impl Expired {
    /// The table, its key, which of its rows have expired, and the moments that these are held against.
    const fn rows(self) -> (&'static str, &'static str, &'static str, (Timestamp, Option<Timestamp>)) {
        match self {
            Self::SecurityCodes(by) => (
                "security_codes",
                "merchant_id, token_id",
                "expires_at <= $1 ORDER BY expires_at",
                (by, None),
            ),
            Self::CountedNumbers(by) => {
                ("counted_numbers", "family, place", "expires_at <= $1 ORDER BY expires_at", (by, None))
            }
            Self::IdempotencyKeys(by) => {
                ("idempotency_keys", "merchant_id, key", "created_at <= $1 ORDER BY created_at", (by, None))
            }
            // By merchant, since the index is.
            Self::Events(before) => (
                "events",
                "merchant_id, seq",
                "merchant_id IN (SELECT merchant_id FROM event_heads) AND created_at < $1",
                (before, None),
            ),
            Self::PassedSeals(before) => (
                "passed_seals",
                "hash",
                "vendor_key IN (SELECT thumbprint FROM vendor_keys WHERE seen_at < $1)",
                (before, None),
            ),
            Self::UnusedTokens { by, made_before } => (
                "tokens",
                "merchant_id, id",
                "used_by IS NULL AND expires_at <= $1 AND created_at < $2 ORDER BY expires_at",
                (by, Some(made_before)),
            ),
            Self::UsedTokens(before) => (
                "tokens",
                "merchant_id, id",
                "used_by IS NOT NULL AND created_at < $1 ORDER BY created_at",
                (before, None),
            ),
        }
    }
}

impl Store {
    /// Deletes up to [`DELETED_AT_ONCE`] rows that have expired, and says how many: if as many, there may be more.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_expired(&self, expired: Expired) -> Result<u64, StoreError> {
        let (table, key, are_over, (first, second)) = expired.rows();
        let sql = format!(
            "DELETE FROM {table} WHERE ({key}) IN
                 (SELECT {key} FROM {table} WHERE {are_over} LIMIT {DELETED_AT_ONCE})"
        );
        let mut delete = sqlx::query(AssertSqlSafe(sql)).bind(seconds(first));
        if let Some(second) = second {
            delete = delete.bind(seconds(second));
        }
        let deleted = delete.execute(&self.writer).await?.rows_affected();
        match expired {
            Expired::SecurityCodes(_) => {
                if deleted > 0 {
                    self.forgot();
                }
                if let Some(checkpointer) = &self.checkpointer {
                    checkpointer.empty().await;
                }
            }
            Expired::PassedSeals(before) if deleted == 0 => self.forget_vendor_keys(before).await?,
            _ => {}
        }
        Ok(deleted)
    }

    /// Forgets the vendors' keys that nobody has seen since and that no seal is kept for.
    async fn forget_vendor_keys(&self, before: Timestamp) -> Result<(), StoreError> {
        let delete = sqlx::query(
            "DELETE FROM vendor_keys WHERE seen_at < $1
                 AND NOT EXISTS (SELECT 1 FROM passed_seals WHERE vendor_key = thumbprint)",
        );
        delete.bind(seconds(before)).execute(&self.writer).await?;
        Ok(())
    }
}
