//! The built-in acquirer: answers for published test cards as Omise's test mode does.

use std::future::ready;

use cardseal::card::{Number, SecurityCode};

use super::{Acquirer, Answer, Found, Inquiry, Instrument, Journal, Outcome, Payment, Said};
use crate::charge::{Amount, FailureCode};

/// Fails the test cards that Omise documents to fail, each in its own way; every other card pays, in any currency.
///
/// With a card that pays, four amounts have no answer at first, and are found out later:
///
/// | amount | becomes |
/// | --- | --- |
/// | 111101 | `successful` |
/// | 111102 | `failed`, `payment_rejected` |
/// | 111103 | `failed`, `failed_processing`: it never arrived |
/// | 111104 | nothing; it stays `pending` |
///
/// It remembers nothing, so a charge of another amount that was interrupted never arrived.
#[derive(Clone, Copy, Debug)]
pub struct TestAcquirer;

impl Acquirer for TestAcquirer {
    fn check_security_code<'a>(&'a self, number: &'a Number, _: &'a SecurityCode) -> Answer<'a, bool> {
        Box::pin(ready(failure(number) != Some(FailureCode::InvalidSecurityCode)))
    }

    fn charge<'a>(&'a self, payment: &'a Payment, _: &'a dyn Journal) -> Answer<'a, Said<Outcome>> {
        Box::pin(ready(outcome(payment).into()))
    }

    fn find<'a>(&'a self, inquiry: &'a Inquiry) -> Answer<'a, Said<Found>> {
        Box::pin(ready(unanswered(inquiry.amount).unwrap_or(Found::NeverArrived).into()))
    }
}

fn outcome(payment: &Payment) -> Outcome {
    let failure = match &payment.instrument {
        Instrument::Card { number, .. } => failure(number),
        // It keeps no cards.
        Instrument::Stored(_) => Some(FailureCode::FailedProcessing),
    };
    match (failure, unanswered(payment.amount)) {
        (Some(code), _) => Outcome::Failed(code),
        (None, Some(_)) => Outcome::Unknown,
        (None, None) => Outcome::Successful,
    }
}

/// What will be found of a payment of an amount that gets no answer.
fn unanswered(amount: Amount) -> Option<Found> {
    match amount.units() {
        111_101 => Some(Found::Successful),
        111_102 => Some(Found::Failed(FailureCode::PaymentRejected)),
        111_103 => Some(Found::NeverArrived),
        111_104 => Some(Found::Unknown),
        _ => None,
    }
}

fn failure(number: &Number) -> Option<FailureCode> {
    // EXPOSE: compared with published test cards.
    let number = number.expose();
    FAILURES.iter().find(|(_, cards)| cards.contains(&number)).map(|(code, _)| *code)
}

/// Omise's test cards that fail, Visa, Mastercard, JCB and others in turn (docs.omise.co/api-testing; the last five
/// rows from its edition of 2017).
const FAILURES: &[(FailureCode, &[&str])] = &[
    (
        FailureCode::InsufficientFund,
        &["4111111111140011", "5555551111110011", "3530111111190011", "6250947000000014"],
    ),
    (
        FailureCode::StolenOrLostCard,
        &["4111111111130012", "5555551111100012", "3530111111180012", "6250947000000022"],
    ),
    (
        FailureCode::FailedProcessing,
        &[
            "4111111111120013",
            "5555551111190013",
            "3530111111170013",
            "377138160000009",
            "6447032400001111005",
            "36021042111108",
        ],
    ),
    (FailureCode::PaymentRejected, &["4111111111110014", "5555551111180014", "3530111111160014"]),
    (FailureCode::FailedFraudCheck, &["4111111111190016", "5555551111160016", "3530111111140016"]),
    (FailureCode::InvalidAccountNumber, &["4111111111180017", "5555551111150017", "3530111111130017"]),
    (FailureCode::InvalidSecurityCode, &["4111111111160001", "5555551111130001", "3530111111110001"]),
    // 3-D Secure: the card could not be enrolled.
    (FailureCode::PaymentRejected, &["4111111111150002", "5555551111120002", "3530111111100002"]),
    // 3-D Secure: the holder was not verified.
    (FailureCode::PaymentRejected, &["4111111111140003", "5555551111110003", "3530111111190003"]),
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_failing_card_is_a_card_and_listed_once() {
        let mut cards: Vec<&str> = FAILURES.iter().flat_map(|(_, cards)| *cards).copied().collect();
        for card in &cards {
            assert!(Number::parse(card).valid().is_some(), "{card}");
        }
        cards.sort_unstable();
        let count = cards.len();
        cards.dedup();
        assert_eq!(cards.len(), count);
    }

    #[test]
    fn other_cards_pay() {
        for card in
            ["4242424242424242", "5555555555554444", "3530111333300000", "378282246310005", "36021042000004"]
        {
            assert_eq!(failure(&Number::parse(card).valid().unwrap()), None);
        }
    }
}
