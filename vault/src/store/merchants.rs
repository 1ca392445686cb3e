use cardseal::client::Pkey;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, Transaction};

use super::{Store, StoreError};
use crate::id::MerchantId;
use crate::keys::Sha256Digest;
use crate::merchant::{ClearCards, Merchant, Mode, Name, Origin};
use crate::time::Timestamp;

impl Store {
    /// Adds a merchant. Of its secret key only the hash is kept.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_merchant(
        &self,
        merchant: &Merchant,
        secret_key_hash: Sha256Digest,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO merchants (id, name, mode, clear_cards, public_key, secret_key_hash, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(merchant.id.as_str())
        .bind(merchant.name.as_str())
        .bind(mode_name(merchant.mode))
        .bind(merchant.clear_cards == ClearCards::Allowed)
        .bind(merchant.public_key.as_str())
        .bind(&secret_key_hash.as_bytes()[..])
        .bind(now.unix_seconds() as i64)
        .execute(&mut *transaction)
        .await?;
        add_origins(&mut transaction, &merchant.id, &merchant.origins).await?;
        Ok(transaction.commit().await?)
    }

    /// Puts others in the place of a merchant's origins.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn replace_origins(&self, merchant: &MerchantId, origins: &[Origin]) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM merchant_origins WHERE merchant_id = $1")
            .bind(merchant.as_str())
            .execute(&mut *transaction)
            .await?;
        add_origins(&mut transaction, merchant, origins).await?;
        Ok(transaction.commit().await?)
    }

    /// Every merchant, in the order they were added.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchants(&self) -> Result<Vec<Merchant>, StoreError> {
        let rows =
            sqlx::query("SELECT * FROM merchants ORDER BY created_at, id").fetch_all(&self.readers).await?;
        let mut merchants = Vec::with_capacity(rows.len());
        for row in &rows {
            merchants.push(self.read(row).await?);
        }
        Ok(merchants)
    }

    /// The merchant with this public key.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchant_by_public_key(&self, key: &Pkey) -> Result<Option<Merchant>, StoreError> {
        let query = sqlx::query("SELECT * FROM merchants WHERE public_key = $1").bind(key.as_str());
        match query.fetch_optional(&self.readers).await? {
            Some(row) => self.read(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// The merchant whose secret key has this hash.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchant_by_secret_key(&self, hash: Sha256Digest) -> Result<Option<Merchant>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM merchants WHERE secret_key_hash = $1").bind(&hash.as_bytes()[..]);
        match query.fetch_optional(&self.readers).await? {
            Some(row) => self.read(&row).await.map(Some),
            None => Ok(None),
        }
    }

    /// Whether any merchant's pages are served from this origin.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn is_registered(&self, origin: &Origin) -> Result<bool, StoreError> {
        let query =
            sqlx::query("SELECT 1 FROM merchant_origins WHERE origin = $1 LIMIT 1").bind(origin.as_str());
        Ok(query.fetch_optional(&self.readers).await?.is_some())
    }

    async fn read(&self, row: &SqliteRow) -> Result<Merchant, StoreError> {
        let id = MerchantId::parse(row.try_get("id")?).ok_or(StoreError::Corrupt("merchant id"))?;
        let mode = match row.try_get("mode")? {
            "test" => Mode::Test,
            "live" => Mode::Live,
            _ => return Err(StoreError::Corrupt("mode")),
        };
        let origins: Vec<String> =
            sqlx::query_scalar("SELECT origin FROM merchant_origins WHERE merchant_id = $1 ORDER BY origin")
                .bind(id.as_str())
                .fetch_all(&self.readers)
                .await?;
        let origins = origins.iter().map(|origin| Origin::parse(origin)).collect::<Result<_, _>>();
        Ok(Merchant {
            name: Name::parse(row.try_get("name")?).map_err(|_| StoreError::Corrupt("merchant name"))?,
            mode,
            public_key: Pkey::parse(row.try_get("public_key")?)
                .map_err(|_| StoreError::Corrupt("public key"))?,
            origins: origins.map_err(|_| StoreError::Corrupt("origin"))?,
            clear_cards: if row.try_get("clear_cards")? { ClearCards::Allowed } else { ClearCards::Refused },
            id,
        })
    }
}

/// The same origin may be given twice.
async fn add_origins(
    transaction: &mut Transaction<'static, Sqlite>,
    merchant: &MerchantId,
    origins: &[Origin],
) -> Result<(), StoreError> {
    for origin in origins {
        sqlx::query(
            "INSERT INTO merchant_origins (merchant_id, origin) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        )
        .bind(merchant.as_str())
        .bind(origin.as_str())
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

const fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Test => "test",
        Mode::Live => "live",
    }
}
