use sqlx::any::AnyRow;

use super::audit;
use super::{Store, StoreError, ciphertext, parsed, seconds, timestamp, unsigned};
use crate::audit::Entry;
use crate::id::{MerchantId, WebhookId};
use crate::keys::data::Ciphertext;
use crate::keys::mac::MacKey;
use crate::time::Timestamp;

/// A webhook as it is kept.
#[derive(Clone, Debug)]
pub struct StoredWebhook {
    /// Its id.
    pub id: WebhookId,
    /// Its address and its secret.
    pub details: Ciphertext,
    /// When it was made.
    pub created_at: Timestamp,
    /// The number of the last event that it has got.
    pub delivered_seq: u64,
    /// How often the next one was tried.
    pub attempts: u32,
    /// When the next one is tried. Whoever tries it moves this into the future first, so that nobody else does.
    pub next_at: Timestamp,
}

impl Store {
    /// Adds a webhook, which gets the events from now on. False if the merchant has `most` already.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_webhook(
        &self,
        merchant: &MerchantId,
        webhook: &StoredWebhook,
        most: u32,
        audit: (&MacKey, &Entry),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        // First, since its lock makes the count a true one.
        let written = audit::append(&mut transaction, audit.0, audit.1).await?;
        let added = sqlx::query(
            "INSERT INTO webhooks
                 (merchant_id, id, data_key_version, details, created_at, delivered_seq, attempts, next_at)
             SELECT $1, $2, $3, $4, $5,
                 coalesce((SELECT seq FROM event_heads WHERE merchant_id = $1), 0), 0, $5
             WHERE (SELECT count(*) FROM webhooks WHERE merchant_id = $1) < $6",
        )
        .bind(merchant.as_str())
        .bind(webhook.id.as_str())
        .bind(i64::from(webhook.details.key_version))
        .bind(webhook.details.bytes.as_slice())
        .bind(seconds(webhook.created_at))
        .bind(i64::from(most))
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        self.commit(transaction, written).await?;
        Ok(true)
    }

    /// A merchant's webhooks, oldest first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn webhooks(&self, merchant: &MerchantId) -> Result<Vec<StoredWebhook>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, data_key_version, details, created_at, delivered_seq, attempts, next_at FROM webhooks
             WHERE merchant_id = $1 ORDER BY created_at, id",
        )
        .bind(merchant.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Keeps other details of a webhook. False if it is no longer as it was read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn replace_webhook(
        &self,
        merchant: &MerchantId,
        before: &StoredWebhook,
        after: &Ciphertext,
        audit: (&MacKey, &Entry),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let replaced = sqlx::query(
            "UPDATE webhooks SET details = $4, data_key_version = $5
             WHERE merchant_id = $1 AND id = $2 AND details = $3",
        )
        .bind(merchant.as_str())
        .bind(before.id.as_str())
        .bind(before.details.bytes.as_slice())
        .bind(after.bytes.as_slice())
        .bind(i64::from(after.key_version))
        .execute(&mut *transaction)
        .await?;
        if replaced.rows_affected() == 0 {
            return Ok(false);
        }
        let written = audit::append(&mut transaction, audit.0, audit.1).await?;
        self.commit(transaction, written).await?;
        Ok(true)
    }

    /// Deletes a webhook. False if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_webhook(
        &self,
        merchant: &MerchantId,
        id: &WebhookId,
        audit: (&MacKey, &Entry),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let deleted = sqlx::query("DELETE FROM webhooks WHERE merchant_id = $1 AND id = $2")
            .bind(merchant.as_str())
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        let written = audit::append(&mut transaction, audit.0, audit.1).await?;
        self.commit(transaction, written).await?;
        Ok(true)
    }

    /// Up to `limit` webhooks that have events to get. Until `lease` they are the caller's: no other process gets them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn lease_webhooks(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u32,
    ) -> Result<Vec<(MerchantId, StoredWebhook)>, StoreError> {
        // Mostly there are none, and looking does not keep writers waiting.
        let due = sqlx::query(
            "SELECT 1 FROM webhooks JOIN event_heads ON event_heads.merchant_id = webhooks.merchant_id
             WHERE webhooks.next_at <= $1 AND event_heads.seq > webhooks.delivered_seq LIMIT 1",
        )
        .bind(seconds(now))
        .fetch_optional(&self.readers)
        .await?;
        if due.is_none() {
            return Ok(Vec::new());
        }
        // The second condition on the time is looked at again when another process had the row meanwhile.
        let rows = sqlx::query(
            "UPDATE webhooks SET next_at = $2
             WHERE next_at <= $1 AND (merchant_id, id) IN
                 (SELECT webhooks.merchant_id, webhooks.id FROM webhooks
                  JOIN event_heads ON event_heads.merchant_id = webhooks.merchant_id
                  WHERE webhooks.next_at <= $1 AND event_heads.seq > webhooks.delivered_seq
                  ORDER BY webhooks.next_at LIMIT $3)
             RETURNING merchant_id, id, data_key_version, details, created_at, delivered_seq, attempts, next_at",
        )
        .bind(seconds(now))
        .bind(seconds(lease))
        .bind(i64::from(limit))
        .fetch_all(&self.writer)
        .await?;
        rows.iter().map(|row| Ok((parsed(row, "merchant_id", MerchantId::parse)?, read(row)?))).collect()
    }

    /// Keeps how far a webhook has got, and until when it is the caller's. False if it is so no longer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn advance_webhook(
        &self,
        merchant: &MerchantId,
        before: &StoredWebhook,
        after: &StoredWebhook,
    ) -> Result<bool, StoreError> {
        let advanced = sqlx::query(
            "UPDATE webhooks SET delivered_seq = $5, attempts = $6, next_at = $7
             WHERE merchant_id = $1 AND id = $2 AND delivered_seq = $3 AND next_at = $4",
        )
        .bind(merchant.as_str())
        .bind(before.id.as_str())
        .bind(number(before.delivered_seq))
        .bind(seconds(before.next_at))
        .bind(number(after.delivered_seq))
        .bind(i64::from(after.attempts))
        .bind(seconds(after.next_at))
        .execute(&self.writer)
        .await?;
        Ok(advanced.rows_affected() == 1)
    }
}

fn read(row: &AnyRow) -> Result<StoredWebhook, StoreError> {
    Ok(StoredWebhook {
        id: parsed(row, "id", WebhookId::parse)?,
        details: ciphertext(row, "details")?,
        created_at: timestamp(row, "created_at")?,
        delivered_seq: unsigned(row, "delivered_seq")?,
        attempts: unsigned(row, "attempts")?,
        next_at: timestamp(row, "next_at")?,
    })
}

fn number(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}
