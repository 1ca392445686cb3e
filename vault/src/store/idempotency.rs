use sqlx::Row;
use sqlx::any::AnyRow;

use super::transaction::Transaction;
use super::{Store, StoreError, Trouble, seconds, text};
use crate::id::MerchantId;
use crate::idempotency::Request;
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
    pub async fn seen(&self, merchant: &MerchantId, request: &Request) -> Result<Seen, StoreError> {
        let row = sqlx::query(SEEN)
            .bind(merchant.as_str())
            .bind(&request.key().as_bytes()[..])
            .fetch_optional(&self.readers)
            .await?;
        row.map_or(Ok(Seen::Never), |row| read(&row, request))
    }
}

/// However old it is: a request is known until its key is deleted, and that is done by a clock that is trusted.
const SEEN: &str = "SELECT request, object_id FROM idempotency_keys WHERE merchant_id = $1 AND key = $2";

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
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (merchant_id, key) DO NOTHING",
    )
    .bind(merchant.as_str())
    .bind(&request.key().as_bytes()[..])
    .bind(&request.content().as_bytes()[..])
    .bind(object)
    .bind(seconds(now))
    .execute(&mut **transaction)
    .await?;
    if kept.rows_affected() > 0 {
        return Ok(Seen::Never);
    }
    let row = sqlx::query(SEEN)
        .bind(merchant.as_str())
        .bind(&request.key().as_bytes()[..])
        .fetch_optional(&mut **transaction)
        .await?;
    // It was deleted just now.
    read(&row.ok_or(StoreError::Unavailable(Trouble::Busy))?, request)
}

fn read(row: &AnyRow, request: &Request) -> Result<Seen, StoreError> {
    let content: Vec<u8> = row.try_get("request")?;
    if content == request.content().as_bytes() {
        Ok(Seen::Before(text(row, "object_id")?))
    } else {
        Ok(Seen::Otherwise)
    }
}
