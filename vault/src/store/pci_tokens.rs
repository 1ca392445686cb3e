use cardseal::card::Brand;
use cardseal::seal::Jti;
use sqlx::Row;
use sqlx::any::AnyRow;

use super::batch::MOST_ATTEMPTS;
use super::counted_numbers::{self, Verdict};
use super::transaction::Transaction;
use super::{
    CountedNumber, Store, StoreError, Trouble, audit, ciphertext, fingerprint, parsed, seconds, text,
    timestamp,
};
use crate::audit::Entry;
use crate::id::{MerchantId, PciTokenId};
use crate::keys::data::Ciphertext;
use crate::keys::fingerprint::Fingerprint;
use crate::keys::mac::MacKey;
use crate::pci_token::CorrelationId;
use crate::time::Timestamp;

/// The columns that are read of a row.
macro_rules! select {
    () => {
        "SELECT id, brand, last_digits, fingerprint, fingerprint_key_version, data_key_version, pan, details,
             created_at, updated_at
         FROM pci_tokens "
    };
}

/// A PCI token as it is kept.
#[derive(Clone, Debug)]
pub struct StoredPciToken {
    /// Its id.
    pub id: PciTokenId,
    /// The last four digits of its card's number.
    pub last_digits: String,
    /// Its card's fingerprint.
    pub fingerprint: Fingerprint,
    /// Its card, until it is deleted.
    pub card: Option<StoredPciCard>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When its state changed last.
    pub updated_at: Timestamp,
}

/// The card of a PCI token as it is kept.
#[derive(Clone, Debug)]
pub struct StoredPciCard {
    /// Its brand.
    pub brand: Brand,
    /// Its number.
    pub pan: Ciphertext,
    /// Its expiry.
    pub details: Ciphertext,
}

/// What came of keeping a PCI token.
#[derive(Clone, Debug)]
pub enum InsertedPci {
    /// It is kept.
    New,
    /// The same seal has made this one before.
    SameSeal(StoredPciToken),
    /// The same request has made this one before, of another seal.
    SameRequest(StoredPciToken),
    /// There were too many numbers like its number today. It is not kept.
    TooManyAlike,
}

impl Store {
    /// Keeps a PCI token, unless the same seal or the same request has made one before: that one is what it gives; or
    /// there were too many numbers like its.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn insert_pci_token(
        &self,
        merchant: &MerchantId,
        token: &StoredPciToken,
        seal: &Jti,
        request: &CorrelationId,
        counted: &[CountedNumber],
    ) -> Result<InsertedPci, StoreError> {
        for _ in 0..MOST_ATTEMPTS {
            let mut transaction = self.write(merchant).await?;
            let Some(verdicts) = counted_numbers::count(&mut transaction, &[counted]).await? else {
                transaction.rollback().await?;
                continue;
            };
            let inserted = match &*verdicts {
                [Verdict::Passes] => insert(&mut transaction, merchant, token, seal, request).await?,
                _ => InsertedPci::TooManyAlike,
            };
            transaction.commit().await?;
            return Ok(inserted);
        }
        Err(StoreError::Unavailable(Trouble::Busy))
    }

    /// A merchant's PCI token.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn pci_token(
        &self,
        merchant: &MerchantId,
        id: &PciTokenId,
    ) -> Result<Option<StoredPciToken>, StoreError> {
        let query = sqlx::query(concat!(select!(), "WHERE merchant_id = $1 AND id = $2"))
            .bind(merchant.as_str())
            .bind(id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// Deletes the card of a PCI token; `false` if there was none.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_pci_token(
        &self,
        merchant: &MerchantId,
        id: &PciTokenId,
        now: Timestamp,
        audit: (&MacKey, &Entry),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let deleted = sqlx::query(
            "UPDATE pci_tokens SET status = 'DELETED', pan = NULL, details = NULL, brand = NULL, updated_at = $3, fingerprint = $4
             WHERE merchant_id = $1 AND id = $2 AND status = 'ACTIVE'",
        )
        .bind(merchant.as_str())
        .bind(id.as_str())
        .bind(seconds(now))
        .bind(&[][..])
        .execute(&mut *transaction)
        .await?;
        if deleted.rows_affected() == 0 {
            return Ok(false);
        }
        let written = audit::append(&mut transaction, audit.0, audit.1).await?;
        self.commit(transaction, written).await?;
        self.forgot();
        Ok(true)
    }
}

async fn insert(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    token: &StoredPciToken,
    seal: &Jti,
    request: &CorrelationId,
) -> Result<InsertedPci, StoreError> {
    let Some(card) = &token.card else { return Err(StoreError::Corrupt("pan")) };
    let added = sqlx::query(
        "INSERT INTO pci_tokens (merchant_id, id, seal_id, correlation_id, brand, last_digits, fingerprint,
             fingerprint_key_version, data_key_version, pan, details, status, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'ACTIVE', $12, $12)
         ON CONFLICT DO NOTHING",
    )
    .bind(merchant.as_str())
    .bind(token.id.as_str())
    .bind(seal.as_str())
    .bind(request.as_str())
    .bind(card.brand.id())
    .bind(token.last_digits.as_str())
    .bind(token.fingerprint.bytes.as_slice())
    .bind(i64::from(token.fingerprint.key_version))
    .bind(i64::from(card.details.key_version))
    .bind(card.pan.bytes.as_slice())
    .bind(card.details.bytes.as_slice())
    .bind(seconds(token.created_at))
    .execute(&mut **transaction)
    .await?;
    if added.rows_affected() == 1 {
        return Ok(InsertedPci::New);
    }
    let same_seal = sqlx::query(concat!(select!(), "WHERE merchant_id = $1 AND seal_id = $2"))
        .bind(merchant.as_str())
        .bind(seal.as_str())
        .fetch_optional(&mut **transaction)
        .await?;
    if let Some(first) = same_seal {
        return read(&first).map(InsertedPci::SameSeal);
    }
    let same_request = sqlx::query(concat!(select!(), "WHERE merchant_id = $1 AND correlation_id = $2"))
        .bind(merchant.as_str())
        .bind(request.as_str())
        .fetch_one(&mut **transaction)
        .await?;
    read(&same_request).map(InsertedPci::SameRequest)
}

fn read(row: &AnyRow) -> Result<StoredPciToken, StoreError> {
    let find = |id: &str| Brand::ALL.iter().find(|brand| brand.id() == id).copied();
    let card = match row.try_get::<Option<Vec<u8>>, _>("pan")? {
        Some(bytes) => {
            let details = ciphertext(row, "details")?;
            let pan = Ciphertext { key_version: details.key_version, bytes };
            Some(StoredPciCard { brand: parsed(row, "brand", find)?, pan, details })
        }
        None => None,
    };
    Ok(StoredPciToken {
        id: parsed(row, "id", PciTokenId::parse)?,
        last_digits: text(row, "last_digits")?,
        fingerprint: fingerprint(row)?,
        card,
        created_at: timestamp(row, "created_at")?,
        updated_at: timestamp(row, "updated_at")?,
    })
}
