use std::time::Instant;

use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};

use super::api_keys::{self, NewKey};
use super::{Store, StoreError, flag, parsed, seconds, text};
use crate::id::MerchantId;
use crate::merchant::{ClearCards, Merchant, Mode, Name, Origin};
use crate::time::Timestamp;

impl Store {
    /// Adds a merchant with its keys.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_merchant(
        &self,
        merchant: &Merchant,
        keys: &[NewKey],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query(
            "INSERT INTO merchants (id, name, mode, clear_cards, created_at) VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(merchant.id.as_str())
        .bind(merchant.name.as_str())
        .bind(merchant.mode.as_str())
        .bind(i64::from(merchant.clear_cards == ClearCards::Allowed))
        .bind(seconds(now))
        .execute(&mut *transaction)
        .await?;
        for key in keys {
            api_keys::insert(&mut transaction, &merchant.id, key, now).await?;
        }
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
        transaction.commit().await?;
        self.known.forget();
        Ok(())
    }

    /// Every merchant, in the order they were added.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchants(&self) -> Result<Vec<Merchant>, StoreError> {
        let rows = sqlx::query("SELECT id, name, mode, clear_cards FROM merchants ORDER BY created_at, id")
            .fetch_all(&self.readers)
            .await?;
        let mut merchants = Vec::with_capacity(rows.len());
        for row in &rows {
            let origins = self.origins(&parsed(row, "id", MerchantId::parse)?).await?;
            merchants.push(read_merchant(row, origins)?);
        }
        Ok(merchants)
    }

    /// The merchant that a row of this store belongs to.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchant(&self, id: &MerchantId) -> Result<Merchant, StoreError> {
        let query =
            sqlx::query("SELECT id, name, mode, clear_cards FROM merchants WHERE id = $1").bind(id.as_str());
        let row = query.fetch_optional(&self.readers).await?.ok_or(StoreError::Corrupt("merchant_id"))?;
        read_merchant(&row, self.origins(id).await?)
    }

    /// Whether any merchant's pages are served from this origin, or were [`KNOWN_FOR`](super::KNOWN_FOR) ago.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn is_registered(&self, origin: &Origin) -> Result<bool, StoreError> {
        if self.known.origins.get(origin).is_some() {
            return Ok(true);
        }
        let asked = Instant::now();
        let query =
            sqlx::query("SELECT 1 FROM merchant_origins WHERE origin = $1 LIMIT 1").bind(origin.as_str());
        let is_registered = query.fetch_optional(&self.readers).await?.is_some();
        if is_registered {
            self.known.origins.keep(origin.clone(), asked, ());
        }
        Ok(is_registered)
    }

    pub(super) async fn origins(&self, merchant: &MerchantId) -> Result<Vec<Origin>, StoreError> {
        let rows = sqlx::query("SELECT origin FROM merchant_origins WHERE merchant_id = $1 ORDER BY origin")
            .bind(merchant.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| parsed(row, "origin", |text| Origin::parse(text).ok())).collect()
    }
}

pub(super) fn read_merchant(row: &AnyRow, origins: Vec<Origin>) -> Result<Merchant, StoreError> {
    let name = Name::parse(&text(row, "name")?).map_err(|_| StoreError::Corrupt("name"))?;
    Ok(Merchant {
        id: parsed(row, "id", MerchantId::parse)?,
        name,
        mode: parsed(row, "mode", Mode::parse)?,
        origins,
        clear_cards: if flag(row, "clear_cards")? { ClearCards::Allowed } else { ClearCards::Refused },
    })
}

/// The same origin may be given twice.
async fn add_origins(
    transaction: &mut Transaction<'static, Any>,
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
