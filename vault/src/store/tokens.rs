use cardseal::card::Brand;
use cardseal::seal::Jti;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::charges::read_status;
use super::{Store, StoreError, unsigned};
use crate::id::{CardId, MerchantId, TokenId};
use crate::keys::data::Ciphertext;
use crate::keys::fingerprint::Fingerprint;
use crate::time::Timestamp;
use crate::token::Usage;

/// The columns of a token and what became of it.
macro_rules! select {
    () => {
        "SELECT tokens.*, charges.status, charges.failure_code FROM tokens
         LEFT JOIN charges ON charges.merchant_id = tokens.merchant_id AND charges.token_id = tokens.id "
    };
}
/// A token as it is kept.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// Its id.
    pub id: TokenId,
    /// Its card's id.
    pub card_id: CardId,
    /// Its card's brand.
    pub brand: Brand,
    /// The last four digits of its card's number.
    pub last_digits: String,
    /// Its card's fingerprint.
    pub fingerprint: Fingerprint,
    /// Whether its card's security code was checked and is right.
    pub security_code_check: bool,
    /// Its card's number.
    pub pan: Ciphertext,
    /// Its card's [`Details`](crate::token::Details).
    pub details: Ciphertext,
    /// When it was made.
    pub created_at: Timestamp,
    /// What became of it.
    pub usage: Usage,
}

/// A token to keep. Its `usage` is not looked at: it is unused.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The token.
    pub token: StoredToken,
    /// The id of the seal it came in.
    pub seal: Option<Jti>,
    /// Its card's security code.
    pub security_code: Option<SecurityCodeRow>,
}

/// A security code as it is kept, for a few minutes.
#[derive(Clone, Debug)]
pub struct SecurityCodeRow {
    /// The code.
    pub code: Ciphertext,
    /// From when on it is not there.
    pub expires_at: Timestamp,
}

/// What came of keeping a token.
#[derive(Debug)]
pub enum Inserted {
    /// It is kept.
    New,
    /// Its seal has given this token before.
    Before(Box<StoredToken>),
}

impl Store {
    /// Keeps a token, unless its seal has given one before: however many are at it at once, there is only the first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn insert_token(&self, merchant: &MerchantId, new: &NewToken) -> Result<Inserted, StoreError> {
        let mut transaction = self.write().await?;
        let NewToken { token, seal, security_code } = new;
        let added = sqlx::query(
            "INSERT INTO tokens (merchant_id, id, card_id, seal_id, brand, last_digits, fingerprint,
                 fingerprint_key_version, security_code_check, data_key_version, pan, details, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
             ON CONFLICT (merchant_id, seal_id) DO NOTHING",
        )
        .bind(merchant.as_str())
        .bind(token.id.as_str())
        .bind(token.card_id.as_str())
        .bind(seal.as_ref().map(Jti::as_str))
        .bind(token.brand.id())
        .bind(&token.last_digits)
        .bind(&token.fingerprint.bytes)
        .bind(token.fingerprint.key_version)
        .bind(token.security_code_check)
        .bind(token.pan.key_version)
        .bind(&token.pan.bytes)
        .bind(&token.details.bytes)
        .bind(token.created_at.unix_seconds() as i64)
        .execute(&mut *transaction)
        .await?;
        if added.rows_affected() == 0 {
            let first =
                sqlx::query(concat!(select!(), "WHERE tokens.merchant_id = $1 AND tokens.seal_id = $2"))
                    .bind(merchant.as_str())
                    .bind(seal.as_ref().map(Jti::as_str))
                    .fetch_one(&mut *transaction)
                    .await?;
            return Ok(Inserted::Before(Box::new(read(&first)?)));
        }
        if let Some(SecurityCodeRow { code, expires_at }) = security_code {
            sqlx::query(
                "INSERT INTO security_codes (merchant_id, token_id, data_key_version, code, expires_at)
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(merchant.as_str())
            .bind(token.id.as_str())
            .bind(code.key_version)
            .bind(&code.bytes)
            .bind(expires_at.unix_seconds() as i64)
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await?;
        Ok(Inserted::New)
    }

    /// A merchant's token.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn token(
        &self,
        merchant: &MerchantId,
        id: &TokenId,
    ) -> Result<Option<StoredToken>, StoreError> {
        let query = sqlx::query(concat!(select!(), "WHERE tokens.merchant_id = $1 AND tokens.id = $2"))
            .bind(merchant.as_str())
            .bind(id.as_str());
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// Deletes the security codes that have expired, and says how many.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn delete_expired_security_codes(&self, now: Timestamp) -> Result<u64, StoreError> {
        let delete =
            sqlx::query("DELETE FROM security_codes WHERE expires_at <= $1").bind(now.unix_seconds() as i64);
        Ok(delete.execute(&self.writer).await?.rows_affected())
    }
}

pub(super) fn read(row: &SqliteRow) -> Result<StoredToken, StoreError> {
    let brand: &str = row.try_get("brand")?;
    let ciphertext = |column| {
        let key_version = unsigned(row.try_get("data_key_version")?, "key version")?;
        Ok::<_, StoreError>(Ciphertext { key_version, bytes: row.try_get(column)? })
    };
    Ok(StoredToken {
        id: TokenId::parse(row.try_get("id")?).ok_or(StoreError::Corrupt("token id"))?,
        card_id: CardId::parse(row.try_get("card_id")?).ok_or(StoreError::Corrupt("card id"))?,
        brand: *Brand::ALL.iter().find(|known| known.id() == brand).ok_or(StoreError::Corrupt("brand"))?,
        last_digits: row.try_get("last_digits")?,
        fingerprint: Fingerprint {
            key_version: unsigned(row.try_get("fingerprint_key_version")?, "key version")?,
            bytes: row.try_get("fingerprint")?,
        },
        security_code_check: row.try_get("security_code_check")?,
        pan: ciphertext("pan")?,
        details: ciphertext("details")?,
        created_at: Timestamp::from_unix_seconds(unsigned(row.try_get("created_at")?, "time")?),
        usage: match row.try_get::<Option<&str>, _>("status")? {
            Some(status) => Usage::Charged(read_status(status, row.try_get("failure_code")?)?),
            None => Usage::Unused,
        },
    })
}
