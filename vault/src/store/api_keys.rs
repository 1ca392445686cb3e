use std::time::Instant;

use cardseal::client::Pkey;
use sqlx::any::AnyRow;
use sqlx::{Any, Row, Transaction};

use super::{Store, StoreError, parsed, seconds, text, timestamp};
use crate::access::{KeyKind, Scopes};
use crate::id::{KeyId, MerchantId, SecretKey};
use crate::keys::Sha256Digest;
use crate::merchant::{Merchant, Mode};
use crate::time::Timestamp;

/// A key to keep: its hash, and what tells it apart for people.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// Its id.
    pub id: KeyId,
    /// Its hash.
    pub hash: Sha256Digest,
    /// What it is.
    pub kind: KeyKind,
    /// A public key itself, or the last letters of a secret one.
    pub hint: String,
    /// What it may do.
    pub scopes: Scopes,
}

impl NewKey {
    /// A public key, for what such keys are for.
    #[must_use]
    pub fn public(mode: Mode, key: &Pkey) -> Self {
        Self {
            id: KeyId::random(mode),
            hash: Sha256Digest::of(key.as_str().as_bytes()),
            kind: KeyKind::Public,
            hint: key.as_str().into(),
            scopes: Scopes::of(KeyKind::Public),
        }
    }

    /// A secret key, for what such keys are for.
    #[must_use]
    pub fn secret(mode: Mode, key: &SecretKey) -> Self {
        Self {
            id: KeyId::random(mode),
            hash: key.hash(),
            kind: KeyKind::Secret,
            hint: key.hint(),
            scopes: Scopes::of(KeyKind::Secret),
        }
    }
}

/// What is known of a key.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// Its id.
    pub id: KeyId,
    /// What it is.
    pub kind: KeyKind,
    /// A public key itself, or the last letters of a secret one.
    pub hint: String,
    /// What it may do.
    pub scopes: Scopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

impl Store {
    /// Adds a merchant's key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_api_key(
        &self,
        merchant: &MerchantId,
        key: &NewKey,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        insert(&mut transaction, merchant, key, now).await?;
        Ok(transaction.commit().await?)
    }

    /// Revokes a key; `false` if it was not there or was revoked before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn revoke_api_key(&self, id: &KeyId, now: Timestamp) -> Result<bool, StoreError> {
        let revoked = sqlx::query("UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL")
            .bind(id.as_str())
            .bind(seconds(now))
            .execute(&self.writer)
            .await?;
        self.known.forget();
        Ok(revoked.rows_affected() == 1)
    }

    /// A merchant's keys, in the order they were added.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_keys(&self, merchant: &MerchantId) -> Result<Vec<KeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, kind, hint, scopes, created_at, revoked_at FROM api_keys
             WHERE merchant_id = $1 ORDER BY created_at, kind, id",
        )
        .bind(merchant.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Whose key has this hash, if it is not revoked.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn key_holder(&self, hash: Sha256Digest) -> Result<Option<(Merchant, KeyRow)>, StoreError> {
        let row = sqlx::query(
            "SELECT merchant_id, id, kind, hint, scopes, created_at, revoked_at FROM api_keys
             WHERE hash = $1 AND revoked_at IS NULL",
        )
        .bind(&hash.as_bytes()[..])
        .fetch_optional(&self.readers)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id = parsed(&row, "merchant_id", MerchantId::parse)?;
        Ok(Some((self.merchant(&id).await?, read(&row)?)))
    }

    /// The same as it is now, or was up to [`KNOWN_FOR`](super::KNOWN_FOR) ago.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn recent_key_holder(
        &self,
        hash: Sha256Digest,
    ) -> Result<Option<(Merchant, KeyRow)>, StoreError> {
        if let Some(holder) = self.known.holders.get(&hash) {
            return Ok(Some(holder));
        }
        let asked = Instant::now();
        let holder = self.key_holder(hash).await?;
        if let Some(holder) = &holder {
            self.known.holders.keep(hash, asked, holder.clone());
        }
        Ok(holder)
    }
}

pub(super) async fn insert(
    transaction: &mut Transaction<'static, Any>,
    merchant: &MerchantId,
    key: &NewKey,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO api_keys (hash, id, merchant_id, kind, hint, scopes, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(&key.hash.as_bytes()[..])
    .bind(key.id.as_str())
    .bind(merchant.as_str())
    .bind(key.kind.as_str())
    .bind(key.hint.as_str())
    .bind(key.scopes.to_string())
    .bind(seconds(now))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<KeyRow, StoreError> {
    let revoked = row.try_get::<Option<i64>, _>("revoked_at")?.is_some();
    Ok(KeyRow {
        id: parsed(row, "id", KeyId::parse)?,
        kind: parsed(row, "kind", KeyKind::parse)?,
        hint: text(row, "hint")?,
        scopes: parsed(row, "scopes", Scopes::parse)?,
        created_at: timestamp(row, "created_at")?,
        revoked_at: if revoked { Some(timestamp(row, "revoked_at")?) } else { None },
    })
}
