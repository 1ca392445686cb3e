use sqlx::Row;
use sqlx::any::AnyRow;

use super::audit;
use super::customers;
use super::events::{self, NewEvent};
use super::idempotency::{self, Seen};
use super::stored_methods::{self, MethodChange};
use super::tokens::{self, Claimed, SecurityCodeRow, StoredCard};
use super::{Store, StoreError, Transaction, parsed, seconds, timestamp};
use crate::acquirer::{AuthorizeUri, Code, Name, Reference};
use crate::audit::Entry;
use crate::charge::{Acquired, Amount, ChargeOutcome, ChargeStatus, Currency, FailureCode, Source};
use crate::id::{CardId, ChargeId, CustomerId, MerchantId, TokenHash};
use crate::idempotency::Request;
use crate::keys::Sha256Digest;
use crate::keys::mac::MacKey;
use crate::time::Timestamp;
use crate::token::UsedBy;

/// The columns that are read of a row.
macro_rules! columns {
    () => {
        "id, token_id, customer_id, card_id, card_created_at, brand, last_digits, fingerprint,
         fingerprint_key_version, security_code_check, data_key_version, details, amount, currency, status,
         failure_code, created_at, acquirer, acquirer_reference, acquirer_code, authorize_uri"
    };
}

/// A charge as it is kept.
#[derive(Clone, Debug)]
pub struct StoredCharge {
    /// Its id.
    pub id: ChargeId,
    /// What it was made with.
    pub source: Source<TokenHash>,
    /// Its card as it was then, without the number; its details are the charge's.
    pub card: StoredCard,
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
    /// What came of it.
    pub status: ChargeStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// Who was asked for the money.
    pub acquirer: Acquired,
    /// Where the holder goes to let it happen, while it waits for that.
    pub authorize_uri: Option<AuthorizeUri>,
}

/// A charge to begin. Its status is not looked at: it is pending.
#[derive(Clone, Debug)]
pub struct NewCharge {
    /// The charge.
    pub charge: StoredCharge,
    /// When to ask the acquirer what became of it, should nobody have told by then.
    pub ask_at: Timestamp,
    /// The hash of the last part of the address at which the acquirer may call back.
    pub callback: Option<Sha256Digest>,
    /// The request that makes it, if it may come again.
    pub request: Option<Request>,
    /// That it was made.
    pub event: NewEvent,
}

/// What came of beginning a charge.
#[derive(Debug)]
pub enum Begun {
    /// Its request made this one before.
    Before(ChargeId),
    /// Whoever asked has been told that it did not begin.
    Cancelled,
    /// Its request has the key of another one.
    Mismatch,
    /// It is pending; its token, if it has one, is used. Here is the security code that is no longer in the store.
    Pending(Option<SecurityCodeRow>),
    /// The customer has no such card any more.
    UnknownCard,
    /// There is no such customer any more.
    UnknownCustomer,
    /// There is no such token.
    UnknownToken,
    /// The token has been used, for this.
    Used(UsedBy),
}

/// What an acquirer told of a charge whose outcome is not known yet. What it did not tell stays as it was.
#[derive(Clone, Debug, Default)]
pub struct Progress {
    /// Its name for the payment.
    pub reference: Option<Reference>,
    /// Its code.
    pub code: Option<Code>,
    /// Where the holder goes to let it happen.
    pub authorize_uri: Option<AuthorizeUri>,
}

/// What came of a charge in the end.
#[derive(Clone, Debug)]
pub struct Ended {
    /// The outcome.
    pub outcome: ChargeOutcome,
    /// The acquirer's name for the payment; none if it is as before.
    pub reference: Option<Reference>,
    /// The acquirer's code; none if it is as before.
    pub code: Option<Code>,
    /// What becomes of the card that the acquirer may keep.
    pub method: MethodChange,
    /// When to ask the acquirer all the same, where it has failed since the acquirer had not heard of it.
    pub ask_at: Option<Timestamp>,
}

impl Store {
    /// Begins a charge and uses its token, if it has one, once: of any number at the same time, one begins. `may_commit` is
    /// asked last: whoever waits may have given up.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is used.
    pub async fn begin_charge(
        &self,
        merchant: &MerchantId,
        new: &NewCharge,
        audit: (&MacKey, &Entry),
        may_commit: impl FnOnce() -> bool,
    ) -> Result<Begun, StoreError> {
        let mut transaction = self.write(merchant).await?;
        let NewCharge { charge, ask_at, callback, request, event } = new;
        if let Some(request) = request {
            let made = charge.id.as_str();
            match idempotency::keep(&mut transaction, merchant, request, made, charge.created_at).await? {
                Seen::Never => {}
                Seen::Before(id) => {
                    return Ok(ChargeId::parse(&id).map_or(Begun::Mismatch, Begun::Before));
                }
                Seen::Otherwise => return Ok(Begun::Mismatch),
            }
        }
        let (token, customer, code) = match &charge.source {
            Source::Token(token) => {
                let by = UsedBy::Charge(charge.id.clone());
                match tokens::claim(&mut transaction, merchant, token, &by, charge.created_at).await? {
                    Claimed::Now(code) => (Some(token), None, code),
                    Claimed::Before(by) => return Ok(Begun::Used(by)),
                    Claimed::Unknown => return Ok(Begun::UnknownToken),
                }
            }
            Source::Card { customer, .. } => {
                // Whoever deletes one of them has come before or comes after.
                if !customers::hold(&mut transaction, merchant, customer).await? {
                    return Ok(Begun::UnknownCustomer);
                }
                if !customers::has_card(&mut transaction, merchant, customer, &charge.card.id).await? {
                    return Ok(Begun::UnknownCard);
                }
                (None, Some(customer), None)
            }
        };
        let card = &charge.card;
        sqlx::query(
            "INSERT INTO charges (merchant_id, id, token_id, customer_id, card_id, card_created_at, brand,
                 last_digits, fingerprint, fingerprint_key_version, security_code_check, data_key_version, details,
                 amount, currency, status, created_at, ask_at, acquirer, callback)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, 'pending', $16, $17, $18,
                 $19)",
        )
        .bind(merchant.as_str())
        .bind(charge.id.as_str())
        .bind(token.map(TokenHash::as_str))
        .bind(customer.map(CustomerId::as_str))
        .bind(card.id.as_str())
        .bind(seconds(card.created_at))
        .bind(card.brand.id())
        .bind(card.last_digits.as_str())
        .bind(card.fingerprint.bytes.as_slice())
        .bind(i64::from(card.fingerprint.key_version))
        .bind(i64::from(card.security_code_check))
        .bind(i64::from(card.details.key_version))
        .bind(card.details.bytes.as_slice())
        .bind(charge.amount.units())
        .bind(charge.currency.as_str())
        .bind(seconds(charge.created_at))
        .bind(seconds(*ask_at))
        .bind(charge.acquirer.name.as_str())
        .bind(callback.as_ref().map(|hash| &hash.as_bytes()[..]))
        .execute(&mut *transaction)
        .await?;
        // The card is opened next, and not before somebody can tell by whom.
        let written = audit::append(&mut transaction, audit.0, audit.1).await?;
        events::append(&mut transaction, merchant, event).await?;
        if !may_commit() {
            return Ok(Begun::Cancelled);
        }
        self.commit(transaction, written).await?;
        if code.is_some() {
            self.forgot();
        }
        Ok(Begun::Pending(code))
    }

    /// Keeps what came of a charge, which `event` tells, and forgets the number behind its token, if it has one. The first
    /// outcome stays: that is the one given back.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn finish_charge(
        &self,
        merchant: &MerchantId,
        charge: &StoredCharge,
        ended: &Ended,
        event: &NewEvent,
    ) -> Result<ChargeOutcome, StoreError> {
        let mut transaction = self.write(merchant).await?;
        if !end(&mut transaction, merchant, &charge.id, ended, "pending").await? {
            let row =
                sqlx::query("SELECT status, failure_code FROM charges WHERE merchant_id = $1 AND id = $2")
                    .bind(merchant.as_str())
                    .bind(charge.id.as_str())
                    .fetch_one(&mut *transaction)
                    .await?;
            return read_status(&row)?.outcome().ok_or(StoreError::Corrupt("status"));
        }
        if let Source::Token(token) = &charge.source {
            tokens::forget_number(&mut transaction, merchant, token).await?;
        }
        stored_methods::change(&mut transaction, merchant, &ended.method).await?;
        events::append(&mut transaction, merchant, event).await?;
        transaction.commit().await?;
        Ok(ended.outcome)
    }

    /// Keeps that a charge which was held for failed is successful: the money was taken. False if it is not failed any more.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn correct_charge(
        &self,
        merchant: &MerchantId,
        charge: &ChargeId,
        ended: &Ended,
        event: &NewEvent,
        (key, entry): (&MacKey, &Entry),
    ) -> Result<bool, StoreError> {
        let mut transaction = self.write(merchant).await?;
        if !end(&mut transaction, merchant, charge, ended, "failed").await? {
            return Ok(false);
        }
        stored_methods::change(&mut transaction, merchant, &ended.method).await?;
        let written = audit::append(&mut transaction, key, entry).await?;
        events::append(&mut transaction, merchant, event).await?;
        self.commit(transaction, written).await?;
        Ok(true)
    }

    /// Has the acquirer asked at `ask_at` what became of a charge, if that is not known by then, and keeps what it has told
    /// meanwhile. False if the charge has ended.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn ask_later(
        &self,
        merchant: &MerchantId,
        charge: &ChargeId,
        ask_at: Timestamp,
        progress: &Progress,
    ) -> Result<bool, StoreError> {
        let kept = sqlx::query(
            "UPDATE charges SET ask_at = $3, acquirer_reference = coalesce($4, acquirer_reference),
                 acquirer_code = coalesce($5, acquirer_code), authorize_uri = coalesce($6, authorize_uri)
             WHERE merchant_id = $1 AND id = $2 AND status = 'pending'",
        )
        .bind(merchant.as_str())
        .bind(charge.as_str())
        .bind(seconds(ask_at))
        .bind(progress.reference.as_ref().map(Reference::as_str))
        .bind(progress.code.as_ref().map(Code::as_str))
        .bind(progress.authorize_uri.as_ref().map(AuthorizeUri::as_str))
        .execute(&self.writer)
        .await?;
        Ok(kept.rows_affected() == 1)
    }

    /// Has the acquirer asked at `ask_at` for a charge that was given up; none for never again.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn doubt(
        &self,
        merchant: &MerchantId,
        charge: &ChargeId,
        ask_at: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "UPDATE charges SET ask_at = $3 WHERE merchant_id = $1 AND id = $2 AND status = 'failed'",
        )
        .bind(merchant.as_str())
        .bind(charge.as_str())
        .bind(ask_at.map(seconds))
        .execute(&self.writer)
        .await?;
        Ok(())
    }

    /// Keeps the acquirer's name for a charge, durably: the money is asked for next. False if the charge has ended: another
    /// process took it for one that never arrived.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn note_reference(
        &self,
        merchant: &MerchantId,
        charge: &ChargeId,
        reference: &Reference,
    ) -> Result<bool, StoreError> {
        let noted = sqlx::query(
            "UPDATE charges SET acquirer_reference = $3 WHERE merchant_id = $1 AND id = $2 AND status = 'pending'",
        )
        .bind(merchant.as_str())
        .bind(charge.as_str())
        .bind(reference.as_str())
        .execute(&self.writer)
        .await?;
        Ok(noted.rows_affected() == 1)
    }

    /// The charge that an acquirer called back about, if there is anything to find out of it. Until `lease` it is the caller's.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn lease_called_back_charge(
        &self,
        callback: &Sha256Digest,
        lease: Timestamp,
    ) -> Result<Option<(MerchantId, StoredCharge)>, StoreError> {
        let row = sqlx::query(concat!(
            "UPDATE charges SET ask_at = $2 WHERE callback = $1 AND ask_at IS NOT NULL RETURNING merchant_id, ",
            columns!()
        ))
        .bind(&callback.as_bytes()[..])
        .bind(seconds(lease))
        .fetch_optional(&self.writer)
        .await?;
        row.map(|row| Ok((parsed(&row, "merchant_id", MerchantId::parse)?, read(&row)?))).transpose()
    }

    /// Whether there is a charge that an acquirer may call back about here.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn knows_callback(&self, callback: &Sha256Digest) -> Result<bool, StoreError> {
        let query = sqlx::query("SELECT 1 FROM charges WHERE callback = $1").bind(&callback.as_bytes()[..]);
        Ok(query.fetch_optional(&self.readers).await?.is_some())
    }

    /// Up to `limit` charges whose acquirer is to be asked what became of them. Until `lease` they are the caller's: no
    /// other process gets them.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn lease_unanswered_charges(
        &self,
        now: Timestamp,
        lease: Timestamp,
        limit: u32,
    ) -> Result<Vec<(MerchantId, StoredCharge)>, StoreError> {
        // The second condition on the time is looked at again when another process had the row meanwhile.
        let rows = sqlx::query(concat!(
            "UPDATE charges SET ask_at = $2
             WHERE ask_at <= $1 AND (merchant_id, id) IN
                 (SELECT merchant_id, id FROM charges WHERE ask_at <= $1 ORDER BY ask_at LIMIT $3)
             RETURNING merchant_id, ",
            columns!()
        ))
        .bind(seconds(now))
        .bind(seconds(lease))
        .bind(i64::from(limit))
        .fetch_all(&self.writer)
        .await?;
        rows.iter().map(|row| Ok((parsed(row, "merchant_id", MerchantId::parse)?, read(row)?))).collect()
    }

    /// A merchant's charge.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn charge(
        &self,
        merchant: &MerchantId,
        id: &ChargeId,
    ) -> Result<Option<StoredCharge>, StoreError> {
        let query =
            sqlx::query(concat!("SELECT ", columns!(), " FROM charges WHERE merchant_id = $1 AND id = $2"))
                .bind(merchant.as_str())
                .bind(id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }
}

/// Ends a charge that is in this state, and tells whether it was.
async fn end(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    charge: &ChargeId,
    ended: &Ended,
    from: &'static str,
) -> Result<bool, StoreError> {
    let failure_code = match ended.outcome {
        ChargeOutcome::Failed(code) => Some(code.as_str()),
        ChargeOutcome::Successful => None,
    };
    let written = sqlx::query(
        "UPDATE charges SET status = $3, failure_code = $4, ask_at = $8, authorize_uri = NULL,
             acquirer_reference = coalesce($5, acquirer_reference), acquirer_code = coalesce($6, acquirer_code)
         WHERE merchant_id = $1 AND id = $2 AND status = $7",
    )
    .bind(merchant.as_str())
    .bind(charge.as_str())
    .bind(ChargeStatus::from(ended.outcome).as_str())
    .bind(failure_code)
    .bind(ended.reference.as_ref().map(Reference::as_str))
    .bind(ended.code.as_ref().map(Code::as_str))
    .bind(from)
    .bind(ended.ask_at.map(seconds))
    .execute(&mut **transaction)
    .await?;
    Ok(written.rows_affected() == 1)
}

fn read(row: &AnyRow) -> Result<StoredCharge, StoreError> {
    Ok(StoredCharge {
        id: parsed(row, "id", ChargeId::parse)?,
        source: read_source(row)?,
        card: tokens::read_card(row, "card_id", "card_created_at")?,
        amount: Amount::new(row.try_get("amount")?).ok_or(StoreError::Corrupt("amount"))?,
        currency: parsed(row, "currency", Currency::parse)?,
        status: read_status(row)?,
        created_at: timestamp(row, "created_at")?,
        acquirer: Acquired {
            name: parsed(row, "acquirer", Name::parse)?,
            reference: optional(row, "acquirer_reference", Reference::parse)?,
            code: optional(row, "acquirer_code", Code::parse)?,
        },
        authorize_uri: optional(row, "authorize_uri", AuthorizeUri::parse)?,
    })
}

fn optional<T>(
    row: &AnyRow,
    column: &'static str,
    parse: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row.try_get(column)?;
    text.map(|text| parse(&text).ok_or(StoreError::Corrupt(column))).transpose()
}

fn read_source(row: &AnyRow) -> Result<Source<TokenHash>, StoreError> {
    match row.try_get::<Option<String>, _>("token_id")? {
        Some(token) => TokenHash::parse(&token).map(Source::Token).ok_or(StoreError::Corrupt("token_id")),
        None => Ok(Source::Card {
            customer: parsed(row, "customer_id", CustomerId::parse)?,
            card: Some(parsed(row, "card_id", CardId::parse)?),
        }),
    }
}

/// A status out of its two columns.
pub(super) fn read_status(row: &AnyRow) -> Result<ChargeStatus, StoreError> {
    let status: String = row.try_get("status")?;
    let failure_code: Option<String> = row.try_get("failure_code")?;
    match (&*status, failure_code) {
        ("pending", None) => Ok(ChargeStatus::Pending),
        ("successful", None) => Ok(ChargeStatus::Successful),
        ("failed", Some(code)) => {
            FailureCode::parse(&code).map(ChargeStatus::Failed).ok_or(StoreError::Corrupt("failure_code"))
        }
        _ => Err(StoreError::Corrupt("status")),
    }
}
