use sqlx::Row;
use sqlx::any::AnyRow;

use super::transaction::Transaction;
use super::{Store, StoreError, seconds, text};
use crate::id::MerchantId;
use crate::idempotency::{KEPT_FOR, Request};
use crate::time::Timestamp;

/// What is known of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// Nothing, or nothing any more.
    Never,
    /// It made what has this id.
    Before(String),
    /// Another request had its key.
    Otherwise,
}

impl Store {
    /// What is known of a request.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn seen(
        &self,
        merchant: &MerchantId,
        request: &Request,
        now: Timestamp,
    ) -> Result<Seen, StoreError> {
        let row = sqlx::query(
            "SELECT request, object_id FROM idempotency_keys
             WHERE merchant_id = $1 AND key = $2 AND created_at > $3",
        )
        .bind(merchant.as_str())
        .bind(&request.key().as_bytes()[..])
        .bind(seconds(now.minus(KEPT_FOR)))
        .fetch_optional(&self.readers)
        .await?;
        row.map_or(Ok(Seen::Never), |row| read(&row, request))
    }

    /// Forgets the requests that were made too long ago, and says how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_old_idempotency_keys(&self, now: Timestamp) -> Result<u64, StoreError> {
        let delete = sqlx::query("DELETE FROM idempotency_keys WHERE created_at <= $1")
            .bind(seconds(now.minus(KEPT_FOR)));
        Ok(delete.execute(&self.writer).await?.rows_affected())
    }
}

/// Keeps what a request makes, unless it was made before: of any number at the same time, one makes it. The others wait
/// for its transaction to end.
pub(super) async fn keep(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    request: &Request,
    object: &str,
    now: Timestamp,
) -> Result<Seen, StoreError> {
    let kept = sqlx::query(
        "INSERT INTO idempotency_keys (merchant_id, key, request, object_id, created_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (merchant_id, key) DO UPDATE
             SET request = excluded.request, object_id = excluded.object_id, created_at = excluded.created_at
             WHERE idempotency_keys.created_at <= $6",
    )
    .bind(merchant.as_str())
    .bind(&request.key().as_bytes()[..])
    .bind(&request.content().as_bytes()[..])
    .bind(object)
    .bind(seconds(now))
    .bind(seconds(now.minus(KEPT_FOR)))
    .execute(&mut **transaction)
    .await?;
    if kept.rows_affected() > 0 {
        return Ok(Seen::Never);
    }
    let row =
        sqlx::query("SELECT request, object_id FROM idempotency_keys WHERE merchant_id = $1 AND key = $2")
            .bind(merchant.as_str())
            .bind(&request.key().as_bytes()[..])
            .fetch_one(&mut **transaction)
            .await?;
    read(&row, request)
}

fn read(row: &AnyRow, request: &Request) -> Result<Seen, StoreError> {
    let content: Vec<u8> = row.try_get("request")?;
    if content == request.content().as_bytes() {
        Ok(Seen::Before(text(row, "object_id")?))
    } else {
        Ok(Seen::Otherwise)
    }
}
