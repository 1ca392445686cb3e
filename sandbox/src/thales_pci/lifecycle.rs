//! What happens to a card after its token was made, and what is told of it.

use serde::Deserialize;
use serde_json::json;

use super::{Card, Token, Vault};
use crate::callback::Notification;
use crate::clock;

/// What happens to a card or its token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The token is gone.
    Deletion,
    /// The card has a new expiry: a year later.
    Renewal,
    /// The token is in a state that no document names, with members that none names either.
    Unheard,
}

impl Vault {
    /// Lets something happen to a token's card; `None` if there is no such token, or not any more.
    pub(super) fn happen(&self, id: &str, event: Event) -> Option<Notification> {
        let mut tokens = self.tokens();
        let token = tokens.get_mut(id)?;
        let Token::Active(card) = token else { return None };
        if event == Event::Renewal {
            let (month, year) = card.exp.split_at(2);
            card.exp = format!("{month}{:02}", (year.parse::<u8>().unwrap_or_default() + 1) % 100);
        }
        let Card { fpan, exp } = card.clone();
        let state = match event {
            Event::Deletion => {
                *token = Token::Deleted;
                "DELETED"
            }
            Event::Renewal => "ACTIVE",
            Event::Unheard => "HIBERNATED",
        };
        let mut told = self.notifications();
        let told = told.entry(id.into()).or_default();
        // EXPOSE: a card's last four digits may be shown (PCI DSS 3.4.1), and this is a test card.
        let last_digits = &fpan[fpan.len().saturating_sub(4)..];
        let mut body = json!({
            "tokenId": id,
            "merchantId": self.merchant_id,
            "state": state,
            "cardLastDigits": last_digits,
            "cardExpiryDate": exp,
            "lastUpdateTimestamp": clock::written(self.later()),
        });
        if event == Event::Unheard {
            body["seasons"] = json!({ "until": "spring" });
        }
        let notification = Notification { path: String::new(), body };
        told.push(notification.clone());
        Some(notification)
    }
}
