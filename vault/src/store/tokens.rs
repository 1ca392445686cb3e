use std::collections::HashSet;

use cardseal::card::Brand;
use cardseal::seal::Jti;
use sqlx::any::AnyRow;
use sqlx::{AssertSqlSafe, Row};

use super::batch::Job;
use super::charges::read_status;
use super::transaction::Transaction;
use super::{
    CountedNumber, Store, StoreError, ciphertext, fingerprint, flag, parsed, seconds, text, timestamp,
};
use crate::id::{CardId, MerchantId, TokenHash, seal_hash};
use crate::keys::data::Ciphertext;
use crate::keys::fingerprint::Fingerprint;
use crate::time::Timestamp;
use crate::token::{Usage, UsedBy};

/// The columns of a token and what became of it.
macro_rules! select {
    () => {
        "SELECT tokens.id, tokens.card_id, tokens.brand, tokens.last_digits, tokens.fingerprint,
             tokens.fingerprint_key_version, tokens.security_code_check, tokens.data_key_version, tokens.pan,
             tokens.details, tokens.created_at, tokens.expires_at, tokens.used_by, charges.status, charges.failure_code FROM tokens
         LEFT JOIN charges ON charges.merchant_id = tokens.merchant_id AND charges.token_id = tokens.id "
    };
}

/// A token as it is kept.
#[derive(Clone, Debug)]
pub struct StoredToken {
    /// What is kept of its id.
    pub id: TokenHash,
    /// Its card.
    pub card: StoredCard,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// What became of it.
    pub usage: Usage,
}

/// A card as it is kept.
#[derive(Clone, Debug)]
pub struct StoredCard {
    /// Its id.
    pub id: CardId,
    /// When it came.
    pub created_at: Timestamp,
    /// Its brand.
    pub brand: Brand,
    /// The last four digits of its number.
    pub last_digits: String,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// Whether its security code was checked and is right.
    pub security_code_check: bool,
    /// Its number, as long as it is needed.
    pub pan: Option<Ciphertext>,
    /// What may be shown of it, and of what it belongs to.
    pub details: Ciphertext,
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
    /// As what its number counts.
    pub counted: Vec<CountedNumber>,
}

/// A security code as it is kept, for a few minutes.
#[derive(Clone, Debug)]
pub struct SecurityCodeRow {
    /// The code, locked with its token's id (see [`CodeLock`](crate::keys::code::CodeLock)).
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
    /// There were too many numbers like its number today. It is not kept.
    TooManyAlike,
}

/// What came of using a token.
#[derive(Debug)]
pub(super) enum Claimed {
    /// It is used now. Here is the security code that is no longer in the store.
    Now(Option<SecurityCodeRow>),
    /// It was used before, for this.
    Before(UsedBy),
    /// There is no such token, or its time is over.
    Unknown,
}

impl Store {
    /// Keeps a token, unless its seal has given one before: however many are at it at once, there is only the first.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn insert_token(&self, merchant: &MerchantId, new: NewToken) -> Result<Inserted, StoreError> {
        self.batcher.insert(merchant.clone(), new).await
    }

    /// A merchant's token; none whose time is over.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn token(
        &self,
        merchant: &MerchantId,
        id: &TokenHash,
        now: Timestamp,
    ) -> Result<Option<StoredToken>, StoreError> {
        let query = sqlx::query(concat!(
            select!(),
            "WHERE tokens.merchant_id = $1 AND tokens.id = $2
             AND (tokens.used_by IS NOT NULL OR tokens.expires_at > $3)"
        ))
        .bind(merchant.as_str())
        .bind(id.as_str())
        .bind(seconds(now));
        query.fetch_optional(&self.readers).await?.as_ref().map(read).transpose()
    }

    /// What a token was used for.
    ///
    /// # Errors
    /// [`StoreError`]
    pub async fn token_used_by(
        &self,
        merchant: &MerchantId,
        id: &TokenHash,
    ) -> Result<Option<UsedBy>, StoreError> {
        let row = sqlx::query(USED_BY)
            .bind(merchant.as_str())
            .bind(id.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.map(|row| parsed(&row, "used_by", UsedBy::parse)).transpose()
    }
}

const USED_BY: &str = "SELECT used_by FROM tokens WHERE merchant_id = $1 AND id = $2 AND used_by IS NOT NULL";

/// Keeps tokens, and says what came of each, in their order.
pub(super) async fn insert_all(
    transaction: &mut Transaction,
    jobs: &[&Job],
) -> Result<Vec<Inserted>, StoreError> {
    let mut added = HashSet::with_capacity(jobs.len());
    for chunk in powers_of_two(jobs) {
        let sql = format!(
            "INSERT INTO tokens (merchant_id, id, card_id, seal_id, brand, last_digits, fingerprint,
                 fingerprint_key_version, security_code_check, data_key_version, pan, details, created_at,
                 expires_at)
             VALUES {} ON CONFLICT (merchant_id, seal_id) DO NOTHING RETURNING id",
            placeholders(chunk.len(), 14)
        );
        let mut insert = sqlx::query(AssertSqlSafe(sql));
        for Job { merchant, new: NewToken { token, seal, .. }, .. } in chunk {
            let card = &token.card;
            insert = insert
                .bind(merchant.as_str())
                .bind(token.id.as_str())
                .bind(card.id.as_str())
                .bind(seal.as_ref().map(seal_hash))
                .bind(card.brand.id())
                .bind(card.last_digits.as_str())
                .bind(card.fingerprint.bytes.as_slice())
                .bind(i64::from(card.fingerprint.key_version))
                .bind(i64::from(card.security_code_check))
                .bind(i64::from(card.details.key_version))
                .bind(card.pan.as_ref().map(|pan| pan.bytes.as_slice()))
                .bind(card.details.bytes.as_slice())
                .bind(seconds(token.created_at))
                .bind(seconds(token.expires_at));
        }
        for row in insert.fetch_all(&mut **transaction).await? {
            added.insert(row.try_get::<String, _>("id")?);
        }
    }

    let with_code: Vec<_> = jobs
        .iter()
        .filter(|job| added.contains(job.new.token.id.as_str()))
        .filter_map(|job| job.new.security_code.as_ref().map(|code| (job, code)))
        .collect();
    for chunk in powers_of_two(&with_code) {
        let sql = format!(
            "INSERT INTO security_codes (merchant_id, token_id, data_key_version, code, expires_at) VALUES {}",
            placeholders(chunk.len(), 5)
        );
        let mut insert = sqlx::query(AssertSqlSafe(sql));
        for (job, SecurityCodeRow { code, expires_at }) in chunk {
            insert = insert
                .bind(job.merchant.as_str())
                .bind(job.new.token.id.as_str())
                .bind(i64::from(code.key_version))
                .bind(code.bytes.as_slice())
                .bind(seconds(*expires_at));
        }
        insert.execute(&mut **transaction).await?;
    }

    let mut outcomes = Vec::with_capacity(jobs.len());
    for Job { merchant, new, .. } in jobs {
        if added.contains(new.token.id.as_str()) {
            outcomes.push(Inserted::New);
            continue;
        }
        let first = sqlx::query(concat!(select!(), "WHERE tokens.merchant_id = $1 AND tokens.seal_id = $2"))
            .bind(merchant.as_str())
            .bind(new.seal.as_ref().map(seal_hash))
            .fetch_one(&mut **transaction)
            .await?;
        outcomes.push(Inserted::Before(Box::new(read(&first)?)));
    }
    Ok(outcomes)
}

/// Uses a token, once: of any number at the same time, one does.
pub(super) async fn claim(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    token: &TokenHash,
    by: &UsedBy,
    now: Timestamp,
) -> Result<Claimed, StoreError> {
    let claimed = sqlx::query(
        "UPDATE tokens SET used_by = $3 WHERE merchant_id = $1 AND id = $2 AND used_by IS NULL AND expires_at > $4",
    )
    .bind(merchant.as_str())
    .bind(token.as_str())
    .bind(by.as_str())
    .bind(seconds(now))
    .execute(&mut **transaction)
    .await?;
    if claimed.rows_affected() == 0 {
        let before = sqlx::query(USED_BY)
            .bind(merchant.as_str())
            .bind(token.as_str())
            .fetch_optional(&mut **transaction)
            .await?;
        return match before {
            Some(row) => Ok(Claimed::Before(parsed(&row, "used_by", UsedBy::parse)?)),
            None => Ok(Claimed::Unknown),
        };
    }
    let code = sqlx::query(
        "DELETE FROM security_codes WHERE merchant_id = $1 AND token_id = $2
         RETURNING data_key_version, code, expires_at",
    )
    .bind(merchant.as_str())
    .bind(token.as_str())
    .fetch_optional(&mut **transaction)
    .await?;
    let code = code.map(|row| {
        Ok::<_, StoreError>(SecurityCodeRow {
            code: ciphertext(&row, "code")?,
            expires_at: timestamp(&row, "expires_at")?,
        })
    });
    Ok(Claimed::Now(code.transpose()?))
}

/// Forgets the number behind a token that is used up.
pub(super) async fn forget_number(
    transaction: &mut Transaction,
    merchant: &MerchantId,
    token: &TokenHash,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE tokens SET pan = NULL WHERE merchant_id = $1 AND id = $2")
        .bind(merchant.as_str())
        .bind(token.as_str())
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

fn read(row: &AnyRow) -> Result<StoredToken, StoreError> {
    let used_by: Option<String> = row.try_get("used_by")?;
    let used_by =
        used_by.map(|text| UsedBy::parse(&text).ok_or(StoreError::Corrupt("used_by"))).transpose()?;
    Ok(StoredToken {
        id: parsed(row, "id", TokenHash::parse)?,
        card: read_card(row, "card_id", "created_at")?,
        created_at: timestamp(row, "created_at")?,
        expires_at: timestamp(row, "expires_at")?,
        usage: match used_by {
            Some(UsedBy::Charge(_)) => Usage::Charged(read_status(row)?),
            Some(UsedBy::Customer(_)) => Usage::OnFile,
            None => Usage::Unused,
        },
    })
}

/// The columns that every table with a card has.
pub(super) fn read_card(
    row: &AnyRow,
    id: &'static str,
    created_at: &'static str,
) -> Result<StoredCard, StoreError> {
    let find = |id: &str| Brand::ALL.iter().find(|brand| brand.id() == id).copied();
    let pan: Option<Vec<u8>> = match row.try_get("pan") {
        Err(sqlx::Error::ColumnNotFound(_)) => None,
        pan => pan?,
    };
    let details = ciphertext(row, "details")?;
    Ok(StoredCard {
        id: parsed(row, id, CardId::parse)?,
        created_at: timestamp(row, created_at)?,
        brand: parsed(row, "brand", find)?,
        last_digits: text(row, "last_digits")?,
        fingerprint: fingerprint(row)?,
        security_code_check: flag(row, "security_code_check")?,
        pan: pan.map(|bytes| Ciphertext { key_version: details.key_version, bytes }),
        details,
    })
}

/// Pieces whose lengths are powers of two: a statement is prepared once for each length, so there should be few.
pub(super) fn powers_of_two<T>(mut items: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let length = 1 << items.len().checked_ilog2()?;
        let (chunk, rest) = items.split_at(length);
        items = rest;
        Some(chunk)
    })
}

/// `($1, $2), ($3, $4)`
pub(super) fn placeholders(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 6);
    for index in 0..rows * columns {
        text.push_str(if index == 0 {
            "($"
        } else if index % columns == 0 {
            "), ($"
        } else {
            ", $"
        });
        text.push_str(&(index + 1).to_string());
    }
    text.push(')');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_come_in_few_lengths() {
        let items = [(); 45];
        assert_eq!(powers_of_two(&items).map(<[()]>::len).collect::<Vec<_>>(), [32, 8, 4, 1]);
        assert_eq!(powers_of_two::<()>(&[]).count(), 0);
    }

    #[test]
    fn placeholders_are_numbered_row_by_row() {
        assert_eq!(placeholders(2, 2), "($1, $2), ($3, $4)");
        assert_eq!(placeholders(1, 1), "($1)");
    }
}
