//! A page's script has the public key, a card's first and last digits and time. It made tokens of all the numbers there
//! could be between until the fingerprint was the shopper's. No answer to a public key is the same for the same card
//! only.

use cardseal::card::Number;
use cardseal_vault::merchant::{ClearCards, Mode};
use serde_json::{Value, json};

use crate::support::{Account, Answer, Asked, SHOP, VISA, request};

/// The first number with these ends, and between them these digits or greater ones, that passes Luhn.
fn number(first: u32, between: u32, last: u16) -> String {
    let mut numbers = (between..1_000_000).map(|between| format!("{first:06}{between:06}{last:04}"));
    numbers.find(|number| Number::parse(number).valid().is_some()).unwrap()
}

/// Whatever a public key asks about a card, the answers for the same card again and for another of the same brand, last
/// digits and expiry are the same, but for the ids, which are random.
#[tokio::test]
async fn a_public_key_cannot_tell_the_same_card_from_another() {
    let asked = Asked::new().await;
    let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let somebody = json!({
        "number": number(424_242, 500_000, 4242), "expiration_month": 12, "expiration_year": 2030, "name": "Somchai Prasert",
        "street1": "1448/4 Praditmanutham Road", "city": "Bangkok", "country": "TH",
    });
    let again = json!({ "number": number(424_242, 500_000, 4242), "expiration_month": 12, "expiration_year": 2030, "name": "Somsri Suksan" });
    let guess = json!({ "number": number(424_242, 0, 4242), "expiration_month": 12, "expiration_year": 2030, "name": "A Stranger" });
    let mut seen = Vec::new();
    for card in [somebody, again, guess] {
        let made = asked.post("/tokens", &account.public_key, &json!({ "card": card })).await;
        assert_eq!(made.status, 200, "{made:?}");
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let path = format!("/tokens/{id}");
        let shown = asked.get(&path, &account.public_key).await;
        assert_eq!(made.json(), shown.json());
        // Once more as a page of the shop's asks.
        let as_page = request(axum::http::Method::GET, &path, &account.public_key).header("origin", SHOP);
        let as_page = asked.send(as_page.body(axum::body::Body::empty()).unwrap()).await;
        seen.push([made, shown, as_page].map(|answer| without_ids(&answer, &id)));
    }
    assert_eq!(seen[0], seen[1], "the same card");
    assert_eq!(seen[0], seen[2], "another card");
    let card = &seen[0][0].1["card"];
    for name in ["fingerprint", "first_digits", "name", "street1", "city", "country", "bank", "financing"] {
        assert_eq!(card.get(name), Some(&Value::Null), "{name}");
    }
}

/// The merchant's server is shown what the page is not; a page is not that server, whatever key it has.
#[tokio::test]
async fn only_a_server_sees_which_cards_are_the_same() {
    let asked = Asked::new().await;
    let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let mut fingerprints = Vec::new();
    for between in [500_000, 500_000, 0] {
        let token = asked.token(&account, &number(424_242, between, 4242)).await;
        fingerprints.push(fingerprint(&asked, &account, &token).await);
    }
    assert_eq!(fingerprints[0], fingerprints[1]);
    assert_ne!(fingerprints[0], fingerprints[2]);

    let token = asked.token(&account, VISA).await;
    let as_page = request(axum::http::Method::GET, &format!("/tokens/{token}"), &account.secret_key)
        .header("origin", SHOP)
        .body(axum::body::Body::empty());
    let refused = asked.send(as_page.unwrap()).await.error(401, "authentication_failure");
    assert!(refused.contains("it is secret no longer"), "{refused}");
}

async fn fingerprint(asked: &Asked, account: &Account, token: &str) -> String {
    let token = asked.get(&format!("/tokens/{token}"), &account.secret_key).await.json();
    token["card"]["fingerprint"].as_str().unwrap().to_owned()
}

/// Status, body and headers, without what is random in each.
fn without_ids(answer: &Answer, token: &str) -> (u16, Value, Vec<String>) {
    let card = answer.json()["card"]["id"].as_str().unwrap().to_owned();
    let body = answer.body.replace(token, "").replace(&card, "");
    let headers = answer.headers.iter().filter(|(name, _)| *name != "x-request-id");
    let headers = headers.map(|(name, value)| format!("{name}: {value:?}")).collect();
    (answer.status.as_u16(), serde_json::from_str(&body).unwrap(), headers)
}
