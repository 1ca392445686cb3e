//! Rows that are under another key than the one that is used now.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::{Store, StoreError, parsed, text, unsigned};
use crate::id::MerchantId;
use crate::keys::data::{Ciphertext, Part};
use crate::keys::fingerprint::Fingerprint;

/// A table with ciphertexts that stay. (Security codes do not: they are gone before their key is.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Table {
    /// Cards on file.
    Cards,
    /// Charges.
    Charges,
    /// Customers.
    Customers,
    /// Events.
    Events,
    /// PCI tokens.
    PciTokens,
    /// Cards that acquirers keep.
    StoredMethods,
    /// Tokens.
    Tokens,
    /// Merchants' accounts with vendors.
    VendorAccounts,
    /// Vendors' tokens.
    VendorTokens,
    /// Addresses that are told of events.
    Webhooks,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Cards,
        Self::Charges,
        Self::Customers,
        Self::Events,
        Self::PciTokens,
        Self::StoredMethods,
        Self::Tokens,
        Self::VendorAccounts,
        Self::VendorTokens,
        Self::Webhooks,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Cards => "cards",
            Self::Charges => "charges",
            Self::Customers => "customers",
            Self::Events => "events",
            Self::PciTokens => "pci_tokens",
            Self::StoredMethods => "stored_methods",
            Self::Tokens => "tokens",
            Self::VendorAccounts => "vendor_accounts",
            Self::VendorTokens => "vendor_tokens",
            Self::Webhooks => "webhooks",
        }
    }

    /// Whether its rows have a fingerprint.
    pub(super) const fn shows_fingerprint(self) -> bool {
        self.has_number() || matches!(self, Self::Charges)
    }

    /// Whether its rows have a number, and with it a fingerprint that can be made anew.
    const fn has_number(self) -> bool {
        match self {
            Self::Cards | Self::PciTokens | Self::Tokens => true,
            Self::Charges
            | Self::Customers
            | Self::Events
            | Self::StoredMethods
            | Self::VendorAccounts
            | Self::VendorTokens
            | Self::Webhooks => false,
        }
    }
}

/// A row's place in the order in which rows are looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    merchant: String,
    owner: String,
}

/// A row with what is encrypted in it.
#[derive(Clone, Debug)]
pub struct EncryptedRow {
    /// Whose it is.
    pub merchant: MerchantId,
    /// The id of what it is.
    pub owner: String,
    /// The data key that it is under.
    pub key_version: u32,
    /// The card number, where there is one.
    pub pan: Option<Ciphertext>,
    /// The rest.
    pub details: Option<Ciphertext>,
}

/// What takes the place of a row's ciphertexts; all are under the same key.
#[derive(Clone, Debug)]
pub struct Reencrypted {
    /// The data key that they are under.
    pub key_version: u32,
    /// The card number.
    pub pan: Option<Ciphertext>,
    /// The number's fingerprint.
    pub fingerprint: Option<Fingerprint>,
    /// The rest.
    pub details: Option<Ciphertext>,
}

impl EncryptedRow {
    /// Its place in the order.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        Cursor { merchant: self.merchant.as_str().into(), owner: self.owner.clone() }
    }

    /// Its ciphertexts, and what each is.
    pub fn parts(&self) -> impl Iterator<Item = (Part, &Ciphertext)> {
        let pan = self.pan.iter().map(|pan| (Part::Pan, pan));
        pan.chain(self.details.iter().map(|details| (Part::Details, details)))
    }
}

impl Store {
    /// The next rows of a table after `cursor` that are under another data key than `data`, or whose fingerprint is of
    /// another key than `fingerprint`.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn under_other_keys(
        &self,
        table: Table,
        (data, fingerprint): (u32, u32),
        cursor: &Cursor,
        limit: u32,
    ) -> Result<Vec<EncryptedRow>, StoreError> {
        let (columns, stale) = if table.has_number() {
            // A row without a number keeps the fingerprint that it has.
            ("pan", "(data_key_version <> $1 OR (pan IS NOT NULL AND fingerprint_key_version <> $2))")
        } else {
            ("NULL AS pan", "(data_key_version <> $1 OR $2 < 0)")
        };
        let name = table.name();
        let sql = format!(
            "SELECT merchant_id, id, data_key_version, details, {columns} FROM {name}
             WHERE (merchant_id, id) > ($3, $4) AND {stale} ORDER BY merchant_id, id LIMIT $5"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(i64::from(data))
            .bind(i64::from(fingerprint))
            .bind(cursor.merchant.as_str())
            .bind(cursor.owner.as_str())
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(read).collect()
    }

    /// Puts new ciphertexts into rows, each unless it has changed since it was read. Says into how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn reencrypt(
        &self,
        table: Table,
        rows: &[(EncryptedRow, Reencrypted)],
    ) -> Result<u64, StoreError> {
        let name = table.name();
        let with_number = format!(
            "UPDATE {name} SET data_key_version = $4, details = $5, pan = $6, fingerprint = $7,
                 fingerprint_key_version = $8
             WHERE merchant_id = $1 AND id = $2 AND data_key_version = $3 AND details IS NOT DISTINCT FROM $9
                 AND pan IS NOT NULL"
        );
        let without = format!(
            "UPDATE {name} SET data_key_version = $4, details = $5
             WHERE merchant_id = $1 AND id = $2 AND data_key_version = $3 AND details IS NOT DISTINCT FROM $6{}",
            if table.has_number() { " AND pan IS NULL" } else { "" }
        );
        let mut transaction = self.write(None).await?;
        let mut changed = 0;
        for (row, new) in rows {
            let sql = if new.pan.is_some() { &with_number } else { &without };
            let mut update = sqlx::query(AssertSqlSafe(sql.clone()))
                .bind(row.merchant.as_str())
                .bind(row.owner.as_str())
                .bind(i64::from(row.key_version))
                .bind(i64::from(new.key_version))
                .bind(new.details.as_ref().map(|details| details.bytes.as_slice()));
            if let (Some(pan), Some(fingerprint)) = (&new.pan, &new.fingerprint) {
                update = update
                    .bind(pan.bytes.as_slice())
                    .bind(fingerprint.bytes.as_slice())
                    .bind(i64::from(fingerprint.key_version));
            }
            // No two ciphertexts are the same, so details that are were not changed, under whatever key.
            update = update.bind(row.details.as_ref().map(|details| details.bytes.as_slice()));
            changed += update.execute(&mut *transaction).await?.rows_affected();
        }
        transaction.commit().await?;
        Ok(changed)
    }

    /// Whether a security code is under a data key of another version than this. Any other row is found by
    /// [`under_other_keys`](Self::under_other_keys).
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn has_security_codes_under_other_keys(&self, data: u32) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM security_codes WHERE data_key_version <> $1 LIMIT 1")
            .bind(i64::from(data));
        Ok(query.fetch_optional(&self.readers).await?.is_some())
    }
}

fn read(row: &AnyRow) -> Result<EncryptedRow, StoreError> {
    let key_version = unsigned(row, "data_key_version")?;
    let ciphertext = |column| {
        let bytes: Option<Vec<u8>> = row.try_get(column)?;
        Ok::<_, StoreError>(bytes.map(|bytes| Ciphertext { key_version, bytes }))
    };
    Ok(EncryptedRow {
        merchant: parsed(row, "merchant_id", MerchantId::parse)?,
        owner: text(row, "id")?,
        key_version,
        pan: ciphertext("pan")?,
        details: ciphertext("details")?,
    })
}
