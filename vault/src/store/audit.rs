use sqlx::any::AnyRow;
use sqlx::{Any, Row as _, Transaction};

use super::{Store, StoreError, parsed, seconds, text, timestamp, unsigned};
use crate::audit::{self, Action, Actor, Entry, Row};
use crate::id::MerchantId;
use crate::keys::mac::MacKey;
use crate::token::Line;

/// The end of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Whose chain it is; none for the vault's own.
    pub merchant: Option<MerchantId>,
    /// How many rows it has.
    pub seq: u64,
    /// The MAC of the last.
    pub mac: Vec<u8>,
}

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
        let mut transaction = self.write().await?;
        append(&mut transaction, key, entry).await?;
        Ok(transaction.commit().await?)
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
            "SELECT merchant_id, seq, at, actor, action, subject, reason, key_version, mac FROM audit
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

/// Adds a row. Others that add to the same chain wait until the transaction ends.
pub(super) async fn append(
    transaction: &mut Transaction<'static, Any>,
    key: &MacKey,
    entry: &Entry,
) -> Result<(), StoreError> {
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
        "INSERT INTO audit (merchant_id, seq, at, actor, action, subject, reason, key_version, mac)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(merchant)
    .bind(i64::try_from(seq).map_err(|_| StoreError::Corrupt("seq"))?)
    .bind(seconds(entry.at))
    .bind(entry.actor.to_string())
    .bind(entry.action.as_str())
    .bind(entry.subject.as_str())
    .bind(entry.reason.as_ref().map(Line::as_str))
    .bind(i64::from(key.version()))
    .bind(&mac[..])
    .execute(&mut **transaction)
    .await?;
    sqlx::query("UPDATE audit_heads SET mac = $2 WHERE merchant_id = $1")
        .bind(merchant)
        .bind(&mac[..])
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<Row, StoreError> {
    let reason: Option<String> = row.try_get("reason")?;
    Ok(Row {
        seq: unsigned(row, "seq")?,
        entry: Entry {
            merchant: merchant(row)?,
            at: timestamp(row, "at")?,
            actor: parsed(row, "actor", Actor::parse)?,
            action: parsed(row, "action", Action::parse)?,
            subject: text(row, "subject")?,
            reason: reason.map(Line::kept),
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
