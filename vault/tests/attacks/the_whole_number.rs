//! A page's script has the public key, a card's first and last digits and time. It makes tokens of all the numbers there
//! can be between, to find the one with the shopper's fingerprint. No answer to a public key is the same for the same card
//! only, and of the numbers that begin and end alike only a few become tokens in a day, whoever compares them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request};
use cardseal::card::Number;
use cardseal::seal::Jti;
use cardseal_vault::access::limit::Limits;
use cardseal_vault::acquirer::Acquirers;
use cardseal_vault::http::operations;
use cardseal_vault::keys::Sha256Digest;
use cardseal_vault::log::{Format, Recent};
use cardseal_vault::merchant::{ClearCards, Mode};
use serde_json::{Value, json};

use crate::support::jwe::Jwe;
use crate::support::log::Log;
use crate::support::{
    Account, Answer, Asked, NOON, SHOP, UNLIMITED, VISA, clear_card, limiter, parts, request,
};

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
        let as_page = request(Method::GET, &path, &account.public_key).header("origin", SHOP);
        let as_page = asked.send(as_page.body(Body::empty()).unwrap()).await;
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
    let as_page = request(Method::GET, &format!("/tokens/{token}"), &account.secret_key)
        .header("origin", SHOP)
        .body(Body::empty());
    let refused = asked.send(as_page.unwrap()).await.error(401, "authentication_failure");
    assert!(refused.contains("it is secret no longer"), "{refused}");
}

/// A search from 50 addresses, in as many networks, by the public key alone: every answer is the same whichever of the
/// numbers the shopper's is, and soon every one is the same refusal.
#[tokio::test]
async fn a_search_learns_the_same_whichever_the_number_is() {
    let mut learnt = Vec::new();
    for (shoppers, tries) in [(300, TRIES), (700, 1000)] {
        let asked = limited().await;
        let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
        let candidates = candidates();
        let paid =
            ask(&asked, "203.0.113.9", post("/tokens", &account.public_key, &candidates[shoppers])).await;
        assert_eq!(paid.status, 200, "{paid:?}");
        let mut answers = Vec::with_capacity(tries);
        for tries in 0..tries {
            let candidate = &candidates[tries % candidates.len()];
            let answer = patiently(&asked, &address(tries), &account, candidate).await;
            answers.push(match answer.status.as_u16() {
                200 => without_ids(&answer, answer.json()["id"].as_str().unwrap()),
                status => (
                    status,
                    answer.json(),
                    answer.headers.get("retry-after").map(|wait| format!("{wait:?}")).into_iter().collect(),
                ),
            });
        }
        learnt.push(answers);
    }
    assert_eq!(learnt[0].len(), TRIES);
    let differs = learnt[0].iter().zip(&learnt[1]).position(|(one, other)| one != other);
    assert_eq!(differs, None, "the number shows in an answer");
    let refused = &learnt[0][100];
    assert_eq!(refused.0, 429);
    assert!(learnt[0][100..].iter().all(|answer| answer == refused));
}

/// The same search by somebody who has the secret key too, and compares fingerprints.
#[tokio::test]
async fn a_search_with_the_secret_key_gets_ten_numbers_a_day() {
    let asked = limited().await;
    let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let candidates = candidates();
    let paid = ask(&asked, "203.0.113.9", post("/tokens", &account.public_key, &candidates[500])).await;
    let shoppers = fingerprint(&asked, &account, paid.json()["id"].as_str().unwrap()).await;

    let (mut made, mut found) = (0, false);
    for (tries, candidate) in candidates.iter().enumerate() {
        let answer = patiently(&asked, &address(tries), &account, candidate).await;
        if answer.status == 200 {
            made += 1;
            found |= fingerprint(&asked, &account, answer.json()["id"].as_str().unwrap()).await == shoppers;
        } else {
            let message = answer.error(429, "too_many_requests");
            assert_eq!(
                message,
                "too many different card numbers that begin and end alike came today; try again in 43200 s"
            );
            assert_eq!(answer.header("retry-after"), Some("43200"));
        }
    }
    // The shopper's is one of the ten.
    assert_eq!((made, found), (9, false));
    // Nor is it any use to seal the cards for another kind of token.
    let key = asked.sealing_key_for(Mode::Live).await;
    let merchant = asked.vault.key_holder(hash(&account)).await.unwrap().unwrap().0.id;
    let jwe = Jwe::seal(&key, pci_card(&account, &candidates[500]).to_string().as_bytes()).compact();
    let pci = json!({ "merchantId": merchant.as_str(), "encryptedData": jwe });
    let pci = request(Method::POST, "/pci-tokens", &account.secret_key)
        .header("x-correlation-id", "1")
        .header(CONTENT_TYPE, "application/json")
        .body(pci.to_string().into());
    ask(&asked, "198.51.100.1", pci.unwrap()).await.error(429, "too_many_requests");

    // What is counted is gone with its day, and says nothing before.
    let rows = asked.count("counted_numbers").await;
    assert!(rows > 10, "{rows}");
    asked.set_time(NOON + 12 * 60 * 60);
    assert_eq!(asked.vault.maintain().await.unwrap().counted_numbers, u64::try_from(rows).unwrap());
    assert_eq!(asked.count("counted_numbers").await, 0);
    assert_eq!(patiently(&asked, "192.0.2.1", &account, &candidates[0]).await.status, 200);
}

/// However many ask at once, of however many processes: no more than ten are made.
#[tokio::test]
async fn a_search_all_at_once_gets_no_more() {
    let asked = limited().await;
    let beside = asked.beside(Acquirers::default()).await.with_limits(&limits());
    let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let candidates = candidates();
    let tries = (0..120).map(|tries| {
        let asked = if tries % 2 == 0 { &asked } else { &beside };
        let request = post("/tokens", &account.public_key, &candidates[tries]);
        async move { ask(asked, &address(tries), request).await.status.as_u16() }
    });
    let mut statuses = futures_util::future::join_all(tries).await;
    statuses.sort_unstable();
    statuses.dedup();
    assert_eq!(statuses, [200, 429]);
    assert_eq!(asked.count("tokens").await, 10);
}

/// Nor does a stranger see by when the merchant's group is full whether one of his guesses had come before.
#[tokio::test]
async fn a_group_is_full_as_soon_whether_or_not_a_guess_was_right() {
    let mut answers = Vec::new();
    for shoppers in [3, 500] {
        let asked = limited().await;
        let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
        let candidates = candidates();
        let paid =
            ask(&asked, "203.0.113.9", post("/tokens", &account.public_key, &candidates[shoppers])).await;
        assert_eq!(paid.status, 200, "{paid:?}");
        let mut statuses = Vec::new();
        // From three networks, each of which has room for five.
        for (tries, candidate) in candidates[..15].iter().enumerate() {
            let answer = patiently(&asked, &address(tries / 5), &account, candidate).await;
            statuses.push(answer.status.as_u16());
        }
        answers.push(statuses);
    }
    assert_eq!(answers[0], [[200; 9].as_slice(), &[429; 6]].concat());
    assert_eq!(answers[0], answers[1], "the number shows in an answer");
}

/// The log and a metric tell of it, and nothing of the numbers.
#[tokio::test]
async fn a_search_is_told_to_the_operator() {
    let log = Log::listen(Format::Text);
    let asked = limited().await;
    let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let operations =
        operations(&parts(&asked.vault, None, limiter(&UNLIMITED, &Arc::default())), Recent::default());
    let operations = asked.beside(Acquirers::default()).await.operated(operations);
    let candidates = candidates();
    for (tries, candidate) in candidates[..13].iter().enumerate() {
        patiently(&asked, &address(tries), &account, candidate).await;
    }
    let lines = log.take();
    let told: Vec<_> = lines.iter().filter(|line| line.contains("a card was refused")).collect();
    let merchant = asked.vault.key_holder(hash(&account)).await.unwrap().unwrap().0.id;
    assert_eq!(told.len(), 3, "{lines:?}");
    assert!(told.iter().all(|line| line.contains("WARN") && line.contains(merchant.as_str())), "{told:?}");
    let numbers = [&candidates[..13], &["42424242".into()]].concat();
    assert!(!lines.iter().any(|line| numbers.iter().any(|number| line.contains(number))), "{lines:?}");
    let metrics = operations.get("/metrics", "").await.body;
    assert!(metrics.contains("\ncardseal_refused_enumeration_total{mode=\"live\"} 3\n"), "{metrics}");
}

/// What is left: whoever sends from the shopper's own network on the same day learns whether the number is among the four
/// that the network has room for beside it; of anybody else's network, nothing.
#[tokio::test]
async fn who_shares_the_shoppers_network_learns_of_four_numbers_a_day() {
    for (from, told) in [("203.0.113.200", true), ("198.51.100.1", false)] {
        let mut last = Vec::new();
        for guessed in [true, false] {
            let asked = limited().await;
            let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
            let candidates = candidates();
            ask(
                &asked,
                "203.0.113.9",
                post("/tokens", &account.public_key, &candidates[if guessed { 3 } else { 500 }]),
            )
            .await;
            for candidate in &candidates[..4] {
                assert_eq!(patiently(&asked, from, &account, candidate).await.status, 200);
            }
            last.push(patiently(&asked, from, &account, &candidates[4]).await.status.as_u16());
            // After that, nothing of its group from there, whether or not it came before.
            for candidate in &candidates[..8] {
                patiently(&asked, from, &account, candidate).await;
                assert_eq!(patiently(&asked, from, &account, &candidates[9]).await.status, 429);
            }
            assert_eq!(patiently(&asked, from, &account, &candidates[0]).await.status, 429);
        }
        assert_eq!(last[0] != last[1], told, "{from}: {last:?}");
    }
}

/// Shoppers try again, and a shop's shoppers have all kinds of cards.
#[tokio::test]
async fn honest_shoppers_notice_nothing() {
    let asked = limited().await;
    let account = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    for tries in 0..60 {
        let answer = ask(&asked, "192.0.2.1", post("/tokens", &account.public_key, VISA)).await;
        assert_eq!(answer.status, 200, "{tries}");
    }
    // A bank's cards, of a whole office.
    for last in 0..200 {
        let card = number(424_242, 1000, last * 7);
        let answer = ask(&asked, "192.0.2.1", post("/tokens", &account.public_key, &card)).await;
        assert_eq!(answer.status, 200, "{last}");
    }
}

/// A shop's developers, and the machines that test for them, have one card and many networks.
#[tokio::test]
async fn a_published_test_card_is_taken_from_everywhere() {
    let asked = limited().await;
    let account = asked.merchant_with(Mode::Test, ClearCards::Allowed, SHOP).await;
    for tries in 0..40 {
        let answer = ask(&asked, &address(tries), post("/tokens", &account.public_key, VISA)).await;
        assert_eq!(answer.status, 200, "{tries}");
    }
    assert_eq!(asked.count("counted_numbers").await, 0);
}

/// What a page seals for a PCI token.
fn pci_card(account: &Account, number: &str) -> Value {
    let id = Jti::random().unwrap();
    json!({ "fpan": number, "exp": "1230", "merchant": account.public_key, "iat": NOON, "jti": id.as_str() })
}

const TRIES: usize = 10_000;

/// The numbers that there are if the first eight digits and the last four are known.
fn candidates() -> Vec<String> {
    let numbers = (0..10_000).map(|between| format!("42424242{between:04}4242"));
    let numbers: Vec<_> = numbers.filter(|number| Number::parse(number).valid().is_some()).collect();
    assert_eq!(numbers.len(), 1000);
    numbers
}

/// Fifty addresses, each in a network of its own.
fn address(tries: usize) -> String {
    format!("192.0.{}.1", tries % 50)
}

async fn limited() -> Asked {
    Asked::limited(&limits()).await
}

/// A vault's own, behind a proxy.
fn limits() -> Limits {
    Limits { trusted_proxies: vec![PROXY.parse().unwrap()], ..Limits::default() }
}

const PROXY: &str = "10.0.0.1";

fn post(path: &str, key: &str, number: &str) -> Request<Body> {
    let request = request(Method::POST, path, key).header(CONTENT_TYPE, "application/json");
    request.body(clear_card(number).to_string().into()).unwrap()
}

async fn ask(asked: &Asked, address: &str, mut request: Request<Body>) -> Answer {
    request.headers_mut().insert("x-forwarded-for", address.parse().unwrap());
    request.extensions_mut().insert(ConnectInfo(SocketAddr::new(PROXY.parse().unwrap(), 1)));
    // Ten thousand answers are not each held against the document: other tests do that.
    asked.send_unchecked(request).await
}

/// Waits as long as a limit on the rate says, if that is no day.
async fn patiently(asked: &Asked, address: &str, account: &Account, number: &str) -> Answer {
    loop {
        let answer = ask(asked, address, post("/tokens", &account.public_key, number)).await;
        match answer.header("retry-after").map(|wait| wait.parse().unwrap()) {
            Some(wait) if wait < 3600 => asked.pass(Duration::from_secs(wait)),
            _ => return answer,
        }
    }
}

fn hash(account: &Account) -> Sha256Digest {
    Sha256Digest::of(account.public_key.as_bytes())
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
