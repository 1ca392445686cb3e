//! Money taken with a card.

use serde_json::{Map, Value};
use thiserror::Error;

use crate::acquirer::{AuthorizeUri, Code, Name, Reference};
use crate::id::{CardId, ChargeId, CustomerId, TokenHash, TokenId};
use crate::time::Timestamp;
use crate::token::{CardFacts, Line};

/// A charge, with what may be known of its card.
#[derive(Clone, Debug)]
pub struct Charge {
    /// Its id.
    pub id: ChargeId,
    /// When it was made.
    pub created_at: Timestamp,
    /// What was asked for.
    pub order: Order<TokenHash>,
    /// What came of it.
    pub status: ChargeStatus,
    /// The card it was made with.
    pub card: CardFacts,
    /// Who was asked for the money, and in which words it answered.
    pub acquirer: Acquired,
    /// Where the holder goes to let it happen, while it waits for that.
    pub authorize_uri: Option<AuthorizeUri>,
}

/// An acquirer's side of a charge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acquired {
    /// Which acquirer.
    pub name: Name,
    /// Its name for the payment, once it is known.
    pub reference: Option<Reference>,
    /// Its code for what came of it, if it told one.
    pub code: Option<Code>,
}

/// What a merchant's server asks for.
#[derive(Clone, Debug)]
pub struct Order<T = TokenId> {
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
    /// With which card.
    pub source: Source<T>,
    /// For the merchant's own use.
    pub description: Option<Line>,
    /// For the merchant's own use; given back as it came.
    pub metadata: Map<String, Value>,
}

/// What a charge is made with. The store knows a token by its hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source<T = TokenId> {
    /// A token, which it uses up.
    Token(T),
    /// A customer's card on file.
    Card {
        /// The customer.
        customer: CustomerId,
        /// Which of the customer's cards; none for the default one. A charge that was made names it.
        card: Option<CardId>,
    },
}

/// An amount of money in the currency's smallest unit: satang, cents, yen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount(i64);

impl Amount {
    /// The largest amount: twelve digits, as in card networks' messages (ISO 8583 field 4).
    pub const MAX: i64 = 999_999_999_999;

    /// More than nothing, and up to [`Amount::MAX`].
    #[must_use]
    pub fn new(units: i64) -> Option<Self> {
        (1..=Self::MAX).contains(&units).then_some(Self(units))
    }

    /// How many of the smallest unit.
    #[must_use]
    pub const fn units(self) -> i64 {
        self.0
    }
}

/// A currency by its three letters (ISO 4217), in upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Currency(String);

impl Currency {
    /// Three letters in any case. Which currencies there are is the acquirer's to say.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        is_code.then(|| Self(text.to_ascii_uppercase()))
    }

    /// Its three letters.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What came of a charge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeStatus {
    /// The acquirer is being asked, or what it did is not known yet: the vault finds it out.
    Pending,
    /// The money was taken.
    Successful,
    /// The acquirer or the card's bank said no.
    Failed(FailureCode),
}

impl ChargeStatus {
    /// One of each name.
    pub(crate) const EACH: [Self; 3] =
        [Self::Pending, Self::Successful, Self::Failed(FailureCode::FailedProcessing)];

    /// Its name in Omise's API and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Successful => "successful",
            Self::Failed(_) => "failed",
        }
    }

    /// How it ended, if it has.
    #[must_use]
    pub const fn outcome(self) -> Option<ChargeOutcome> {
        match self {
            Self::Pending => None,
            Self::Successful => Some(ChargeOutcome::Successful),
            Self::Failed(code) => Some(ChargeOutcome::Failed(code)),
        }
    }
}

/// How a charge ended. It stays so, unless it turns out that money was taken for one that had failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChargeOutcome {
    /// The money was taken.
    Successful,
    /// It was not.
    Failed(FailureCode),
}

impl ChargeOutcome {
    /// Whether the money was taken.
    #[must_use]
    pub const fn is_successful(self) -> bool {
        matches!(self, Self::Successful)
    }
}

impl From<ChargeOutcome> for ChargeStatus {
    fn from(outcome: ChargeOutcome) -> Self {
        match outcome {
            ChargeOutcome::Successful => Self::Successful,
            ChargeOutcome::Failed(code) => Self::Failed(code),
        }
    }
}

/// Why a charge failed, in Omise's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum FailureCode {
    /// The payment was refused as fraudulent.
    #[error("the payment was refused as fraudulent")]
    FailedFraudCheck,
    /// The payment could not be processed.
    #[error("the payment could not be processed")]
    FailedProcessing,
    /// There is not enough money, or the card's limit is reached.
    #[error("the account has not enough funds or the card has reached its limit")]
    InsufficientFund,
    /// There is no such account.
    #[error("no account is found for this card")]
    InvalidAccountNumber,
    /// The security code is wrong.
    #[error("the security code is wrong")]
    InvalidSecurityCode,
    /// The card's bank said no.
    #[error("the card's bank rejected the payment")]
    PaymentRejected,
    /// The card was reported stolen or lost.
    #[error("the card was reported stolen or lost")]
    StolenOrLostCard,
}

impl FailureCode {
    /// Every code.
    pub(crate) const ALL: [Self; 7] = [
        Self::FailedFraudCheck,
        Self::FailedProcessing,
        Self::InsufficientFund,
        Self::InvalidAccountNumber,
        Self::InvalidSecurityCode,
        Self::PaymentRejected,
        Self::StolenOrLostCard,
    ];

    /// Its name in Omise's API and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FailedFraudCheck => "failed_fraud_check",
            Self::FailedProcessing => "failed_processing",
            Self::InsufficientFund => "insufficient_fund",
            Self::InvalidAccountNumber => "invalid_account_number",
            Self::InvalidSecurityCode => "invalid_security_code",
            Self::PaymentRejected => "payment_rejected",
            Self::StolenOrLostCard => "stolen_or_lost_card",
        }
    }

    /// The code of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_positive_and_have_twelve_digits() {
        for units in [i64::MIN, -1, 0, Amount::MAX + 1, i64::MAX] {
            assert_eq!(Amount::new(units), None);
        }
        assert_eq!(Amount::new(1).map(Amount::units), Some(1));
        assert_eq!(Amount::new(Amount::MAX).map(Amount::units), Some(999_999_999_999));
    }

    #[test]
    fn currencies_are_three_letters() {
        assert_eq!(Currency::parse("thb"), Currency::parse("THB"));
        for text in ["", "th", "thbt", "t4b", "บาท"] {
            assert_eq!(Currency::parse(text), None);
        }
    }

    #[test]
    fn failure_codes_are_found_by_name() {
        for code in FailureCode::ALL {
            assert_eq!(FailureCode::parse(code.as_str()), Some(code));
        }
        assert_eq!(FailureCode::parse("another"), None);
    }
}
