//! What is to go of persons who are deleted. It is noted with the deletion, and done until it is done.

use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::transaction::Transaction;
use super::{Store, StoreError, Table, ciphertext, parsed, seconds, text};
use crate::erasure::Erasure;
use crate::id::{CardId, CustomerId, MerchantId, VendorTokenId};
use crate::keys::data::Ciphertext;
use crate::time::Timestamp;

/// Rows that may name a person.
#[derive(Clone, Copy, Debug)]
pub enum Personal<'a> {
    /// The events about an object.
    EventsAbout(&'a str),
    /// The charges of a customer's cards, or of one of them.
    ChargesOf(&'a CustomerId, Option<&'a CardId>),
    /// The tokens that a customer got cards by. Which of them brought one card cannot always be told: the same card may have
    /// come again by another.
    TokensOf(&'a CustomerId),
}

impl Personal<'_> {
    const fn table(self) -> Table {
        match self {
            Self::EventsAbout(_) => Table::Events,
            Self::ChargesOf(..) => Table::Charges,
            Self::TokensOf(_) => Table::Tokens,
        }
    }
}

/// A row that may name a person.
#[derive(Clone, Debug)]
pub struct PersonalRow {
    /// Its id.
    pub id: String,
    /// What is encrypted in it.
    pub details: Ciphertext,
}

impl Store {
    /// Up to `limit` erasures whose turn it is.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn due_erasures(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<(MerchantId, Erasure, Due)>, StoreError> {
        let rows = sqlx::query(
            "SELECT merchant_id, object_id, customer_id, again FROM erasures WHERE due_at <= $1
             ORDER BY due_at LIMIT $2",
        )
        .bind(seconds(now))
        .bind(i64::from(limit))
        .fetch_all(&self.readers)
        .await?;
        let read = |row: &AnyRow| {
            let due = if super::flag(row, "again")? { Due::Again } else { Due::First };
            Ok((parsed(row, "merchant_id", MerchantId::parse)?, read(row)?, due))
        };
        rows.iter().map(read).collect()
    }

    /// Has an erasure done once more at `due_at`, for what was on its way meanwhile; or lets go of it, when that was done.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn erased(
        &self,
        merchant: &MerchantId,
        erasure: &Erasure,
        again_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let (object, _) = columns(erasure);
        let change = match again_at {
            Some(_) => "UPDATE erasures SET due_at = $3, again = 1 WHERE merchant_id = $1 AND object_id = $2",
            None => "DELETE FROM erasures WHERE merchant_id = $1 AND object_id = $2 AND due_at <= $3",
        };
        sqlx::query(change)
            .bind(merchant.as_str())
            .bind(object)
            .bind(again_at.map_or(i64::MAX, seconds))
            .execute(&self.writer)
            .await?;
        self.forgot();
        Ok(())
    }

    /// The next rows of some that may name a person, after `after`, by id.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn personal_rows(
        &self,
        merchant: &MerchantId,
        of: Personal<'_>,
        after: &str,
        limit: u32,
    ) -> Result<Vec<PersonalRow>, StoreError> {
        let (condition, first, second) = match of {
            Personal::EventsAbout(object) => ("object_id = $2 AND $3 = ''", object, ""),
            Personal::ChargesOf(customer, card) => (
                "customer_id = $2 AND (card_id = $3 OR $3 = '')",
                customer.as_str(),
                card.map_or("", CardId::as_str),
            ),
            Personal::TokensOf(customer) => ("used_by = $2 AND $3 = ''", customer.as_str(), ""),
        };
        let name = of.table().name();
        let sql = format!(
            "SELECT id, data_key_version, details FROM {name}
             WHERE merchant_id = $1 AND {condition} AND id > $4 ORDER BY id LIMIT $5"
        );
        let rows = sqlx::query(AssertSqlSafe(sql))
            .bind(merchant.as_str())
            .bind(first)
            .bind(second)
            .bind(after)
            .bind(i64::from(limit))
            .fetch_all(&self.readers)
            .await?;
        rows.iter().map(personal).collect()
    }

    /// Puts other details into a row, and takes its fingerprint away where it has one. False if it is not as it was read.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn redact(
        &self,
        merchant: &MerchantId,
        of: Personal<'_>,
        row: &PersonalRow,
        details: &Ciphertext,
    ) -> Result<bool, StoreError> {
        let table = of.table();
        let (name, fingerprint) =
            (table.name(), if table.shows_fingerprint() { ", fingerprint = $6" } else { "" });
        let sql = format!(
            "UPDATE {name} SET details = $4, data_key_version = $5{fingerprint}
             WHERE merchant_id = $1 AND id = $2 AND details = $3"
        );
        let mut update = sqlx::query(AssertSqlSafe(sql))
            .bind(merchant.as_str())
            .bind(row.id.as_str())
            .bind(row.details.bytes.as_slice())
            .bind(details.bytes.as_slice())
            .bind(i64::from(details.key_version));
        if table.shows_fingerprint() {
            update = update.bind(&[][..]);
        }
        Ok(update.execute(&self.writer).await?.rows_affected() == 1)
    }
}

/// Notes that something is deleted and has to go everywhere.
pub(super) async fn note(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    erasure: &Erasure,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (object, customer) = columns(erasure);
    sqlx::query(
        "INSERT INTO erasures (merchant_id, object_id, customer_id, due_at, again) VALUES ($1, $2, $3, $4, 0)
         ON CONFLICT (merchant_id, object_id) DO UPDATE SET due_at = excluded.due_at, again = 0",
    )
    .bind(merchant.as_str())
    .bind(object)
    .bind(customer)
    .bind(seconds(now))
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Which time it is that an erasure is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// The first.
    First,
    /// The second, after which it is let go of.
    Again,
}

fn columns(erasure: &Erasure) -> (&str, Option<&str>) {
    match erasure {
        Erasure::Customer(id) => (id.as_str(), None),
        Erasure::Card { customer, card } => (card.as_str(), Some(customer.as_str())),
        Erasure::CardToo(card) => (card.as_str(), None),
        Erasure::VendorToken(id) => (id.as_str(), None),
    }
}

fn read(row: &AnyRow) -> Result<Erasure, StoreError> {
    let object = text(row, "object_id")?;
    let customer: Option<String> = row.try_get("customer_id")?;
    let erasure = match customer {
        Some(customer) => CustomerId::parse(&customer)
            .zip(CardId::parse(&object))
            .map(|(customer, card)| Erasure::Card { customer, card }),
        None => CustomerId::parse(&object)
            .map(Erasure::Customer)
            .or_else(|| CardId::parse(&object).map(Erasure::CardToo))
            .or_else(|| VendorTokenId::parse(&object).map(Erasure::VendorToken)),
    };
    erasure.ok_or(StoreError::Corrupt("object_id"))
}

fn personal(row: &AnyRow) -> Result<PersonalRow, StoreError> {
    Ok(PersonalRow { id: text(row, "id")?, details: ciphertext(row, "details")? })
}
