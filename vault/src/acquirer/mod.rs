//! Who takes charges: the bank's side of a payment.

mod test;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

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

    /// Takes a payment. Called once for each charge, whatever comes of it: [`find`](Self::find) tells what an
    /// [`Outcome::Unknown`] became. It is given [`LONGEST_CHARGE`].
    fn charge<'a>(&'a self, payment: &'a Payment) -> Answer<'a, Outcome>;

    /// What became of a payment, by the charge that it was for. Called as often as it takes, by any process. It is given
    /// [`LONGEST_FIND`].
    fn find<'a>(&'a self, inquiry: &'a Inquiry) -> Answer<'a, Found>;
}

/// How long an acquirer may take to charge. After it the outcome is unknown.
pub const LONGEST_CHARGE: Duration = Duration::from_secs(90);

/// How long an acquirer may take to say what became of a payment. After it, it is asked again later.
pub const LONGEST_FIND: Duration = Duration::from_secs(20);

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
    /// It may have been or not: the connection was lost after the payment was sent, or no answer came in time. A payment
    /// that was certainly not sent is [`FailureCode::FailedProcessing`] instead.
    Unknown,
}

/// The payment that is looked for. Its card is not needed: acquirers know a payment by the merchant's own reference.
#[derive(Clone, Debug)]
pub struct Inquiry {
    /// The charge it was for.
    pub charge: ChargeId,
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
}

/// What an acquirer knows of a payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The money was taken.
    Successful,
    /// It was not.
    Failed(FailureCode),
    /// The acquirer has not heard of it. It may still be on its way.
    NeverArrived,
    /// The acquirer does not know yet, or cannot be asked.
    Unknown,
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
