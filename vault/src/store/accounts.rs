use cardseal::client::Profile;
use sqlx::any::AnyRow;

use super::audit;
use super::{Store, StoreError, ciphertext, parsed, seconds};
use crate::audit::Entry;
use crate::id::{AccountId, MerchantId};
use crate::keys::data::Ciphertext;
use crate::keys::mac::MacKey;
use crate::time::Timestamp;

/// A merchant's account with a vendor as it is kept.
#[derive(Clone, Debug)]
pub struct StoredAccount {
    /// Its id.
    pub id: AccountId,
    /// With whom.
    pub profile: Profile,
    /// What the vendor knows the merchant by.
    pub details: Ciphertext,
}

impl Store {
    /// Keeps an account, in place of the merchant's earlier one with the same vendor.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn replace_account(
        &self,
        merchant: &MerchantId,
        account: &StoredAccount,
        now: Timestamp,
        audit: (&MacKey, &Entry),
    ) -> Result<(), StoreError> {
        let mut transaction = self.write(merchant).await?;
        // First, since its lock puts those in order who do this at the same time.
        let written = audit::append(&mut transaction, audit.0, audit.1).await?;
        sqlx::query("DELETE FROM vendor_accounts WHERE merchant_id = $1 AND profile = $2")
            .bind(merchant.as_str())
            .bind(account.profile.as_str())
            .execute(&mut *transaction)
            .await?;
        sqlx::query(
            "INSERT INTO vendor_accounts (merchant_id, id, profile, data_key_version, details, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(merchant.as_str())
        .bind(account.id.as_str())
        .bind(account.profile.as_str())
        .bind(i64::from(account.details.key_version))
        .bind(account.details.bytes.as_slice())
        .bind(seconds(now))
        .execute(&mut *transaction)
        .await?;
        self.commit(transaction, written).await
    }

    /// Forgets an account. False if there is none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_account(
        &self,
        merchant: &MerchantId,
        profile: Profile,
        audit: (&MacKey, &Entry),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let deleted = sqlx::query("DELETE FROM vendor_accounts WHERE merchant_id = $1 AND profile = $2")
            .bind(merchant.as_str())
            .bind(profile.as_str())
            .execute(&mut *transaction)
            .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        let written = audit::append(&mut transaction, audit.0, audit.1).await?;
        self.commit(transaction, written).await?;
        Ok(true)
    }

    /// A merchant's accounts, by the vendors' names.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn accounts(&self, merchant: &MerchantId) -> Result<Vec<StoredAccount>, StoreError> {
        let rows = sqlx::query(
            "SELECT id, profile, data_key_version, details FROM vendor_accounts
             WHERE merchant_id = $1 ORDER BY profile",
        )
        .bind(merchant.as_str())
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(read).collect()
    }
}

fn read(row: &AnyRow) -> Result<StoredAccount, StoreError> {
    Ok(StoredAccount {
        id: parsed(row, "id", AccountId::parse)?,
        profile: parsed(row, "profile", Profile::parse)?,
        details: ciphertext(row, "details")?,
    })
}
