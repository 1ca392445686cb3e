//! Somebody types a real card where a test key is, and it lies with cards that nobody guards; or a thief keeps cards in a
//! vault that asks no acquirer. Test keys take published test cards, on every way in, unless the operator allows others.

use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use cardseal::card::Number;
use cardseal::seal::{Jti, seal};
use cardseal_vault::keys::Sha256Digest;
use cardseal_vault::merchant::{ClearCards, Mode};
use cardseal_vault::test_card::TestCards;
use serde_json::json;

use crate::support::jwe::Jwe;
use crate::support::{Account, Answer, Asked, NOON, SHOP, VISA, card, clear_card, envelope, request};

const WORDS: &str = "number is no published test card, and test keys take no others unless the vault's operator sets test_cards";

#[tokio::test]
async fn a_test_key_takes_no_card_that_may_be_somebodys() {
    let asked = Asked::new().await;
    let account = asked.merchant().await;
    for number in real_looking() {
        for answer in every_way_in(&asked, &account, &number, Mode::Test).await {
            assert_eq!(answer.error(400, "invalid_card"), WORDS);
        }
    }
    for table in ["tokens", "pci_tokens", "security_codes", "counted_numbers"] {
        assert_eq!(asked.count(table).await, 0, "{table}");
    }
    for answer in every_way_in(&asked, &account, VISA, Mode::Test).await {
        assert!(answer.status.is_success(), "{answer:?}");
    }
}

#[tokio::test]
async fn live_keys_do_and_so_do_test_keys_that_the_operator_lets() {
    let asked = Asked::new().await;
    let live = asked.merchant_with(Mode::Live, ClearCards::Allowed, SHOP).await;
    let lax = Asked::new_with(|setup| setup.policy.test_cards = TestCards::Any).await;
    let test = lax.merchant().await;
    for number in real_looking() {
        for answer in every_way_in(&asked, &live, &number, Mode::Live).await {
            assert!(answer.status.is_success(), "{answer:?}");
        }
        for answer in every_way_in(&lax, &test, &number, Mode::Test).await {
            assert!(answer.status.is_success(), "{answer:?}");
        }
    }
}

/// Numbers that pass every check of the form's, and nobody publishes.
fn real_looking() -> [String; 3] {
    [("4242424242", 16), ("5555555555", 16), ("37828224", 15)].map(|(first, digits)| {
        let numbers =
            (1..100_000_u32).map(|rest| format!("{first}{rest:0width$}", width = digits - first.len()));
        let mut numbers = numbers.filter(|number| Number::parse(number).valid().is_some());
        numbers.next().unwrap()
    })
}

/// In the clear, sealed, and for a PCI token.
async fn every_way_in(asked: &Asked, account: &Account, number: &str, mode: Mode) -> [Answer; 3] {
    let key = asked.sealing_key_for(mode).await;
    let mut sealed = envelope(&account.public_key, NOON);
    sealed.card = card(number);
    sealed.card.security_code = None;
    let hash = Sha256Digest::of(account.public_key.as_bytes());
    let merchant = asked.vault.key_holder(hash).await.unwrap().unwrap().0.id;
    let pci = Jwe::seal(
        &key,
        json!({ "fpan": number, "exp": "1230", "merchant": account.public_key, "iat": NOON,
        "jti": Jti::random().unwrap().as_str() })
        .to_string()
        .as_bytes(),
    )
    .compact();
    let pci = json!({ "merchantId": merchant.as_str(), "encryptedData": pci });
    let pci = request(Method::POST, "/pci-tokens", &account.secret_key)
        .header("x-correlation-id", format!("1-{}", Sha256Digest::of(number.as_bytes()).as_bytes()[0]))
        .header(CONTENT_TYPE, "application/json")
        .body(pci.to_string().into());
    [
        asked.post("/tokens", &account.public_key, &clear_card(number)).await,
        asked.tokenize_sealed(account, &seal(&key, &sealed).unwrap()).await,
        asked.send(pci.unwrap()).await,
    ]
}
