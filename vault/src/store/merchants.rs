use sqlx::Row;
use sqlx::any::AnyRow;

use super::api_keys::{self, NewKey};
use super::audit::{self, Change};
use super::transaction::Transaction;
use super::{Store, StoreError, flag, parsed, seconds, text, timestamp, unsigned};
use crate::id::MerchantId;
use crate::keys::aad::Aad;
use crate::keys::mac::Mac;
use crate::merchant::{ClearCards, Merchant, Mode, Name, Origin};
use crate::time::Timestamp;

/// A merchant as it is kept. Not to be believed before its MAC is checked.
#[derive(Clone, Debug)]
pub struct StoredMerchant {
    /// The merchant.
    pub merchant: Merchant,
    /// When it was added.
    pub created_at: Timestamp,
    /// How often its origins were replaced.
    pub revision: u64,
    /// The MAC of [`fields`](Self::fields).
    pub mac: Mac,
}

impl StoredMerchant {
    /// What its MAC covers: everything that is kept of it.
    #[must_use]
    pub fn fields(&self) -> Aad {
        fields(&self.merchant, self.created_at, self.revision)
    }
}

fn fields(merchant: &Merchant, created_at: Timestamp, revision: u64) -> Aad {
    let Merchant { id, name, mode, origins, clear_cards } = merchant;
    // The order of the database is not that of every other.
    let mut origins: Vec<_> = origins.iter().map(Origin::as_str).collect();
    origins.sort_unstable();
    origins.dedup();
    let fields = Aad::new("merchant")
        .field(id.as_str())
        .field(name.as_str())
        .field(mode.as_str())
        .field(match clear_cards {
            ClearCards::Allowed => "clear cards",
            ClearCards::Refused => "",
        })
        .field(&created_at.unix_seconds().to_string())
        .field(&revision.to_string());
    origins.into_iter().fold(fields, Aad::field)
}

/// Merchants `m` with their origins `o`, one in each row, and `$columns` of something else.
macro_rules! select {
    ($columns:literal FROM $from:literal) => {
        concat!(
            "SELECT ",
            $columns,
            " m.id AS merchant_id, m.name, m.mode, m.clear_cards, m.created_at AS merchant_created_at, m.revision,
              m.key_version AS merchant_key_version, m.mac AS merchant_mac, o.origin FROM ",
            $from
        )
    };
}
pub(super) use select;

const OF_ONE: &str =
    select!("" FROM "merchants m LEFT JOIN merchant_origins o ON o.merchant_id = m.id WHERE m.id = $1");

impl Store {
    /// Adds a merchant with its keys.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn add_merchant(
        &self,
        merchant: &Merchant,
        keys: &[NewKey],
        change: &Change<'_>,
    ) -> Result<(), StoreError> {
        let now = change.entry.at;
        let mac = change.access.mac(fields(merchant, now, 0));
        let mut transaction = self.write(&merchant.id).await?;
        sqlx::query(
            "INSERT INTO merchants (id, name, mode, clear_cards, created_at, revision, key_version, mac)
             VALUES ($1, $2, $3, $4, $5, 0, $6, $7)",
        )
        .bind(merchant.id.as_str())
        .bind(merchant.name.as_str())
        .bind(merchant.mode.as_str())
        .bind(i64::from(merchant.clear_cards == ClearCards::Allowed))
        .bind(seconds(now))
        .bind(i64::from(mac.key_version))
        .bind(mac.bytes)
        .execute(&mut *transaction)
        .await?;
        for key in keys {
            api_keys::insert(&mut transaction, &merchant.id, key, change).await?;
        }
        add_origins(&mut transaction, &merchant.id, &merchant.origins).await?;
        let written = audit::append(&mut transaction, change.audit, change.entry).await?;
        self.commit(transaction, written).await
    }

    /// Puts others in the place of a merchant's origins; `false` if somebody else has done so since it was read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn replace_origins(
        &self,
        StoredMerchant { merchant, created_at, revision, .. }: &StoredMerchant,
        origins: Vec<Origin>,
        change: &Change<'_>,
    ) -> Result<bool, StoreError> {
        let merchant = Merchant { origins, ..merchant.clone() };
        let mac = change.access.mac(fields(&merchant, *created_at, revision + 1));
        let mut transaction = self.write(&merchant.id).await?;
        let replaced = sqlx::query(
            "UPDATE merchants SET revision = revision + 1, key_version = $3, mac = $4 WHERE id = $1 AND revision = $2",
        )
        .bind(merchant.id.as_str())
        .bind(i64::try_from(*revision).map_err(|_| StoreError::Corrupt("revision"))?)
        .bind(i64::from(mac.key_version))
        .bind(mac.bytes)
        .execute(&mut *transaction)
        .await?;
        if replaced.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query("DELETE FROM merchant_origins WHERE merchant_id = $1")
            .bind(merchant.id.as_str())
            .execute(&mut *transaction)
            .await?;
        add_origins(&mut transaction, &merchant.id, &merchant.origins).await?;
        let written = audit::append(&mut transaction, change.audit, change.entry).await?;
        self.commit(transaction, written).await?;
        Ok(true)
    }

    /// Every merchant, in the order they were added.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchants(&self) -> Result<Vec<StoredMerchant>, StoreError> {
        let rows = sqlx::query(select!(
            "" FROM "merchants m LEFT JOIN merchant_origins o ON o.merchant_id = m.id
                     ORDER BY m.created_at, m.id, o.origin"
        ))
        .fetch_all(&self.readers)
        .await?;
        let mut merchants: Vec<StoredMerchant> = Vec::new();
        for row in &rows {
            let id = parsed(row, "merchant_id", MerchantId::parse)?;
            match merchants.last_mut() {
                Some(last) if last.merchant.id == id => last.merchant.origins.extend(origin(row)?),
                _ => merchants.extend(read(std::slice::from_ref(row))?),
            }
        }
        Ok(merchants)
    }

    /// A merchant.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchant(&self, id: &MerchantId) -> Result<Option<StoredMerchant>, StoreError> {
        read(&sqlx::query(OF_ONE).bind(id.as_str()).fetch_all(&self.readers).await?)
    }

    /// Whose pages are said to be served from an origin: up to `limit` of them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn merchants_at(&self, origin: &Origin, limit: u32) -> Result<Vec<MerchantId>, StoreError> {
        let rows = sqlx::query("SELECT merchant_id FROM merchant_origins WHERE origin = $1 LIMIT $2")
            .bind(origin.as_str())
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(|row| parsed(row, "merchant_id", MerchantId::parse)).collect()
    }
}

/// The one merchant that rows with the columns of [`select`] are of.
pub(super) fn read(rows: &[AnyRow]) -> Result<Option<StoredMerchant>, StoreError> {
    let Some(row) = rows.first() else { return Ok(None) };
    let name = Name::parse(&text(row, "name")?).map_err(|_| StoreError::Corrupt("name"))?;
    let merchant = Merchant {
        id: parsed(row, "merchant_id", MerchantId::parse)?,
        name,
        mode: parsed(row, "mode", Mode::parse)?,
        origins: rows.iter().filter_map(|row| origin(row).transpose()).collect::<Result<_, _>>()?,
        clear_cards: if flag(row, "clear_cards")? { ClearCards::Allowed } else { ClearCards::Refused },
    };
    Ok(Some(StoredMerchant {
        merchant,
        created_at: timestamp(row, "merchant_created_at")?,
        revision: unsigned(row, "revision")?,
        mac: Mac { key_version: unsigned(row, "merchant_key_version")?, bytes: row.try_get("merchant_mac")? },
    }))
}

fn origin(row: &AnyRow) -> Result<Option<Origin>, StoreError> {
    let Some(text) = row.try_get::<Option<String>, _>("origin")? else { return Ok(None) };
    Origin::parse(&text).map(Some).map_err(|_| StoreError::Corrupt("origin"))
}

/// The same origin may be given twice.
async fn add_origins(
    transaction: &mut Transaction,
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
