//! What the tests of the vendors' profiles have in common: a card, and a vault that a script plays.

use cardseal::card::{Card, Expiry, Holder, Number, SecurityCode, YearMonth};
use cardseal::client::cardseal::Billing;
use cardseal::client::{Answer, Error, Lost, Pkey, Policy, Profile, RequestId, Token, Vault, VaultAddress};
use serde_json::{Value, json};

use super::script::{Script, run};

pub(super) const NUMBER: &str = "4242424242424242";
pub(super) const PKEY: &str = "pkey_test_5fs3mbqfygjytlolbky";
/// printf 'pkey_test_5fs3mbqfygjytlolbky:' | base64
pub(super) const BASIC: &str = "Basic cGtleV90ZXN0XzVmczNtYnFmeWdqeXRsb2xia3k6";

pub(super) type Reply = Result<Answer, Lost>;

pub(super) fn card_of(number: &str) -> Card {
    Card {
        number: Number::parse(number).valid().unwrap(),
        expiry: Expiry::parse("12/34", YearMonth::new(2026, 11).unwrap()).valid().unwrap(),
        security_code: SecurityCode::parse("987", None).valid(),
        holder: Holder::parse("Taro Yamada").valid(),
    }
}

pub(super) fn vault(script: &Script, profile: Profile) -> Vault<&Script> {
    let address = VaultAddress::parse("https://vault.example").unwrap();
    Vault::new(script, address, Pkey::parse(PKEY).unwrap(), Policy::CHECKOUT, profile)
}

pub(super) fn tokenize(vault: &Vault<&Script>, card: Card, billing: &Billing) -> Result<Token, Error> {
    run(vault.tokenize(card, billing, &RequestId::random().unwrap()))
}

pub(super) fn reply(status: u16, body: impl ToString) -> Reply {
    Ok(Answer { status, body: body.to_string(), ..Answer::default() })
}

pub(super) fn refusal(status: u16, code: &str) -> Reply {
    reply(status, json!({ "object": "error", "code": code, "message": "No." }))
}

/// The same about a vendor.
pub(super) fn refusal_by(vendor: Value, status: u16, code: &str) -> Reply {
    reply(status, json!({ "object": "error", "code": code, "message": "No.", "vendor": vendor }))
}
