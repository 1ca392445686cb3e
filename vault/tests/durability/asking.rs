//! Requests, one at a time, to a vault that may not be able to answer as it would like.

use serde_json::json;

use super::ledger::Entry;
use crate::support::program::{Reply, Served};
use crate::support::{Account, VISA, clear_card};

pub(crate) const JSON: &str = "application/json";

pub(crate) fn tokenize(vault: &Served, account: &Account) -> Reply {
    vault.request("POST", "/tokens", &account.public_key, JSON, &clear_card(VISA).to_string())
}

pub(crate) fn charge(vault: &Served, account: &Account, token: &str) -> Reply {
    let order = json!({ "amount": 10_000, "currency": "thb", "card": token }).to_string();
    vault.request("POST", "/charges", &account.secret_key, JSON, &order)
}

/// A token that is acknowledged.
#[track_caller]
pub(crate) fn token(vault: &Served, account: &Account) -> Entry {
    acknowledged(&account.public_key, tokenize(vault, account))
}

/// A charge that is acknowledged, and paid.
#[track_caller]
pub(crate) fn payment(vault: &Served, account: &Account, token: &str) -> Entry {
    let entry = acknowledged(&account.secret_key, charge(vault, account, token));
    assert_eq!(entry.object["status"], "successful", "{entry:?}");
    entry
}

#[track_caller]
fn acknowledged(key: &str, reply: Reply) -> Entry {
    assert_eq!(reply.status, 200, "{reply:?}");
    Entry { key: key.to_owned(), object: reply.json() }
}

/// Asserts that the vault says that it cannot do this now, and when to try again.
#[track_caller]
pub(crate) fn assert_unavailable(reply: &Reply) {
    assert_eq!((reply.status, &reply.json()["code"]), (503, &json!("service_unavailable")), "{reply:?}");
    assert!(reply.head.contains("\r\nretry-after: "), "{reply:?}");
}
