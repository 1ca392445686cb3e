use std::collections::HashMap;

use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Executor, Row};

use super::audit::{self, Written};
use super::erasures;
use super::events::{self, NewEvent, Tell};
use super::idempotency::{self, Seen};
use super::stored_methods;
use super::tokens::{self, Claimed, StoredCard, read_card};
use super::transaction::Transaction;
use super::{Store, StoreError, ciphertext, parsed, seconds, timestamp, unsigned};
use crate::audit::Entry;
use crate::erasure::Erasure;
use crate::id::{CardId, CustomerId, MerchantId, TokenHash};
use crate::idempotency::Request;
use crate::keys::data::Ciphertext;
use crate::keys::fingerprint::Fingerprint;
use crate::keys::mac::MacKey;
use crate::list::{Limit, Order, Page, Window};
use crate::time::Timestamp;
use crate::token::UsedBy;

/// The columns that are read of a customer.
macro_rules! customer {
    () => {
        "id, data_key_version, details, default_card, created_at"
    };
}

/// The columns that are read of a card.
macro_rules! card {
    () => {
        "id, customer_id, brand, last_digits, fingerprint, fingerprint_key_version, security_code_check,
         data_key_version, pan, details, created_at"
    };
}

/// A customer as it is kept.
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

/// A customer with its first cards.
#[derive(Clone, Debug)]
pub struct WithCards {
    /// The customer.
    pub customer: StoredCustomer,
    /// Its first cards, in the order of their coming.
    pub cards: Vec<StoredCard>,
    /// How many it has in all.
    pub total: u64,
}

/// A token whose card becomes a customer's.
#[derive(Clone, Copy, Debug)]
pub struct Keeping<'a> {
    /// The token.
    pub token: &'a TokenHash,
    /// What becomes of its card.
    pub card: Kept<'a>,
    /// The time.
    pub now: Timestamp,
    /// What the audit gets to know of it.
    pub audit: (&'a MacKey, &'a Entry),
}

/// What becomes of a card that is kept.
#[derive(Clone, Copy, Debug)]
pub enum Kept<'a> {
    /// It is a new one, unless the customer has one with a fingerprint of these.
    New(&'a StoredCard, &'a [Fingerprint]),
    /// It is one that the customer has, which is renewed.
    Again(&'a CardRenewal),
}

/// A card on file, and how it is to be.
#[derive(Clone, Debug)]
pub struct CardRenewal {
    /// Its id.
    pub id: CardId,
    /// Its details, as they were read.
    pub before: Ciphertext,
    /// Its details, under the same key.
    pub after: Ciphertext,
    /// Whether its security code was checked and is right.
    pub security_code_check: bool,
}

/// What a customer is to be.
#[derive(Clone, Copy, Debug)]
pub struct CustomerUpdate<'a> {
    /// The customer, as it was read.
    pub before: &'a StoredCustomer,
    /// Its details.
    pub details: &'a Ciphertext,
    /// A card that it gets.
    pub keeping: Option<Keeping<'a>>,
    /// The card that becomes its default.
    pub default_card: Option<&'a CardId>,
}

/// What came of changing a customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Updated {
    /// It is changed.
    Done,
    /// Nothing was changed: the key of the request is known.
    Repeated,
    /// Nothing was changed: it, or its card, is no longer as it was read.
    Outdated,
    /// Nothing was changed: it has no such card.
    UnknownCard,
    /// Nothing was changed: there is no such token.
    UnknownToken,
    /// Nothing was changed: the token was used before, for this.
    Used(UsedBy),
}

impl Store {
    /// Keeps a new customer, once for each `request`.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is kept or used.
    pub async fn add_customer(
        &self,
        merchant: &MerchantId,
        customer: &StoredCustomer,
        keeping: Option<Keeping<'_>>,
        request: Option<&Request>,
        tell: Tell<'_, WithCards>,
    ) -> Result<Updated, StoreError> {
        let mut transaction = self.write(merchant).await?;
        if let Some(request) = request {
            let (id, now) = (customer.id.as_str(), customer.created_at);
            if idempotency::keep(&mut transaction, merchant, request, id, now).await? != Seen::Never {
                return Ok(Updated::Repeated);
            }
        }
        sqlx::query(
            "INSERT INTO customers (merchant_id, id, data_key_version, details, created_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(merchant.as_str())
        .bind(customer.id.as_str())
        .bind(i64::from(customer.details.key_version))
        .bind(customer.details.bytes.as_slice())
        .bind(seconds(customer.created_at))
        .execute(&mut *transaction)
        .await?;
        let mut written = None;
        let keeps = keeping.is_some();
        if let Some(keeping) = keeping {
            match keep(&mut transaction, merchant, &customer.id, keeping).await? {
                Ok(kept) => written = Some(kept),
                Err(why) => return Ok(why),
            }
        }
        tell_of(&mut transaction, merchant, &customer.id, tell).await?;
        self.commit(transaction, written).await?;
        if keeps {
            self.forgot();
        }
        Ok(Updated::Done)
    }

    /// Changes a customer, if nobody else has changed it since it was read.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is changed or used.
    pub async fn update_customer(
        &self,
        merchant: &MerchantId,
        update: CustomerUpdate<'_>,
        tell: Tell<'_, WithCards>,
    ) -> Result<Updated, StoreError> {
        let CustomerUpdate { before, details, keeping, default_card } = update;
        let mut transaction = self.write(merchant).await?;
        // Everything that changes a customer's cards changes its row first, and so waits for whoever is at it.
        let changed = sqlx::query(
            "UPDATE customers SET details = $4, data_key_version = $5
             WHERE merchant_id = $1 AND id = $2 AND details = $3",
        )
        .bind(merchant.as_str())
        .bind(before.id.as_str())
        .bind(before.details.bytes.as_slice())
        .bind(details.bytes.as_slice())
        .bind(i64::from(details.key_version))
        .execute(&mut *transaction)
        .await?;
        if changed.rows_affected() == 0 {
            return Ok(Updated::Outdated);
        }
        let mut written = None;
        let keeps = keeping.is_some();
        if let Some(keeping) = keeping {
            match keep(&mut transaction, merchant, &before.id, keeping).await? {
                Ok(kept) => written = Some(kept),
                Err(why) => return Ok(why),
            }
        }
        if let Some(card) = default_card {
            let set = sqlx::query(
                "UPDATE customers SET default_card = $3 WHERE merchant_id = $1 AND id = $2
                 AND EXISTS (SELECT 1 FROM cards WHERE merchant_id = $1 AND customer_id = $2 AND id = $3)",
            )
            .bind(merchant.as_str())
            .bind(before.id.as_str())
            .bind(card.as_str())
            .execute(&mut *transaction)
            .await?;
            if set.rows_affected() == 0 {
                return Ok(Updated::UnknownCard);
            }
        }
        tell_of(&mut transaction, merchant, &before.id, tell).await?;
        self.commit(transaction, written).await?;
        if keeps {
            self.forgot();
        }
        Ok(Updated::Done)
    }

    /// Deletes a customer and all its cards. None if there is no such customer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_customer(
        &self,
        merchant: &MerchantId,
        id: &CustomerId,
        now: Timestamp,
        (key, entry): (&MacKey, &Entry),
        tell: Tell<'_, StoredCustomer>,
    ) -> Result<Option<StoredCustomer>, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let deleted = sqlx::query(concat!(
            "DELETE FROM customers WHERE merchant_id = $1 AND id = $2 RETURNING ",
            customer!()
        ))
        .bind(merchant.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = deleted else { return Ok(None) };
        let customer = read(&row)?;
        let cards = sqlx::query("DELETE FROM cards WHERE merchant_id = $1 AND customer_id = $2 RETURNING id")
            .bind(merchant.as_str())
            .bind(id.as_str())
            .fetch_all(&mut *transaction)
            .await?;
        for card in &cards {
            let card = Erasure::CardToo(parsed(card, "id", CardId::parse)?);
            erasures::note(&mut transaction, merchant, &card, now).await?;
        }
        erasures::note(&mut transaction, merchant, &Erasure::Customer(id.clone()), now).await?;
        stored_methods::forget_customer(&mut transaction, merchant, id).await?;
        let written = audit::append(&mut transaction, key, entry).await?;
        events::tell(&mut transaction, merchant, tell, &customer).await?;
        self.commit(transaction, written).await?;
        self.forgot();
        Ok(Some(customer))
    }

    /// Deletes a customer's card; the one that came last becomes the default if this was it. None if there is no such card.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_card(
        &self,
        merchant: &MerchantId,
        customer: &CustomerId,
        id: &CardId,
        now: Timestamp,
        (key, entry): (&MacKey, &Entry),
        tell: Tell<'_, StoredCard>,
    ) -> Result<Option<StoredCard>, StoreError> {
        let mut transaction = self.write(merchant).await?;
        hold(&mut transaction, merchant, customer).await?;
        let deleted = sqlx::query(concat!(
            "DELETE FROM cards WHERE merchant_id = $1 AND customer_id = $2 AND id = $3 RETURNING ",
            card!()
        ))
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let Some(row) = deleted else { return Ok(None) };
        let card = read_card(&row, "id", "created_at")?;
        stored_methods::forget_card(&mut transaction, merchant, customer, id).await?;
        sqlx::query(
            "UPDATE customers SET default_card = (SELECT id FROM cards WHERE merchant_id = $1 AND customer_id = $2
                 ORDER BY seq DESC LIMIT 1)
             WHERE merchant_id = $1 AND id = $2 AND default_card = $3",
        )
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
        let written = audit::append(&mut transaction, key, entry).await?;
        let erasure = Erasure::Card { customer: customer.clone(), card: id.clone() };
        erasures::note(&mut transaction, merchant, &erasure, now).await?;
        events::tell(&mut transaction, merchant, tell, &card).await?;
        self.commit(transaction, written).await?;
        self.forgot();
        Ok(Some(card))
    }

    /// Renews a customer's card, unless somebody else has changed it since it was read. Tells whether it did.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn update_card(
        &self,
        merchant: &MerchantId,
        customer: &CustomerId,
        renewal: &CardRenewal,
        event: &NewEvent,
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let renewed = renew(&mut transaction, merchant, customer, renewal).await?;
        if renewed {
            events::append(&mut transaction, merchant, event).await?;
        }
        transaction.commit().await?;
        Ok(renewed)
    }

    /// A merchant's customer.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn customer(
        &self,
        merchant: &MerchantId,
        id: &CustomerId,
    ) -> Result<Option<StoredCustomer>, StoreError> {
        let query = sqlx::query(BY_ID).bind(merchant.as_str()).bind(id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// A page of a merchant's customers.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn customers(
        &self,
        merchant: &MerchantId,
        window: Window,
    ) -> Result<Page<StoredCustomer>, StoreError> {
        const WHERE: &str = "FROM customers WHERE merchant_id = $1 AND created_at >= $2 AND created_at <= $3";
        let order = match window.order {
            Order::Chronological => "created_at, id",
            Order::ReverseChronological => "created_at DESC, id DESC",
        };
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {} {WHERE} ORDER BY {order} LIMIT $4 OFFSET $5",
            customer!()
        )))
        .bind(merchant.as_str())
        .bind(seconds(window.from))
        .bind(window.to.map_or(i64::MAX, seconds))
        .bind(i64::from(window.limit.items()))
        .bind(i64::from(window.offset))
        .fetch_all(&self.readers)
        .await?;
        let count = sqlx::query(AssertSqlSafe(format!("SELECT count(*) AS total {WHERE}")))
            .bind(merchant.as_str())
            .bind(seconds(window.from))
            .bind(window.to.map_or(i64::MAX, seconds))
            .fetch_one(&self.readers)
            .await?;
        let items = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Page { window, items, total: unsigned(&count, "total")? })
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
        let query = sqlx::query(concat!(
            "SELECT ",
            card!(),
            " FROM cards WHERE merchant_id = $1 AND customer_id = $2 AND id = $3"
        ))
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .bind(id.as_str());
        let row = query.fetch_optional(&self.readers).await?;
        row.as_ref().map(|row| read_card(row, "id", "created_at")).transpose()
    }

    /// The card of a customer that has one of these fingerprints.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn same_card(
        &self,
        merchant: &MerchantId,
        customer: &CustomerId,
        fingerprints: &[Fingerprint],
    ) -> Result<Option<StoredCard>, StoreError> {
        for fingerprint in fingerprints {
            let row = sqlx::query(BY_FINGERPRINT)
                .bind(merchant.as_str())
                .bind(customer.as_str())
                .bind(fingerprint.bytes.as_slice())
                .fetch_optional(&self.readers)
                .await?;
            if let Some(row) = row {
                return read_card(&row, "id", "created_at").map(Some);
            }
        }
        Ok(None)
    }

    /// A page of a customer's cards, in the order of their coming or the other way around.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn cards(
        &self,
        merchant: &MerchantId,
        customer: &CustomerId,
        window: Window,
    ) -> Result<Page<StoredCard>, StoreError> {
        const WHERE: &str = "FROM cards WHERE merchant_id = $1 AND customer_id = $2
             AND created_at >= $3 AND created_at <= $4";
        let order = match window.order {
            Order::Chronological => "seq",
            Order::ReverseChronological => "seq DESC",
        };
        let rows = sqlx::query(AssertSqlSafe(format!(
            "SELECT {} {WHERE} ORDER BY {order} LIMIT $5 OFFSET $6",
            card!()
        )))
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .bind(seconds(window.from))
        .bind(window.to.map_or(i64::MAX, seconds))
        .bind(i64::from(window.limit.items()))
        .bind(i64::from(window.offset))
        .fetch_all(&self.readers)
        .await?;
        let count = sqlx::query(AssertSqlSafe(format!("SELECT count(*) AS total {WHERE}")))
            .bind(merchant.as_str())
            .bind(customer.as_str())
            .bind(seconds(window.from))
            .bind(window.to.map_or(i64::MAX, seconds))
            .fetch_one(&self.readers)
            .await?;
        let items = rows.iter().map(|row| read_card(row, "id", "created_at")).collect::<Result<_, _>>()?;
        Ok(Page { window, items, total: unsigned(&count, "total")? })
    }

    /// The first cards of each of some customers, no more than [`Limit::MAX`], in the order of their coming.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn first_cards(
        &self,
        merchant: &MerchantId,
        customers: &[StoredCustomer],
        limit: Limit,
    ) -> Result<HashMap<CustomerId, (Vec<StoredCard>, u64)>, StoreError> {
        if customers.is_empty() {
            return Ok(HashMap::new());
        }
        first_cards(&self.readers, merchant, customers, limit).await
    }
}

const BY_ID: &str = concat!("SELECT ", customer!(), " FROM customers WHERE merchant_id = $1 AND id = $2");

const BY_FINGERPRINT: &str = concat!(
    "SELECT ",
    card!(),
    " FROM cards WHERE merchant_id = $1 AND customer_id = $2 AND fingerprint = $3"
);

async fn first_cards(
    database: impl Executor<'_, Database = Any>,
    merchant: &MerchantId,
    customers: &[StoredCustomer],
    limit: Limit,
) -> Result<HashMap<CustomerId, (Vec<StoredCard>, u64)>, StoreError> {
    let mut cards: HashMap<_, (Vec<_>, u64)> = HashMap::new();
    let ids: Vec<_> = (0..customers.len()).map(|index| format!("${}", index + 3)).collect();
    let sql = format!(
        "SELECT {}, total FROM (
             SELECT {}, row_number() OVER (PARTITION BY customer_id ORDER BY seq) AS place,
                 count(*) OVER (PARTITION BY customer_id) AS total
             FROM cards WHERE merchant_id = $1 AND customer_id IN ({})
         ) AS counted WHERE place <= $2 ORDER BY customer_id, place",
        card!(),
        card!(),
        ids.join(", ")
    );
    let mut query = sqlx::query(AssertSqlSafe(sql)).bind(merchant.as_str()).bind(i64::from(limit.items()));
    for customer in customers {
        query = query.bind(customer.id.as_str());
    }
    for row in query.fetch_all(database).await? {
        let customer = parsed(&row, "customer_id", CustomerId::parse)?;
        let (first, total) = cards.entry(customer).or_default();
        first.push(read_card(&row, "id", "created_at")?);
        *total = unsigned(&row, "total")?;
    }
    Ok(cards)
}

/// Takes a customer's row for the transaction, so that nobody else changes the customer or its cards until its end. False if
/// there is no such customer.
pub(super) async fn hold(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    customer: &CustomerId,
) -> Result<bool, StoreError> {
    let held =
        sqlx::query("UPDATE customers SET default_card = default_card WHERE merchant_id = $1 AND id = $2")
            .bind(merchant.as_str())
            .bind(customer.as_str())
            .execute(&mut **transaction)
            .await?;
    Ok(held.rows_affected() == 1)
}

/// Whether the customer whose row is the transaction's has the card.
pub(super) async fn has_card(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    customer: &CustomerId,
    card: &CardId,
) -> Result<bool, StoreError> {
    let card = sqlx::query("SELECT 1 FROM cards WHERE merchant_id = $1 AND customer_id = $2 AND id = $3")
        .bind(merchant.as_str())
        .bind(customer.as_str())
        .bind(card.as_str());
    Ok(card.fetch_optional(&mut **transaction).await?.is_some())
}

/// Tells of a customer as it is now.
async fn tell_of(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    id: &CustomerId,
    tell: Tell<'_, WithCards>,
) -> Result<(), StoreError> {
    let row = sqlx::query(BY_ID).bind(merchant.as_str()).bind(id.as_str()).fetch_one(&mut **transaction);
    let customer = [read(&row.await?)?];
    let mut cards = first_cards(&mut **transaction, merchant, &customer, Window::default().limit).await?;
    let (cards, total) = cards.remove(id).unwrap_or_default();
    let [customer] = customer;
    events::tell(transaction, merchant, tell, &WithCards { customer, cards, total }).await
}

/// Uses a token for a customer's card, or says why not. The customer's row is the transaction's already.
async fn keep(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    customer: &CustomerId,
    keeping: Keeping<'_>,
) -> Result<Result<Written, Updated>, StoreError> {
    let by = UsedBy::Customer(customer.clone());
    // The security code is gone with this. A card on file has none (PCI DSS 3.3.1).
    match tokens::claim(transaction, merchant, keeping.token, &by, keeping.now).await? {
        Claimed::Now(_) => {}
        Claimed::Before(by) => return Ok(Err(Updated::Used(by))),
        Claimed::Unknown => return Ok(Err(Updated::UnknownToken)),
    }
    let kept = match keeping.card {
        Kept::New(card, fingerprints) => add(transaction, merchant, customer, card, fingerprints).await?,
        Kept::Again(renewal) => renew(transaction, merchant, customer, renewal).await?,
    };
    if !kept {
        return Ok(Err(Updated::Outdated));
    }
    tokens::forget_number(transaction, merchant, keeping.token).await?;
    let (key, entry) = keeping.audit;
    audit::append(transaction, key, entry).await.map(Ok)
}

/// Adds a card, unless the customer has it, and tells whether it did.
async fn add(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    customer: &CustomerId,
    card: &StoredCard,
    fingerprints: &[Fingerprint],
) -> Result<bool, StoreError> {
    for fingerprint in fingerprints {
        let same = sqlx::query(BY_FINGERPRINT)
            .bind(merchant.as_str())
            .bind(customer.as_str())
            .bind(fingerprint.bytes.as_slice())
            .fetch_optional(&mut **transaction)
            .await?;
        if same.is_some() {
            return Ok(false);
        }
    }
    sqlx::query(
        "INSERT INTO cards (merchant_id, customer_id, id, seq, brand, last_digits, fingerprint,
             fingerprint_key_version, security_code_check, data_key_version, pan, details, created_at)
         VALUES ($1, $2, $3, (SELECT coalesce(max(seq), 0) + 1 FROM cards WHERE merchant_id = $1 AND customer_id = $2),
             $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind(merchant.as_str())
    .bind(customer.as_str())
    .bind(card.id.as_str())
    .bind(card.brand.id())
    .bind(card.last_digits.as_str())
    .bind(card.fingerprint.bytes.as_slice())
    .bind(i64::from(card.fingerprint.key_version))
    .bind(i64::from(card.security_code_check))
    .bind(i64::from(card.details.key_version))
    .bind(card.pan.as_ref().map(|pan| pan.bytes.as_slice()))
    .bind(card.details.bytes.as_slice())
    .bind(seconds(card.created_at))
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE customers SET default_card = $3 WHERE merchant_id = $1 AND id = $2 AND default_card IS NULL",
    )
    .bind(merchant.as_str())
    .bind(customer.as_str())
    .bind(card.id.as_str())
    .execute(&mut **transaction)
    .await?;
    Ok(true)
}

/// Renews a card, unless it is no longer as it was read, and tells whether it did.
async fn renew(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    customer: &CustomerId,
    renewal: &CardRenewal,
) -> Result<bool, StoreError> {
    let renewed = sqlx::query(
        "UPDATE cards SET details = $5, security_code_check = $6
         WHERE merchant_id = $1 AND customer_id = $2 AND id = $3 AND details = $4",
    )
    .bind(merchant.as_str())
    .bind(customer.as_str())
    .bind(renewal.id.as_str())
    .bind(renewal.before.bytes.as_slice())
    .bind(renewal.after.bytes.as_slice())
    .bind(i64::from(renewal.security_code_check))
    .execute(&mut **transaction)
    .await?;
    let renewed = renewed.rows_affected() == 1;
    if renewed {
        // Acquirers keep the card with the expiry that it had.
        stored_methods::forget_card(transaction, merchant, customer, &renewal.id).await?;
    }
    Ok(renewed)
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
