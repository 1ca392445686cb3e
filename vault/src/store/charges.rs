use sqlx::Row;
use sqlx::any::AnyRow;

use super::audit;
use super::tokens::{self, Claimed, SecurityCodeRow, StoredCard};
use super::{Store, StoreError, parsed, seconds, timestamp};
use crate::audit::Entry;
use crate::charge::{Amount, ChargeStatus, Currency, FailureCode};
use crate::id::{ChargeId, MerchantId, TokenId};
use crate::keys::mac::MacKey;
use crate::time::Timestamp;
use crate::token::UsedBy;

/// A charge as it is kept.
#[derive(Clone, Debug)]
pub struct StoredCharge {
    /// Its id.
    pub id: ChargeId,
    /// The token it was made with.
    pub token: TokenId,
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
}

/// A charge to begin. Its status is not looked at: it is pending.
#[derive(Clone, Debug)]
pub struct NewCharge {
    /// The charge.
    pub charge: StoredCharge,
    /// When to ask the acquirer what became of it, should nobody have told by then.
    pub ask_at: Timestamp,
}

/// What came of beginning a charge.
#[derive(Debug)]
pub enum Begun {
    /// It is pending; its token is used. Here is the security code that is no longer in the store.
    Pending(Option<SecurityCodeRow>),
    /// There is no such token.
    UnknownToken,
    /// The token has been used for this.
    Used(UsedBy),
}

impl Store {
    /// Begins a charge and uses its token, once: of any number at the same time, one begins.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is used.
    pub async fn begin_charge(
        &self,
        merchant: &MerchantId,
        new: &NewCharge,
        audit: (&MacKey, &Entry),
    ) -> Result<Begun, StoreError> {
        let mut transaction = self.write().await?;
        let NewCharge { charge, ask_at } = new;
        let by = UsedBy::Charge(charge.id.clone());
        let code =
            match tokens::claim(&mut transaction, merchant, &charge.token, &by, charge.created_at).await? {
                Claimed::Now(code) => code,
                Claimed::Before(by) => return Ok(Begun::Used(by)),
                Claimed::Unknown => return Ok(Begun::UnknownToken),
            };
        let card = &charge.card;
        sqlx::query(
            "INSERT INTO charges (merchant_id, id, token_id, card_id, card_created_at, brand,
                 last_digits, fingerprint, fingerprint_key_version, security_code_check, data_key_version, details,
                 amount, currency, status, created_at, ask_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, 'pending', $15, $16)",
        )
        .bind(merchant.as_str())
        .bind(charge.id.as_str())
        .bind(charge.token.as_str())
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
        .execute(&mut *transaction)
        .await?;
        // The card is opened next, and not before somebody can tell by whom.
        audit::append(&mut transaction, audit.0, audit.1).await?;
        transaction.commit().await?;
        Ok(Begun::Pending(code))
    }

    /// Keeps what came of a charge, and forgets the number behind its token. The first outcome stays.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn finish_charge(
        &self,
        merchant: &MerchantId,
        charge: &StoredCharge,
        status: ChargeStatus,
    ) -> Result<(), StoreError> {
        let failure_code = match status {
            ChargeStatus::Failed(code) => Some(code.as_str()),
            ChargeStatus::Pending | ChargeStatus::Successful => None,
        };
        let mut transaction = self.write().await?;
        sqlx::query(
            "UPDATE charges SET status = $3, failure_code = $4, ask_at = NULL
             WHERE merchant_id = $1 AND id = $2 AND status = 'pending'",
        )
        .bind(merchant.as_str())
        .bind(charge.id.as_str())
        .bind(status.as_str())
        .bind(failure_code)
        .execute(&mut *transaction)
        .await?;
        tokens::forget_number(&mut transaction, merchant, &charge.token).await?;
        Ok(transaction.commit().await?)
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
        let query = sqlx::query("SELECT * FROM charges WHERE merchant_id = $1 AND id = $2")
            .bind(merchant.as_str())
            .bind(id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }
}

fn read(row: &AnyRow) -> Result<StoredCharge, StoreError> {
    Ok(StoredCharge {
        id: parsed(row, "id", ChargeId::parse)?,
        token: parsed(row, "token_id", TokenId::parse)?,
        card: tokens::read_card(row, "card_id", "card_created_at")?,
        amount: Amount::new(row.try_get("amount")?).ok_or(StoreError::Corrupt("amount"))?,
        currency: parsed(row, "currency", Currency::parse)?,
        status: read_status(row)?,
        created_at: timestamp(row, "created_at")?,
    })
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
