use cardseal::client::Pkey;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::audit::{self, Change};
use super::merchants::{self, StoredMerchant};
use super::transaction::Transaction;
use super::{Store, StoreError, parsed, seconds, text, timestamp, unsigned};
use crate::access::{KeyKind, Scopes};
use crate::id::{KeyId, MerchantId, SecretKey};
use crate::keys::Sha256Digest;
use crate::keys::aad::Aad;
use crate::keys::mac::Mac;
use crate::merchant::Mode;
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
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
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
            expires_at: None,
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
            expires_at: None,
        }
    }
}

/// A key as it is kept. Not to be believed before its MAC is checked.
#[derive(Clone, Debug)]
pub struct KeyRow {
    /// Its hash.
    pub hash: Sha256Digest,
    /// Its id.
    pub id: KeyId,
    /// Whose it is.
    pub merchant: MerchantId,
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
    /// When it ends, if it does.
    pub expires_at: Option<Timestamp>,
    /// When it was used last, to the hour, as far as that is kept. Whoever writes the database can write this.
    pub last_used_at: Option<Timestamp>,
    /// The MAC of [`fields`](Self::fields).
    pub mac: Mac,
}

impl KeyRow {
    /// What its MAC covers: everything that is kept of it but its last use.
    #[must_use]
    pub fn fields(&self) -> Aad {
        fields(self.hash, &self.id, &self.merchant, self.kind, &self.hint, &self.scopes, self.created_at)
            .field(&moment(self.expires_at))
            .field(&moment(self.revoked_at))
    }

    /// Whether it has ended by itself.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| at <= now)
    }
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
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(merchant).await?;
        insert(&mut transaction, merchant, key, change).await?;
        let written = audit::append(&mut transaction, change.audit, change.entry).await?;
        self.commit(transaction, written).await
    }

    /// Revokes a key; `false` if it was not there or was revoked before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn revoke_api_key(&self, id: &KeyId, change: &Change<'_>) -> Result<bool, StoreError> {
        let mut transaction = self.write(None).await?;
        let revoked = sqlx::query(
            "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL
             RETURNING hash, id, merchant_id, kind, hint, scopes, created_at, revoked_at, expires_at, last_used_at,
             key_version, mac",
        )
        .bind(id.as_str())
        .bind(seconds(change.entry.at))
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = revoked else { return Ok(false) };
        let mac = change.access.mac(read(&row)?.fields());
        sqlx::query("UPDATE api_keys SET key_version = $2, mac = $3 WHERE id = $1")
            .bind(id.as_str())
            .bind(i64::from(mac.key_version))
            .bind(mac.bytes)
            .execute(&mut *transaction)
            .await?;
        let written = audit::append(&mut transaction, change.audit, change.entry).await?;
        self.commit(transaction, written).await?;
        Ok(true)
    }

    /// Keeps when a key was used.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn note_key_use(&self, id: &KeyId, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE api_keys SET last_used_at = $2 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
        )
        .bind(id.as_str())
        .bind(seconds(at))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// A key, revoked or not.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_key(&self, id: &KeyId) -> Result<Option<KeyRow>, StoreError> {
        let query = sqlx::query(
            "SELECT hash, id, merchant_id, kind, hint, scopes, created_at, revoked_at, expires_at, last_used_at,
             key_version, mac FROM api_keys
             WHERE id = $1",
        );
        query.bind(id.as_str()).fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// A merchant's keys, in the order they were added.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn api_keys(&self, merchant: &MerchantId) -> Result<Vec<KeyRow>, StoreError> {
        let rows = sqlx::query(
            "SELECT hash, id, merchant_id, kind, hint, scopes, created_at, revoked_at, expires_at, last_used_at,
             key_version, mac FROM api_keys
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
    pub async fn key_holder(
        &self,
        hash: Sha256Digest,
    ) -> Result<Option<(StoredMerchant, KeyRow)>, StoreError> {
        let rows = sqlx::query(merchants::select!(
            "k.hash, k.id, k.kind, k.hint, k.scopes, k.created_at, k.revoked_at, k.expires_at, k.last_used_at,
             k.key_version, k.mac," FROM
            "api_keys k JOIN merchants m ON m.id = k.merchant_id
             LEFT JOIN merchant_origins o ON o.merchant_id = m.id
             WHERE k.hash = $1 AND k.revoked_at IS NULL"
        ))
        .bind(&hash.as_bytes()[..])
        .fetch_all(&self.readers)
        .await?;
        let Some(merchant) = merchants::read(&rows)? else { return Ok(None) };
        Ok(rows.first().map(read).transpose()?.map(|key| (merchant, key)))
    }
}

pub(super) async fn insert(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    key: &NewKey,
    change: &Change<'_>,
) -> Result<(), StoreError> {
    let NewKey { id, hash, kind, hint, scopes, expires_at } = key;
    let now = change.entry.at;
    let mac = change
        .access
        .mac(fields(*hash, id, merchant, *kind, hint, scopes, now).field(&moment(*expires_at)).field(""));
    sqlx::query(
        "INSERT INTO api_keys (hash, id, merchant_id, kind, hint, scopes, created_at, key_version, mac, expires_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(&hash.as_bytes()[..])
    .bind(id.as_str())
    .bind(merchant.as_str())
    .bind(kind.as_str())
    .bind(hint.as_str())
    .bind(scopes.to_string())
    .bind(seconds(now))
    .bind(i64::from(mac.key_version))
    .bind(mac.bytes)
    .bind(expires_at.map(seconds))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// All but when it was revoked.
fn fields(
    hash: Sha256Digest,
    id: &KeyId,
    merchant: &MerchantId,
    kind: KeyKind,
    hint: &str,
    scopes: &Scopes,
    created_at: Timestamp,
) -> Aad {
    Aad::new("api key")
        .bytes(hash.as_bytes())
        .field(id.as_str())
        .field(merchant.as_str())
        .field(kind.as_str())
        .field(hint)
        .field(&scopes.to_string())
        .field(&created_at.unix_seconds().to_string())
}

/// Seconds since 1970; nothing for never.
fn moment(at: Option<Timestamp>) -> String {
    at.map_or(String::new(), |at| at.unix_seconds().to_string())
}

fn read(row: &AnyRow) -> Result<KeyRow, StoreError> {
    let moment = |column| match row.try_get::<Option<i64>, _>(column)? {
        Some(_) => timestamp(row, column).map(Some),
        None => Ok(None),
    };
    let hash = Sha256Digest::from_bytes(&row.try_get::<Vec<u8>, _>("hash")?);
    Ok(KeyRow {
        hash: hash.ok_or(StoreError::Corrupt("hash"))?,
        id: parsed(row, "id", KeyId::parse)?,
        merchant: parsed(row, "merchant_id", MerchantId::parse)?,
        kind: parsed(row, "kind", KeyKind::parse)?,
        hint: text(row, "hint")?,
        scopes: parsed(row, "scopes", Scopes::parse)?,
        created_at: timestamp(row, "created_at")?,
        revoked_at: moment("revoked_at")?,
        expires_at: moment("expires_at")?,
        last_used_at: moment("last_used_at")?,
        mac: Mac { key_version: unsigned(row, "key_version")?, bytes: row.try_get("mac")? },
    })
}
