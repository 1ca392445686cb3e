use sqlx::any::AnyRow;

use super::transaction::Transaction;
use super::{Store, StoreError, ciphertext, parsed, seconds};
use crate::acquirer::Name;
use crate::id::{CardId, CustomerId, MerchantId, MethodId};
use crate::keys::data::Ciphertext;
use crate::time::Timestamp;

/// A customer's card that an acquirer keeps.
#[derive(Clone, Debug)]
pub struct MethodRow {
    /// Its id.
    pub id: MethodId,
    /// The acquirer's name for it, and for the account under which it knows it.
    pub details: Ciphertext,
}

/// A customer's card that an acquirer has just kept.
#[derive(Clone, Debug)]
pub struct NewMethod {
    /// What is kept of it.
    pub method: MethodRow,
    /// The customer.
    pub customer: CustomerId,
    /// The card.
    pub card: CardId,
    /// The card's details as they were read: a card that was renewed since then is another one for the acquirer.
    pub card_details: Ciphertext,
    /// Who keeps it.
    pub acquirer: Name,
    /// When.
    pub created_at: Timestamp,
}

/// What becomes of what an acquirer keeps of a card.
#[derive(Clone, Debug)]
pub enum MethodChange {
    /// It stays.
    Keep,
    /// The acquirer does not know it any more.
    Forget(MethodId),
    /// There is a new one, which takes the place of another.
    Put(NewMethod),
}

impl Store {
    /// What an acquirer keeps of a customer's card.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn stored_method(
        &self,
        merchant: &MerchantId,
        customer: &CustomerId,
        card: &CardId,
        acquirer: Name,
    ) -> Result<Option<MethodRow>, StoreError> {
        let query = sqlx::query(
            "SELECT id, data_key_version, details FROM stored_methods
             WHERE merchant_id = $1 AND customer_id = $2 AND card_id = $3 AND acquirer = $4",
        )
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .bind(card.as_str())
        .bind(acquirer.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }
}

/// Does what is to be done with what an acquirer keeps. Nothing is kept of a card that is gone, or renewed.
pub(super) async fn change(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    change: &MethodChange,
) -> Result<(), StoreError> {
    match change {
        MethodChange::Keep => {}
        MethodChange::Forget(id) => {
            sqlx::query("DELETE FROM stored_methods WHERE merchant_id = $1 AND id = $2")
                .bind(merchant.as_str())
                .bind(id.as_str())
                .execute(&mut **transaction)
                .await?;
        }
        MethodChange::Put(new) => put(transaction, merchant, new).await?,
    }
    Ok(())
}

async fn put(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    new: &NewMethod,
) -> Result<(), StoreError> {
    // This waits for whoever renews or deletes the card, and they for this.
    let card = sqlx::query(
        "UPDATE cards SET seq = seq WHERE merchant_id = $1 AND customer_id = $2 AND id = $3 AND details = $4",
    )
    .bind(merchant.as_str())
    .bind(new.customer.as_str())
    .bind(new.card.as_str())
    .bind(new.card_details.bytes.as_slice())
    .execute(&mut **transaction)
    .await?;
    if card.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(
        "INSERT INTO stored_methods (merchant_id, id, customer_id, card_id, acquirer, data_key_version, details,
             created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (merchant_id, customer_id, card_id, acquirer) DO UPDATE SET id = excluded.id,
             data_key_version = excluded.data_key_version, details = excluded.details,
             created_at = excluded.created_at",
    )
    .bind(merchant.as_str())
    .bind(new.method.id.as_str())
    .bind(new.customer.as_str())
    .bind(new.card.as_str())
    .bind(new.acquirer.as_str())
    .bind(i64::from(new.method.details.key_version))
    .bind(new.method.details.bytes.as_slice())
    .bind(seconds(new.created_at))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Forgets what acquirers keep of a card that is renewed or deleted.
pub(super) async fn forget_card(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    customer: &CustomerId,
    card: &CardId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM stored_methods WHERE merchant_id = $1 AND customer_id = $2 AND card_id = $3")
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .bind(card.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// Forgets what acquirers keep of all cards of a customer that is deleted.
pub(super) async fn forget_customer(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    customer: &CustomerId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM stored_methods WHERE merchant_id = $1 AND customer_id = $2")
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<MethodRow, StoreError> {
    Ok(MethodRow { id: parsed(row, "id", MethodId::parse)?, details: ciphertext(row, "details")? })
}
