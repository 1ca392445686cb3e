use serde_json::Value;
use sqlx::Row;

use super::{SecurityCodeRow, Store, StoreError, StoredToken, tokens, unsigned};
use crate::charge::{Amount, ChargeStatus, Currency, FailureCode, Order};
use crate::id::{ChargeId, MerchantId, TokenId};
use crate::keys::data::Ciphertext;
use crate::time::Timestamp;
use crate::token::Line;

/// A charge as it is kept, with its token.
#[derive(Clone, Debug)]
pub struct StoredCharge {
    /// Its id.
    pub id: ChargeId,
    /// What was asked for.
    pub order: Order,
    /// What came of it.
    pub status: ChargeStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// The token it was made with.
    pub token: StoredToken,
}

/// A charge to begin.
#[derive(Clone, Debug)]
pub struct NewCharge {
    /// Its id.
    pub id: ChargeId,
    /// What is asked for.
    pub order: Order,
    /// When.
    pub created_at: Timestamp,
}

/// What came of beginning a charge.
#[derive(Debug)]
pub enum Begun {
    /// It is pending; its token is used. Here is the token, and the security code that is no longer in the store.
    Pending(Box<StoredToken>, Option<SecurityCodeRow>),
    /// There is no such token.
    UnknownToken,
    /// The token has been used for this charge.
    Used(ChargeId),
}

impl Store {
    /// Uses a token for a charge, once: of any number at the same time, one begins.
    ///
    /// # Errors
    /// [`StoreError`]; then nothing is used.
    pub async fn begin_charge(&self, merchant: &MerchantId, new: &NewCharge) -> Result<Begun, StoreError> {
        let mut transaction = self.write().await?;
        let order = &new.order;
        let known = sqlx::query(
            "SELECT tokens.*, NULL AS status, NULL AS failure_code FROM tokens WHERE merchant_id = $1 AND id = $2",
        )
            .bind(merchant.as_str())
            .bind(order.token.as_str());
        let Some(token) = known.fetch_optional(&mut *transaction).await? else {
            return Ok(Begun::UnknownToken);
        };
        let token = tokens::read(&token)?;

        let begun = sqlx::query(
            "INSERT INTO charges (merchant_id, id, token_id, amount, currency, description, metadata, status,
                 created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 'pending', $8)
             ON CONFLICT (merchant_id, token_id) DO NOTHING",
        )
        .bind(merchant.as_str())
        .bind(new.id.as_str())
        .bind(order.token.as_str())
        .bind(order.amount.units())
        .bind(order.currency.as_str())
        .bind(order.description.as_ref().map(Line::as_str))
        .bind(Value::Object(order.metadata.clone()).to_string())
        .bind(new.created_at.unix_seconds() as i64)
        .execute(&mut *transaction)
        .await?;
        if begun.rows_affected() == 0 {
            let earlier: String =
                sqlx::query_scalar("SELECT id FROM charges WHERE merchant_id = $1 AND token_id = $2")
                    .bind(merchant.as_str())
                    .bind(order.token.as_str())
                    .fetch_one(&mut *transaction)
                    .await?;
            return Ok(Begun::Used(ChargeId::parse(&earlier).ok_or(StoreError::Corrupt("charge id"))?));
        }
        let code = sqlx::query(
            "DELETE FROM security_codes WHERE merchant_id = $1 AND token_id = $2
             RETURNING data_key_version, code, expires_at",
        )
        .bind(merchant.as_str())
        .bind(order.token.as_str())
        .fetch_optional(&mut *transaction)
        .await?;
        let code = match code {
            Some(row) => Some(SecurityCodeRow {
                code: Ciphertext {
                    key_version: unsigned(row.try_get("data_key_version")?, "key version")?,
                    bytes: row.try_get("code")?,
                },
                expires_at: Timestamp::from_unix_seconds(unsigned(row.try_get("expires_at")?, "time")?),
            }),
            None => None,
        };
        transaction.commit().await?;
        Ok(Begun::Pending(Box::new(token), code))
    }

    /// Keeps what came of a charge.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn finish_charge(
        &self,
        merchant: &MerchantId,
        id: &ChargeId,
        status: ChargeStatus,
    ) -> Result<(), StoreError> {
        let failure_code = match status {
            ChargeStatus::Failed(code) => Some(code.as_str()),
            ChargeStatus::Pending | ChargeStatus::Successful => None,
        };
        sqlx::query("UPDATE charges SET status = $3, failure_code = $4 WHERE merchant_id = $1 AND id = $2")
            .bind(merchant.as_str())
            .bind(id.as_str())
            .bind(status.as_str())
            .bind(failure_code)
            .execute(&self.writer)
            .await?;
        Ok(())
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
        let Some(row) = query.fetch_optional(&self.readers).await? else { return Ok(None) };
        let token_id = TokenId::parse(row.try_get("token_id")?).ok_or(StoreError::Corrupt("token id"))?;
        let token =
            self.token(merchant, &token_id).await?.ok_or(StoreError::Corrupt("charge without a token"))?;
        let metadata = serde_json::from_str(row.try_get("metadata")?);
        Ok(Some(StoredCharge {
            id: id.clone(),
            order: Order {
                amount: Amount::new(row.try_get("amount")?).ok_or(StoreError::Corrupt("amount"))?,
                currency: Currency::parse(row.try_get("currency")?).ok_or(StoreError::Corrupt("currency"))?,
                token: token_id,
                description: row.try_get::<Option<String>, _>("description")?.map(Line::kept),
                metadata: metadata.map_err(|_| StoreError::Corrupt("metadata"))?,
            },
            status: read_status(row.try_get("status")?, row.try_get("failure_code")?)?,
            created_at: Timestamp::from_unix_seconds(unsigned(row.try_get("created_at")?, "time")?),
            token,
        }))
    }
}

/// A status out of its two columns.
pub(super) fn read_status(status: &str, failure_code: Option<&str>) -> Result<ChargeStatus, StoreError> {
    match (status, failure_code) {
        ("pending", None) => Ok(ChargeStatus::Pending),
        ("successful", None) => Ok(ChargeStatus::Successful),
        ("failed", Some(code)) => {
            FailureCode::parse(code).map(ChargeStatus::Failed).ok_or(StoreError::Corrupt("failure code"))
        }
        _ => Err(StoreError::Corrupt("charge status")),
    }
}
