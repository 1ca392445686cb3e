//! Who takes charges: the bank's side of a payment.

mod test;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use cardseal::card::{Number, SecurityCode};

use crate::charge::{Amount, Currency, FailureCode};
use crate::id::ChargeId;
use crate::merchant::Mode;
use crate::token::Details;

pub use test::TestAcquirer;

/// Asks for money.
pub trait Acquirer: fmt::Debug + Send + Sync {
    /// Whether the card's security code is right, asked when a token is made.
    fn check_security_code<'a>(&'a self, number: &'a Number, code: &'a SecurityCode) -> Answer<'a, bool>;

    /// Takes a payment. Asked once for each charge: whether it is safe to ask again, only an acquirer's own rules say.
    fn charge<'a>(&'a self, payment: &'a Payment) -> Answer<'a, Outcome>;
}

/// What an acquirer is asked for takes a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A payment with everything an acquirer needs. The only place beside a seal's inside where a clear card is.
#[derive(Debug)]
pub struct Payment {
    /// The charge it is for.
    pub charge: ChargeId,
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
    /// The card's number.
    pub number: Number,
    /// The card's security code, where it was given and has not expired.
    pub security_code: Option<SecurityCode>,
    /// The card's expiry, its holder's name and address.
    pub details: Details,
}

/// What an acquirer said to a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money was taken.
    Successful,
    /// It was not.
    Failed(FailureCode),
}

/// The acquirers of a vault, by mode.
#[derive(Clone, Debug)]
pub struct Acquirers {
    test: Arc<dyn Acquirer>,
}

impl Acquirers {
    /// Sends test charges to `test`. Live charges have nowhere to go yet.
    #[must_use]
    pub fn new(test: impl Acquirer + 'static) -> Self {
        Self { test: Arc::new(test) }
    }

    /// The acquirer for merchants of this mode.
    #[must_use]
    pub fn of(&self, mode: Mode) -> Option<Arc<dyn Acquirer>> {
        match mode {
            Mode::Test => Some(Arc::clone(&self.test)),
            Mode::Live => None,
        }
    }
}

impl Default for Acquirers {
    fn default() -> Self {
        Self::new(TestAcquirer)
    }
}
