use sqlx::Row;
use sqlx::any::AnyRow;

use super::tokens::{StoredCard, read_card};
use super::{Store, StoreError, ciphertext, parsed, timestamp};
use crate::id::{CardId, CustomerId, MerchantId};
use crate::keys::data::Ciphertext;
use crate::time::Timestamp;

/// A customer as kept.
#[derive(Clone, Debug)]
pub struct StoredCustomer {
    /// Its id.
    pub id: CustomerId,
    /// E-mail address, description and metadata.
    pub details: Ciphertext,
    /// The card that is charged when none is named; none if there is no card.
    pub default_card: Option<CardId>,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Store {
    /// A merchant's customer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn customer(
        &self,
        merchant: &MerchantId,
        id: &CustomerId,
    ) -> Result<Option<StoredCustomer>, StoreError> {
        let query = sqlx::query("SELECT * FROM customers WHERE merchant_id = $1 AND id = $2")
            .bind(merchant.as_str())
            .bind(id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// A customer's card.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn card(
        &self,
        merchant: &MerchantId,
        customer: &CustomerId,
        id: &CardId,
    ) -> Result<Option<StoredCard>, StoreError> {
        let query =
            sqlx::query("SELECT * FROM cards WHERE merchant_id = $1 AND customer_id = $2 AND id = $3")
                .bind(merchant.as_str())
                .bind(customer.as_str())
                .bind(id.as_str());
        let row = query.fetch_optional(&self.readers).await?;
        row.as_ref().map(|row| read_card(row, "id", "created_at")).transpose()
    }
}

fn read(row: &AnyRow) -> Result<StoredCustomer, StoreError> {
    let default_card: Option<String> = row.try_get("default_card")?;
    let default_card =
        default_card.map(|text| CardId::parse(&text).ok_or(StoreError::Corrupt("default_card")));
    Ok(StoredCustomer {
        id: parsed(row, "id", CustomerId::parse)?,
        details: ciphertext(row, "details")?,
        default_card: default_card.transpose()?,
        created_at: timestamp(row, "created_at")?,
    })
}
