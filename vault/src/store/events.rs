use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::transaction::Transaction;
use super::{Store, StoreError, ciphertext, parsed, seconds, text, timestamp, unsigned};
use crate::event::EventKey;
use crate::id::{EventId, MerchantId};
use crate::keys::data::Ciphertext;
use crate::list::{Order, Page, Window};
use crate::time::Timestamp;

/// The columns that are read of a row.
macro_rules! select {
    () => {
        "SELECT seq, id, key, data_key_version, details, created_at
         FROM events "
    };
}

/// An event to keep with what it tells.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub key: EventKey,
    /// The id of what it happened to.
    pub object: String,
    /// That object as it is then.
    pub details: Ciphertext,
    /// When.
    pub created_at: Timestamp,
}

/// Makes the event of a change, within its transaction, of what was changed; none if that cannot be read.
pub type Tell<'a, T> = &'a (dyn Fn(&T) -> Option<NewEvent> + Sync);

/// An event as it is kept.
#[derive(Clone, Debug)]
pub struct StoredEvent {
    /// Its place among the merchant's events, from 1.
    pub seq: u64,
    /// Its id.
    pub id: EventId,
    /// The name of what happened.
    pub key: String,
    /// The object as it was then.
    pub details: Ciphertext,
    /// When.
    pub created_at: Timestamp,
}

impl Store {
    /// A merchant's event.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn event(
        &self,
        merchant: &MerchantId,
        id: &EventId,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let query = sqlx::query(concat!(select!(), "WHERE merchant_id = $1 AND id = $2"))
            .bind(merchant.as_str())
            .bind(id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// A page of a merchant's events.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn events(
        &self,
        merchant: &MerchantId,
        window: Window,
    ) -> Result<Page<StoredEvent>, StoreError> {
        const WHERE: &str = "WHERE merchant_id = $1 AND created_at >= $2 AND created_at <= $3";
        let order = match window.order {
            Order::Chronological => "ASC",
            Order::ReverseChronological => "DESC",
        };
        let to = window.to.map_or(i64::MAX, seconds);
        let rows = sqlx::query(AssertSqlSafe(format!(
            concat!(select!(), "{} ORDER BY seq {} LIMIT $4 OFFSET $5"),
            WHERE, order
        )))
        .bind(merchant.as_str())
        .bind(seconds(window.from))
        .bind(to)
        .bind(i64::from(window.limit.items()))
        .bind(i64::from(window.offset))
        .fetch_all(&self.readers)
        .await?;
        let total = sqlx::query(AssertSqlSafe(format!("SELECT count(*) AS total FROM events {WHERE}")))
            .bind(merchant.as_str())
            .bind(seconds(window.from))
            .bind(to)
            .fetch_one(&self.readers)
            .await?;
        let items = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { window, items, total: unsigned(&total, "total")? })
    }

    /// The first of a merchant's events after the one with the number `seq`. What is not committed yet comes later in
    /// the order too, so none is ever left out.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn event_after(
        &self,
        merchant: &MerchantId,
        seq: u64,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let query =
            sqlx::query(concat!(select!(), "WHERE merchant_id = $1 AND seq > $2 ORDER BY seq LIMIT 1"))
                .bind(merchant.as_str())
                .bind(i64::try_from(seq).unwrap_or(i64::MAX));
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// The number of the last of a merchant's events that is no younger than `before`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn last_event_before(
        &self,
        merchant: &MerchantId,
        before: Timestamp,
    ) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "SELECT coalesce(max(seq), 0) AS seq FROM events WHERE merchant_id = $1 AND created_at <= $2",
        )
        .bind(merchant.as_str())
        .bind(seconds(before))
        .fetch_one(&self.readers)
        .await?;
        unsigned(&row, "seq")
    }
}

/// Adds an event to the merchant's. Others that add to them wait until the transaction ends, so this comes last in it.
pub(super) async fn append(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    event: &NewEvent,
) -> Result<(), StoreError> {
    let head = sqlx::query(
        "INSERT INTO event_heads (merchant_id, seq) VALUES ($1, 1)
         ON CONFLICT (merchant_id) DO UPDATE SET seq = event_heads.seq + 1 RETURNING seq",
    )
    .bind(merchant.as_str())
    .fetch_one(&mut **transaction)
    .await?;
    sqlx::query(
        "INSERT INTO events (merchant_id, seq, id, key, object_id, data_key_version, details, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(merchant.as_str())
    .bind(head.try_get::<i64, _>("seq")?)
    .bind(event.id.as_str())
    .bind(event.key.as_str())
    .bind(event.object.as_str())
    .bind(i64::from(event.details.key_version))
    .bind(event.details.bytes.as_slice())
    .bind(seconds(event.created_at))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The same for an event that is made of what was changed.
pub(super) async fn tell<T>(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    tell: Tell<'_, T>,
    of: &T,
) -> Result<(), StoreError> {
    append(transaction, merchant, &tell(of).ok_or(StoreError::Corrupt("details"))?).await
}

fn read(row: &AnyRow) -> Result<StoredEvent, StoreError> {
    Ok(StoredEvent {
        seq: unsigned(row, "seq")?,
        id: parsed(row, "id", EventId::parse)?,
        key: text(row, "key")?,
        details: ciphertext(row, "details")?,
        created_at: timestamp(row, "created_at")?,
    })
}
