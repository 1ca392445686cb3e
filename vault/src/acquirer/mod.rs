//! Who takes charges: the bank's side of a payment.

mod authorize_uri;
mod callback;
mod code;
mod decimal;
mod omise;
pub(crate) mod payment_options;
mod reference;
mod stored_method;
mod test;

use std::fmt;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use cardseal::card::{Number, SecurityCode};
use thiserror::Error;

use crate::charge::{Amount, Currency, FailureCode};
use crate::id::ChargeId;
use crate::merchant::Mode;
use crate::shopper::Shopper;
use crate::text::name_holds_card_number;
use crate::token::Details;

pub use authorize_uri::AuthorizeUri;
pub use callback::Callback;
pub use code::Code;
pub use omise::Omise;
pub use payment_options::PaymentOptions;
pub use reference::Reference;
pub use stored_method::StoredMethod;
pub use test::TestAcquirer;

/// Asks for money.
pub trait Acquirer: fmt::Debug + Send + Sync {
    /// Whether the card's security code is right, asked when a token is made. Most acquirers have no call for it: they
    /// tell when they are asked for money.
    fn check_security_code<'a>(&'a self, _: &'a Number, _: &'a SecurityCode) -> Answer<'a, bool> {
        Box::pin(ready(false))
    }

    /// Whether it could take a payment at all, as far as can be told before the card is opened and anything is used.
    ///
    /// # Errors
    /// [`Unacceptable`]
    fn check(&self, _: &Prospect<'_>) -> Result<(), Unacceptable> {
        Ok(())
    }

    /// The account under which it keeps customers' cards, if it does. A method that it gave out for another account is not
    /// used.
    fn account(&self) -> Option<&str> {
        None
    }

    /// Takes a payment. Called once for each charge, whatever comes of it: [`find`](Self::find) tells what an
    /// [`Outcome::Unknown`] became. It is given [`LONGEST_CHARGE`].
    ///
    /// What has to be known of the payment should there be no answer is noted in the journal before money is asked for.
    fn charge<'a>(&'a self, payment: &'a Payment, journal: &'a dyn Journal) -> Answer<'a, Said<Outcome>>;

    /// What became of a payment, by the charge that it was for. Called as often as it takes, by any process. It is given
    /// [`LONGEST_FIND`].
    fn find<'a>(&'a self, inquiry: &'a Inquiry) -> Answer<'a, Said<Found>>;
}

/// How long an acquirer may take to charge. After it the outcome is unknown.
pub const LONGEST_CHARGE: Duration = Duration::from_secs(90);

/// How long an acquirer may take to say what became of a payment. After it, it is asked again later.
pub const LONGEST_FIND: Duration = Duration::from_secs(20);

/// What an acquirer is asked for takes a while.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Which acquirer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Name {
    /// Omise.
    Omise,
    /// Payment Options.
    PaymentOptions,
    /// The built-in one, for test merchants without another.
    Test,
}

impl Name {
    /// Every name.
    pub const ALL: [Self; 3] = [Self::Omise, Self::PaymentOptions, Self::Test];

    /// Its text, in the API and in the store.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Omise => "omise",
            Self::PaymentOptions => "payment-options",
            Self::Test => "test",
        }
    }

    /// The name of this text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|name| name.as_str() == text)
    }
}

/// A payment that is to be asked for, before its card is opened.
#[derive(Clone, Copy, Debug)]
pub struct Prospect<'a> {
    /// Of what.
    pub currency: &'a Currency,
    /// How many digits the card's number has; none if the number is not needed.
    pub digits: Option<usize>,
    /// The card's expiry, its holder's name and address.
    pub details: &'a Details,
    /// Who pays.
    pub shopper: &'a Shopper,
}

/// Why an acquirer could not take a payment. Told before anything is used or sent; who put the payment together can put
/// it right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unacceptable {
    /// It has no such currency.
    #[error("the acquirer does not take this currency")]
    Currency,
    /// The acquirer needs something that is not there.
    #[error("{} is missing, which the acquirer needs", .0.as_str())]
    Missing(Member),
    /// The holder cannot be sent to the bank and back: the vault has no address at which the acquirer reaches it. The
    /// operator's to put right, or charge without `browser_info`.
    #[error("the vault has no address for the acquirer to call back")]
    NoWayBack,
    /// The card's number is longer than the acquirer takes.
    #[error("the card's number has more digits than the acquirer takes")]
    NumberTooLong,
    /// Something is longer than the acquirer takes.
    #[error("{} is longer than the acquirer takes", .0.as_str())]
    TooLong(Member),
}

/// What an acquirer may need of a card beside its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the parameters of a card")]
pub enum Member {
    City,
    Country,
    Name,
    PostalCode,
    Street1,
}

impl Member {
    /// The parameter's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::City => "card.city",
            Self::Country => "card.country",
            Self::Name => "card.name",
            Self::PostalCode => "card.postal_code",
            Self::Street1 => "card.street1",
        }
    }
}

/// A name that an acquirer gave: up to `most` ASCII letters, digits, hyphens and underscores, and no card number.
fn plain_name(text: &str, most: usize) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    let fits = (1..=most).contains(&text.len()) && text.bytes().all(allowed);
    (fits && !name_holds_card_number(text)).then(|| text.into())
}

/// A payment with everything an acquirer needs. The only place beside a seal's inside where a clear card is.
#[derive(Debug)]
pub struct Payment {
    /// The charge it is for.
    pub charge: ChargeId,
    /// How much.
    pub amount: Amount,
    /// Of what.
    pub currency: Currency,
    /// What is charged.
    pub instrument: Instrument,
    /// The card's expiry, its holder's name and address.
    pub details: Details,
    /// Whether the card is a customer's, so that the acquirer may keep it for the next time.
    pub on_file: bool,
    /// Who pays.
    pub shopper: Shopper,
    /// Where the acquirer can tell that something has happened, if the holder may be sent to the bank.
    pub callback: Option<Callback>,
}

/// What is charged.
#[derive(Debug)]
pub enum Instrument {
    /// A card.
    Card {
        /// Its number.
        number: Number,
        /// Its security code, where it was given and has not expired.
        security_code: Option<SecurityCode>,
    },
    /// A card that the acquirer has kept.
    Stored(StoredMethod),
}

/// Where an acquirer notes what it will be asked by, durably.
pub trait Journal: Send + Sync {
    /// Notes it. Only when this has returned is money asked for.
    fn note<'a>(&'a self, reference: &'a Reference) -> Answer<'a, Result<(), NotNoted>>;
}

/// The journal cannot be written. The vault's fault; the payment must not be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the journal cannot be written")]
pub struct NotNoted;

/// What an acquirer said, with its own words for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What it comes to.
    pub what: T,
    /// Its name for the payment, if it told.
    pub reference: Option<Reference>,
    /// Its code, if it told.
    pub code: Option<Code>,
    /// What it did with the card.
    pub method: Keeping,
}

impl<T> From<T> for Said<T> {
    /// Without words of its own.
    fn from(what: T) -> Self {
        Self { what, reference: None, code: None, method: Keeping::AsBefore }
    }
}

/// What an acquirer did with a card that it may keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Keeping {
    /// What it has of it, if anything, is what it had.
    #[default]
    AsBefore,
    /// It does not know the method any more that it was asked with.
    Gone,
    /// It has kept the card, under this name.
    Kept(StoredMethod),
}

/// What an acquirer said to a payment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The money was taken.
    Successful,
    /// It was not.
    Failed(FailureCode),
    /// It will be when the holder has shown at this address who they are (3-D Secure).
    Pending(AuthorizeUri),
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
    /// The acquirer's name for it, as far as it is known. What is found under it is held against the rest.
    pub reference: Option<Reference>,
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
    /// The money was not taken: the acquirer waits for the holder.
    Unpaid,
    /// The acquirer does not know yet, or cannot be asked.
    Unknown,
}

/// The acquirers of a vault, by mode.
#[derive(Clone, Debug)]
pub struct Acquirers {
    test: Arc<dyn Acquirer>,
}

impl Acquirers {
    /// Sends test charges to `test`, where the merchant has no acquirer of its own.
    #[must_use]
    pub fn new(test: impl Acquirer + 'static) -> Self {
        Self { test: Arc::new(test) }
    }

    /// The acquirer for merchants of this mode that have none of their own.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn acquirers_are_found_by_name() {
        for name in Name::ALL {
            assert_eq!(Name::parse(name.as_str()), Some(name));
        }
        assert_eq!(Name::parse("cardseal"), None);
    }
}
