use sqlx::Row;
use sqlx::any::AnyRow;

use super::{Store, StoreError, parsed, seconds, timestamp, unsigned};
use crate::merchant::Mode;
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

/// What is kept of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// What it is for.
    pub purpose: Purpose,
    /// Which of the keys for this purpose.
    pub version: u32,
    /// The encrypted key; none once it is destroyed.
    pub wrapped: Option<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it is the one that is used, until a newer one is.
    pub active_from: Timestamp,
    /// When it was destroyed.
    pub destroyed_at: Option<Timestamp>,
    /// How many encryptions with it processes have reserved: never fewer than there were. Counted of data keys.
    pub encryptions: u64,
}

impl KeyRecord {
    /// The key under its key-encryption key, if it is not destroyed.
    #[must_use]
    pub fn wrapped_key(&self) -> Option<WrappedKey> {
        let wrapped = self.wrapped.clone()?;
        Some(WrappedKey { purpose: self.purpose, version: self.version, wrapped })
    }
}

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Who may do what.
    Access,
    /// The chain of the audit.
    Audit,
    /// Cards at rest.
    Data,
    /// Telling cards apart.
    Fingerprint,
    /// Opening what pages of merchants of a mode seal: a test key is in more hands than a live one.
    Sealing(Mode),
    /// Vouching for what pages seal to.
    Signing,
}

impl Purpose {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Access,
        Self::Audit,
        Self::Data,
        Self::Fingerprint,
        Self::Sealing(Mode::Live),
        Self::Sealing(Mode::Test),
        Self::Signing,
    ];

    /// Its name in the database and in what a wrapped key is bound to.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Audit => "audit",
            Self::Data => "data",
            Self::Fingerprint => "fingerprint",
            Self::Sealing(Mode::Live) => "sealing-live",
            Self::Sealing(Mode::Test) => "sealing-test",
            Self::Signing => "signing",
        }
    }

    /// The purpose of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

impl Store {
    /// Every key of the vault, by purpose and version.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn keys(&self) -> Result<Vec<KeyRecord>, StoreError> {
        let rows = sqlx::query(
            "SELECT purpose, version, wrapped, created_at, active_from, destroyed_at, encryptions
             FROM wrapped_keys
             ORDER BY purpose, version",
        )
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }

    /// Adds keys, all or none: none if one of them is there already, since another process was first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_keys(
        &self,
        keys: &[WrappedKey],
        now: Timestamp,
        active_from: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(None).await?;
        for key in keys {
            let added = sqlx::query(
                "INSERT INTO wrapped_keys (purpose, version, wrapped, created_at, active_from)
                 VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
            )
            .bind(key.purpose.as_str())
            .bind(i64::from(key.version))
            .bind(key.wrapped.as_slice())
            .bind(seconds(now))
            .bind(seconds(active_from))
            .execute(&mut *transaction)
            .await?;
            if added.rows_affected() == 0 {
                return Ok(());
            }
        }
        transaction.commit().await
    }

    /// Puts the same keys under another key-encryption key, all or none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn rewrap_keys(&self, keys: &[WrappedKey]) -> Result<(), StoreError> {
        let mut transaction = self.write(None).await?;
        for key in keys {
            sqlx::query(
                "UPDATE wrapped_keys SET wrapped = $3
                 WHERE purpose = $1 AND version = $2 AND wrapped IS NOT NULL",
            )
            .bind(key.purpose.as_str())
            .bind(i64::from(key.version))
            .bind(key.wrapped.as_slice())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// Keeps that a process will encrypt so many times more with a data key, and tells how many that makes of all processes.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn reserve_encryptions(&self, version: u32, more: u64) -> Result<u64, StoreError> {
        let row = sqlx::query(
            "UPDATE wrapped_keys SET encryptions = encryptions + $3 WHERE purpose = $1 AND version = $2
             RETURNING encryptions",
        )
        .bind(Purpose::Data.as_str())
        .bind(i64::from(version))
        .bind(i64::try_from(more).unwrap_or(i64::MAX))
        .fetch_one(&self.writer)
        .await?;
        unsigned(&row, "encryptions")
    }

    /// Destroys a key: nothing of it is left but that it was there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn destroy_key(
        &self,
        purpose: Purpose,
        version: u32,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE wrapped_keys SET wrapped = NULL, destroyed_at = $3
             WHERE purpose = $1 AND version = $2 AND destroyed_at IS NULL",
        )
        .bind(purpose.as_str())
        .bind(i64::from(version))
        .bind(seconds(now))
        .execute(&self.writer)
        .await?;
        Ok(())
    }
}

fn read(row: &AnyRow) -> Result<KeyRecord, StoreError> {
    let destroyed = row.try_get::<Option<i64>, _>("destroyed_at")?.is_some();
    Ok(KeyRecord {
        purpose: parsed(row, "purpose", Purpose::parse)?,
        version: unsigned(row, "version")?,
        wrapped: row.try_get("wrapped")?,
        created_at: timestamp(row, "created_at")?,
        active_from: timestamp(row, "active_from")?,
        encryptions: unsigned(row, "encryptions")?,
        destroyed_at: if destroyed { Some(timestamp(row, "destroyed_at")?) } else { None },
    })
}
