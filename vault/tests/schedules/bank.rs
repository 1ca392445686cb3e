//! An acquirer whose answers come, come late, are lost, or are wrong for a while, and which keeps books.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cardseal_vault::acquirer::{
    Acquirer, Answer, Found, Inquiry, Journal, Outcome, Payment, Reference, Said,
};
use cardseal_vault::charge::FailureCode;
use tokio::time::sleep;

/// What it does with a payment, by the last two digits of the amount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// It takes the money and says so.
    Pays,
    /// It declines.
    Declines,
    /// It takes the money at once and says so late.
    AnswersLate,
    /// It gets the request late, and takes the money then; asked meanwhile, it has not heard of it.
    ArrivesLate,
    /// It takes the money, and the answer is lost.
    LosesTheAnswer,
    /// It never gets the request, and nobody knows that.
    LosesTheRequest,
    /// It takes the money, and cannot say so to whoever asks at first.
    IsSilent,
}

impl Plan {
    pub(super) const ALL: [Self; 7] = [
        Self::Pays,
        Self::Declines,
        Self::AnswersLate,
        Self::ArrivesLate,
        Self::LosesTheAnswer,
        Self::LosesTheRequest,
        Self::IsSilent,
    ];

    /// The amounts that stand for plans are all different, so that a purchase is known by its amount.
    pub(super) fn amount(self, number: i64) -> i64 {
        let plan = Self::ALL.iter().position(|plan| *plan == self).unwrap();
        number * 100 + i64::try_from(plan).unwrap()
    }

    fn of(amount: i64) -> Self {
        Self::ALL[usize::try_from(amount % 100).unwrap()]
    }
}

/// The bank that all machines ask.
#[derive(Clone, Debug, Default)]
pub(super) struct Bank(Arc<Mutex<HashMap<String, Entry>>>);

/// What the bank knows of a charge.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) amount: i64,
    /// How often the money was taken.
    pub(super) taken: usize,
    looked_for: usize,
}

/// How late what is late is.
const LATE: Duration = Duration::from_millis(150);

impl Bank {
    /// Its books: charges by their ids.
    pub(super) fn books(&self) -> HashMap<String, Entry> {
        self.0.lock().unwrap().clone()
    }

    fn take(&self, payment: &Payment) {
        let mut books = self.0.lock().unwrap();
        let entry = books.entry(payment.charge.to_string()).or_default();
        entry.amount = payment.amount.units();
        entry.taken += 1;
    }
}

impl Acquirer for Bank {
    fn charge<'a>(&'a self, payment: &'a Payment, journal: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        Box::pin(async move {
            let reference = Reference::parse(&format!("bank-{}", payment.charge)).unwrap();
            if journal.note(&reference).await.is_err() {
                return Outcome::Failed(FailureCode::FailedProcessing).into();
            }
            match Plan::of(payment.amount.units()) {
                Plan::Pays => {
                    self.take(payment);
                    Outcome::Successful
                }
                Plan::Declines => Outcome::Failed(FailureCode::InsufficientFund),
                Plan::AnswersLate => {
                    self.take(payment);
                    sleep(LATE).await;
                    Outcome::Successful
                }
                Plan::ArrivesLate => {
                    sleep(LATE).await;
                    self.take(payment);
                    Outcome::Successful
                }
                Plan::LosesTheAnswer | Plan::IsSilent => {
                    self.take(payment);
                    Outcome::Unknown
                }
                Plan::LosesTheRequest => Outcome::Unknown,
            }
            .into()
        })
    }

    fn find<'a>(&'a self, inquiry: &'a Inquiry) -> Answer<'a, Said<Found>> {
        Box::pin(async move {
            let mut books = self.0.lock().unwrap();
            let plan = Plan::of(inquiry.amount.units());
            let Some(entry) = books.get_mut(inquiry.charge.as_str()) else {
                let declined = plan == Plan::Declines && inquiry.reference.is_some();
                return if declined {
                    Found::Failed(FailureCode::InsufficientFund).into()
                } else {
                    Found::NeverArrived.into()
                };
            };
            entry.looked_for += 1;
            let is_silent = plan == Plan::IsSilent && entry.looked_for <= 2;
            if is_silent { Found::Unknown.into() } else { Found::Successful.into() }
        })
    }
}
