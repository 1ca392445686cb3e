use sqlx::Row;

use super::{Store, StoreError, unsigned};
use crate::time::Timestamp;

/// A key of the vault under its key-encryption key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrappedKey {
    /// What it is for.
    pub purpose: Purpose,
    /// Which of the keys for this purpose.
    pub version: u32,
    /// The encrypted key.
    pub wrapped: Vec<u8>,
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Cards at rest.
    Data,
    /// Telling cards apart.
    Fingerprint,
    /// Opening seals.
    Sealing,
}

impl Purpose {
    /// Its name in the database and in what a wrapped key is bound to.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Fingerprint => "fingerprint",
            Self::Sealing => "sealing",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        [Self::Data, Self::Fingerprint, Self::Sealing].into_iter().find(|purpose| purpose.as_str() == name)
    }
}

impl Store {
    /// Every key of the vault.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn wrapped_keys(&self) -> Result<Vec<WrappedKey>, StoreError> {
        let rows = sqlx::query("SELECT purpose, version, wrapped FROM wrapped_keys")
            .fetch_all(&self.readers)
            .await?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            Ok(WrappedKey {
                purpose: Purpose::parse(row.try_get("purpose")?).ok_or(StoreError::Corrupt("key purpose"))?,
                version: unsigned(row.try_get("version")?, "key version")?,
                wrapped: row.try_get("wrapped")?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// Adds keys, all or none: none if the first of them is there already.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_wrapped_keys(&self, keys: &[WrappedKey], now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        for key in keys {
            let added = sqlx::query(
                "INSERT INTO wrapped_keys (purpose, version, wrapped, created_at) VALUES ($1, $2, $3, $4)
                 ON CONFLICT DO NOTHING",
            )
            .bind(key.purpose.as_str())
            .bind(key.version)
            .bind(&key.wrapped)
            .bind(now.unix_seconds() as i64)
            .execute(&mut *transaction)
            .await?;
            if added.rows_affected() == 0 {
                return Ok(());
            }
        }
        Ok(transaction.commit().await?)
    }
}
