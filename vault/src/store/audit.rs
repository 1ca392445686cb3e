use sqlx::Row as _;
use sqlx::any::AnyRow;

use super::transaction::Transaction;
use super::{Store, StoreError, parsed, seconds, text, timestamp, unsigned};
use crate::audit::{self, Action, Actor, By, Entry, Head, Origination, Outcome, Row};
use crate::id::MerchantId;
use crate::keys::mac::MacKey;
use crate::time::Timestamp;
use crate::token::Line;

/// A change of who may do what: it stands in the audit if and only if it was made.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// Vouches for the rows that are changed.
    pub access: &'a MacKey,
    /// The key of the audit.
    pub audit: &'a MacKey,
    /// What is told, and when it is done.
    pub entry: &'a Entry,
}

impl Store {
    /// Adds to the audit what is told nowhere else.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit(&self, key: &MacKey, entry: &Entry) -> Result<(), StoreError> {
        let mut transaction = self.write(entry.merchant.as_ref()).await?;
        let written = append(&mut transaction, key, entry).await?;
        self.commit(transaction, written).await
    }

    /// Commits, and tells of what the audit ends with now, before anybody is answered.
    pub(super) async fn commit(
        &self,
        transaction: Transaction,
        written: impl Into<Option<Written>>,
    ) -> Result<(), StoreError> {
        transaction.commit().await?;
        if let Some(Written { head, at }) = written.into() {
            self.outlet.tell(&head, at).await;
        }
        Ok(())
    }

    /// Tells of the ends of chains that other processes have added to, commands among them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn tell_audit_heads(&self, now: Timestamp) -> Result<(), StoreError> {
        for head in self.audit_heads().await? {
            if !self.outlet.has_told(&head) {
                self.outlet.tell(&head, now).await;
            }
        }
        Ok(())
    }

    /// The ends of all chains.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit_heads(&self) -> Result<Vec<Head>, StoreError> {
        let rows = sqlx::query("SELECT merchant_id, seq, mac FROM audit_heads ORDER BY merchant_id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter()
            .map(|row| {
                let merchant = merchant(row)?;
                Ok(Head { merchant, seq: unsigned(row, "seq")?, mac: row.try_get("mac")? })
            })
            .collect()
    }

    /// Whose chains have rows, those without an end among them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audited(&self) -> Result<Vec<Option<MerchantId>>, StoreError> {
        let rows = sqlx::query("SELECT DISTINCT merchant_id FROM audit ORDER BY merchant_id")
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(merchant).collect()
    }

    /// Up to `limit` rows of a chain after the one with the number `after`, in their order.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn audit_rows(
        &self,
        merchant: Option<&MerchantId>,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let rows = sqlx::query(
            "SELECT merchant_id, seq, at, actor, origin, action, subject, reason, outcome, times, key_version, mac FROM audit
                 WHERE merchant_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
        )
        .bind(merchant.map_or("", MerchantId::as_str))
        .bind(i64::try_from(after).unwrap_or(i64::MAX))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }
}

/// A row of the audit that is written and not yet durable. To be given to [`Store::commit`].
#[derive(Debug)]
#[must_use]
pub(super) struct Written {
    head: Head,
    at: Timestamp,
}

/// Adds a row. Others that add to the same chain wait until the transaction ends.
pub(super) async fn append(
    transaction: &mut Transaction,
    key: &MacKey,
    entry: &Entry,
) -> Result<Written, StoreError> {
    let merchant = entry.merchant.as_ref().map_or("", MerchantId::as_str);
    let head = sqlx::query(
        "INSERT INTO audit_heads (merchant_id, seq, mac) VALUES ($1, 1, $2)
         ON CONFLICT (merchant_id) DO UPDATE SET seq = audit_heads.seq + 1 RETURNING seq, mac",
    )
    .bind(merchant)
    .bind(&[0_u8; 0][..])
    .fetch_one(&mut **transaction)
    .await?;
    let seq: u64 = unsigned(&head, "seq")?;
    let previous: Vec<u8> = head.try_get("mac")?;
    let mac = audit::mac(key, &previous, seq, entry);
    sqlx::query(
        "INSERT INTO audit
             (merchant_id, seq, at, actor, origin, action, subject, reason, outcome, times, key_version, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(merchant)
    .bind(i64::try_from(seq).map_err(|_| StoreError::Corrupt("seq"))?)
    .bind(seconds(entry.at))
    .bind(entry.by.actor.to_string())
    .bind(entry.by.from.to_string())
    .bind(entry.action.as_str())
    .bind(entry.subject.as_str())
    .bind(entry.reason.as_ref().map(Line::as_str))
    .bind(entry.outcome.as_str())
    .bind(i64::try_from(entry.times).unwrap_or(i64::MAX))
    .bind(i64::from(key.version()))
    .bind(&mac[..])
    .execute(&mut **transaction)
    .await?;
    sqlx::query("UPDATE audit_heads SET mac = $2 WHERE merchant_id = $1")
        .bind(merchant)
        .bind(&mac[..])
        .execute(&mut **transaction)
        .await?;
    Ok(Written { head: Head { merchant: entry.merchant.clone(), seq, mac: mac.into() }, at: entry.at })
}

fn read(row: &AnyRow) -> Result<Row, StoreError> {
    let reason: Option<String> = row.try_get("reason")?;
    Ok(Row {
        seq: unsigned(row, "seq")?,
        entry: Entry {
            merchant: merchant(row)?,
            at: timestamp(row, "at")?,
            by: By {
                actor: parsed(row, "actor", Actor::parse)?,
                from: parsed(row, "origin", Origination::parse)?,
            },
            action: parsed(row, "action", Action::parse)?,
            subject: text(row, "subject")?,
            reason: reason.map(Line::kept),
            outcome: parsed(row, "outcome", Outcome::parse)?,
            times: unsigned(row, "times")?,
        },
        key_version: unsigned(row, "key_version")?,
        mac: row.try_get("mac")?,
    })
}

fn merchant(row: &AnyRow) -> Result<Option<MerchantId>, StoreError> {
    let id = text(row, "merchant_id")?;
    if id.is_empty() {
        return Ok(None);
    }
    MerchantId::parse(&id).map(Some).ok_or(StoreError::Corrupt("merchant_id"))
}
