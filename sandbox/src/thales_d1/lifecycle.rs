//! What happens to a card after its token was made, and what is told of it.
//!
//! D1 documents renewal, replacement and deletion of cards and the address of `notify-update`. Suspension, resumption and
//! the members of the body are as with Thales's network tokens.

use std::fmt;

use serde::Deserialize;
use serde_json::json;

use super::{Gateway, Token};
use crate::callback::Notification;
use crate::clock;

/// What an issuer does to a card, or D1 to its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The card is gone, and its token with it.
    Deletion,
    /// The card has a new expiry.
    Renewal,
    /// The card has a new number.
    Replacement,
    /// The token can be used again.
    Resumption,
    /// The token cannot be used for now.
    Suspension,
    /// The token is in a state that no document names, with members that none names either.
    Unheard,
}

/// Numbers that stand in a card's place; published test cards.
const DPANS: [&str; 2] = ["4111111111111111", "4012888888881881"];

/// What a token gives for its card.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Dpan {
    pub(super) number: &'static str,
    /// MMYY.
    pub(super) expiry: String,
}

/// No digit of it.
impl fmt::Debug for Dpan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Dpan").finish_non_exhaustive()
    }
}

impl Dpan {
    pub(super) fn first(expiry: &str) -> Self {
        Self { number: DPANS[0], expiry: expiry.into() }
    }

    fn replace(&mut self) {
        let is_first = self.number == DPANS[0];
        self.number = DPANS[usize::from(is_first)];
    }
}

impl Token {
    /// Lets something happen.
    fn happen(&mut self, event: Event) {
        self.updated_at = clock::later_than(self.updated_at);
        match event {
            Event::Deletion => self.state = "DELETED",
            Event::Renewal => {
                self.card.exp = renewed(&self.card.exp);
                self.dpan.expiry = renewed(&self.dpan.expiry);
            }
            Event::Replacement => self.dpan.replace(),
            Event::Resumption => self.state = "ACTIVE",
            Event::Suspension => self.state = "SUSPENDED",
            Event::Unheard => self.state = "HIBERNATED",
        }
    }
}

impl Gateway {
    /// Lets something happen to a token's card; `None` if there is no such token.
    pub(super) fn happen(&self, id: &str, event: Event) -> Option<Notification> {
        let mut tokens = self.tokens();
        let token = tokens.get_mut(id)?;
        token.happen(event);
        // EXPOSE: a card's last four digits may be shown (PCI DSS 3.4.1), and this is a test card.
        let last_digits = &token.card.pan[token.card.pan.len().saturating_sub(4)..];
        let mut body = json!({
            "tokenId": id,
            "merchantId": self.merchant_id,
            "state": token.state,
            "cardLastDigits": last_digits,
            "cardExpiryDate": token.card.exp,
            "tokenExpiryDate": token.dpan.expiry,
            "par": token.par,
            "lastUpdateTimestamp": clock::written(token.updated_at),
        });
        if event == Event::Unheard {
            body["seasons"] = json!({ "until": "spring" });
        }
        let (gateway, merchant) = (&self.id, &self.merchant_id);
        let path = format!("/merchant-gateways/{gateway}/merchants/{merchant}/tokens/{id}/notify-update");
        let notification = Notification { path, body };
        token.notifications.push(notification.clone());
        Some(notification)
    }
}

/// Three years later.
fn renewed(expiry: &str) -> String {
    let (month, year) = expiry.split_at(expiry.len().min(2));
    let year = year.parse::<u8>().unwrap_or_default().saturating_add(3) % 100;
    format!("{month}{year:02}")
}
