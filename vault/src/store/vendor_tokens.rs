use cardseal::client::Profile;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::erasures;
use super::events::{self, NewEvent};
use super::transaction::Transaction;
use super::{Store, StoreError, audit, ciphertext, flag, parsed, seconds, text, timestamp};
use crate::audit::Entry;
use crate::erasure::Erasure;
use crate::id::{MerchantId, VendorTokenId};
use crate::keys::Sha256Digest;
use crate::keys::data::Ciphertext;
use crate::keys::mac::MacKey;
use crate::time::Timestamp;
use crate::vendor::account::Name;
use crate::vendor::token::{Moment, Relayed, State};

/// The columns that are read of a row.
macro_rules! columns {
    () => {
        "id, profile, token_id, state, changed_ms, data_key_version, details, created_at"
    };
}

/// A vendor's token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredVendorToken {
    /// What the vault calls it.
    pub id: VendorTokenId,
    /// Whose it is.
    pub vendor: Relayed,
    /// What the vendor calls it.
    pub token_id: Name,
    /// Its state.
    pub state: State,
    /// When the vendor says that it changed last.
    pub changed_at: Option<Moment>,
    /// What the vendor has told of its card. No two ciphertexts are the same, so this tells whether the row has changed.
    pub details: Ciphertext,
    /// When it was made.
    pub created_at: Timestamp,
}

/// A sealed card that is on its way to a vendor.
#[derive(Clone, Copy, Debug)]
pub struct Seal<'a> {
    /// Whose.
    pub merchant: &'a MerchantId,
    /// Where to.
    pub vendor: Relayed,
    /// What tells it from others.
    pub hash: Sha256Digest,
    /// The vendor's key that it is sealed to.
    pub vendor_key: Sha256Digest,
}

/// What came of beginning to pass a sealed card on.
#[derive(Clone, Debug)]
pub enum Passing {
    /// Another merchant has had it passed on.
    Anothers,
    /// It is the caller's to pass on, and nobody else's.
    Begun,
    /// It is not known what came of passing it on.
    Lost,
    /// It became this token before.
    Made(StoredVendorToken),
    /// Somebody is passing it on.
    UnderWay,
}

impl Store {
    /// Begins to pass a sealed card on: of any number at the same time, one begins. What began before `lost_before`, and has
    /// not ended, will not: the process is gone that began it.
    ///
    /// # Errors
    /// [`StoreError`]; then it is not to be passed on.
    pub async fn begin_passing(
        &self,
        seal: Seal<'_>,
        now: Timestamp,
        lost_before: Timestamp,
    ) -> Result<Passing, StoreError> {
        let mut transaction = self.write(seal.merchant).await?;
        let added = sqlx::query(
            "INSERT INTO passed_seals (hash, merchant_id, profile, vendor_key, lost, begun_at)
             VALUES ($1, $2, $3, $4, 0, $5) ON CONFLICT (hash) DO NOTHING",
        )
        .bind(seal.hash.as_bytes().as_slice())
        .bind(seal.merchant.as_str())
        .bind(seal.vendor.profile().as_str())
        .bind(seal.vendor_key.as_bytes().as_slice())
        .bind(seconds(now))
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 1 {
            // Only where it is not there: one row that all of them change would have each wait for the other.
            sqlx::query(
                "INSERT INTO vendor_keys (thumbprint, seen_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            )
            .bind(seal.vendor_key.as_bytes().as_slice())
            .bind(seconds(now))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            return Ok(Passing::Begun);
        }
        let row = sqlx::query("SELECT merchant_id, token, lost, begun_at FROM passed_seals WHERE hash = $1")
            .bind(seal.hash.as_bytes().as_slice())
            .fetch_optional(&mut *transaction)
            .await?;
        // It was taken back just now.
        let Some(row) = row else { return Ok(Passing::UnderWay) };
        if text(&row, "merchant_id")? != seal.merchant.as_str() {
            return Ok(Passing::Anothers);
        }
        match row.try_get::<Option<String>, _>("token")? {
            Some(id) => {
                let id = VendorTokenId::parse(&id).ok_or(StoreError::Corrupt("token"))?;
                Ok(Passing::Made(of_id(&mut transaction, seal.merchant, &id).await?))
            }
            None if flag(&row, "lost")? || timestamp(&row, "begun_at")? <= lost_before => Ok(Passing::Lost),
            None => Ok(Passing::UnderWay),
        }
    }

    /// Takes back that a sealed card was passed on: the vendor certainly made nothing of it.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn take_back(&self, seal: Seal<'_>) -> Result<(), StoreError> {
        self.change_seal("DELETE FROM passed_seals", seal).await
    }

    /// Keeps that it is not known what came of passing a sealed card on.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn lose(&self, seal: Seal<'_>) -> Result<(), StoreError> {
        self.change_seal("UPDATE passed_seals SET lost = 1", seal).await
    }

    async fn change_seal(&self, change: &'static str, seal: Seal<'_>) -> Result<(), StoreError> {
        let sql = format!("{change} WHERE hash = $1 AND merchant_id = $2 AND token IS NULL");
        sqlx::query(sqlx::AssertSqlSafe(sql))
            .bind(seal.hash.as_bytes().as_slice())
            .bind(seal.merchant.as_str())
            .execute(&self.writer)
            .await?;
        Ok(())
    }

    /// Keeps that these keys of vendors are used now.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn see_vendor_keys(&self, keys: &[Sha256Digest], now: Timestamp) -> Result<(), StoreError> {
        for key in keys {
            sqlx::query("UPDATE vendor_keys SET seen_at = $2 WHERE thumbprint = $1 AND seen_at < $2")
                .bind(key.as_bytes().as_slice())
                .bind(seconds(now))
                .execute(&self.writer)
                .await?;
        }
        Ok(())
    }

    /// Keeps the token that a sealed card became, which `event` tells. A vendor may give one token for a card that comes
    /// again: then it is the one that is kept, and nothing has happened, unless it was deleted meanwhile.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn finish_passing(
        &self,
        seal: Seal<'_>,
        token: &StoredVendorToken,
        event: &NewEvent,
    ) -> Result<StoredVendorToken, StoreError> {
        let mut transaction = self.write(seal.merchant).await?;
        let changed = sqlx::query(
            "INSERT INTO vendor_tokens (merchant_id, id, profile, token_id, state, changed_ms, data_key_version,
                 details, created_at)
             VALUES ($1, $2, $3, $4, $5, NULL, $6, $7, $8)
             ON CONFLICT (merchant_id, profile, token_id) DO UPDATE SET state = excluded.state
                 WHERE vendor_tokens.state = 'DELETED'",
        )
        .bind(seal.merchant.as_str())
        .bind(token.id.as_str())
        .bind(token.vendor.profile().as_str())
        .bind(token.token_id.as_str())
        .bind(token.state.as_str())
        .bind(i64::from(token.details.key_version))
        .bind(token.details.bytes.as_slice())
        .bind(seconds(token.created_at))
        .execute(&mut *transaction)
        .await?;
        let kept = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM vendor_tokens WHERE merchant_id = $1 AND profile = $2 AND token_id = $3"
        ))
        .bind(seal.merchant.as_str())
        .bind(token.vendor.profile().as_str())
        .bind(token.token_id.as_str())
        .fetch_one(&mut *transaction)
        .await?;
        let kept = read(&kept)?;
        sqlx::query("UPDATE passed_seals SET token = $3 WHERE hash = $1 AND merchant_id = $2")
            .bind(seal.hash.as_bytes().as_slice())
            .bind(seal.merchant.as_str())
            .bind(kept.id.as_str())
            .execute(&mut *transaction)
            .await?;
        if changed.rows_affected() == 1 {
            events::append(&mut transaction, seal.merchant, event).await?;
        }
        transaction.commit().await?;
        Ok(kept)
    }

    /// A merchant's token of a vendor.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn vendor_token(
        &self,
        merchant: &MerchantId,
        vendor: Relayed,
        token_id: &Name,
    ) -> Result<Option<StoredVendorToken>, StoreError> {
        let query = sqlx::query(concat!(
            "SELECT ",
            columns!(),
            " FROM vendor_tokens WHERE merchant_id = $1 AND profile = $2 AND token_id = $3"
        ))
        .bind(merchant.as_str())
        .bind(vendor.profile().as_str())
        .bind(token_id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// The merchants that have a token by this id of a vendor: one, unless several share an account there.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn holders_of_vendor_token(
        &self,
        vendor: Relayed,
        token_id: &Name,
    ) -> Result<Vec<MerchantId>, StoreError> {
        let rows = sqlx::query("SELECT merchant_id FROM vendor_tokens WHERE profile = $1 AND token_id = $2")
            .bind(vendor.profile().as_str())
            .bind(token_id.as_str())
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| parsed(row, "merchant_id", MerchantId::parse)).collect()
    }

    /// Puts a token in the place of the same one as it was before, with what tells of it. False, and nothing is done, if it
    /// is not as it was before.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn change_vendor_token(
        &self,
        merchant: &MerchantId,
        before: &StoredVendorToken,
        after: &StoredVendorToken,
        event: &NewEvent,
        audit: Option<(&MacKey, &Entry)>,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let changed = sqlx::query(
            "UPDATE vendor_tokens SET state = $3, changed_ms = $4, data_key_version = $5, details = $6
             WHERE merchant_id = $1 AND id = $2 AND details = $7 AND state = $8",
        )
        .bind(merchant.as_str())
        .bind(before.id.as_str())
        .bind(after.state.as_str())
        .bind(after.changed_at.map(millis))
        .bind(i64::from(after.details.key_version))
        .bind(after.details.bytes.as_slice())
        .bind(before.details.bytes.as_slice())
        .bind(before.state.as_str())
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(false);
        }
        if after.state == State::Deleted {
            let erasure = Erasure::VendorToken(after.id.clone());
            erasures::note(&mut transaction, merchant, &erasure, event.created_at).await?;
        }
        let written = match audit {
            Some((key, entry)) => Some(audit::append(&mut transaction, key, entry).await?),
            None => None,
        };
        events::append(&mut transaction, merchant, event).await?;
        self.commit(transaction, written).await?;
        Ok(true)
    }
}

async fn of_id(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    id: &VendorTokenId,
) -> Result<StoredVendorToken, StoreError> {
    let row =
        sqlx::query(concat!("SELECT ", columns!(), " FROM vendor_tokens WHERE merchant_id = $1 AND id = $2"))
            .bind(merchant.as_str())
            .bind(id.as_str())
            .fetch_one(&mut **transaction)
            .await?;
    read(&row)
}

fn read(row: &AnyRow) -> Result<StoredVendorToken, StoreError> {
    let changed_at = match row.try_get::<Option<i64>, _>("changed_ms")? {
        Some(millis) => {
            let moment = u64::try_from(millis).ok().and_then(Moment::from_millis);
            Some(moment.ok_or(StoreError::Corrupt("changed_ms"))?)
        }
        None => None,
    };
    Ok(StoredVendorToken {
        id: parsed(row, "id", VendorTokenId::parse)?,
        vendor: parsed(row, "profile", |name| Profile::parse(name).and_then(Relayed::of))?,
        token_id: parsed(row, "token_id", Name::parse)?,
        state: parsed(row, "state", State::parse)?,
        changed_at,
        details: ciphertext(row, "details")?,
        created_at: timestamp(row, "created_at")?,
    })
}

fn millis(moment: Moment) -> i64 {
    // No later than the year 9999.
    i64::try_from(moment.millis()).unwrap_or(i64::MAX)
}
